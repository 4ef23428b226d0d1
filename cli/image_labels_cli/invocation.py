"""What one call of the command has: where things are, AWS, and how it says that there is nothing."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field

from image_labels.search.printable import is_plain

from image_labels_cli.aws import Aws
from image_labels_cli.place import Place, locate


class NothingFoundError(Exception):
    """Exit code 1; the message says why that may be and what to do."""


class UsageError(Exception):
    """Exit code 2; the message says what is wrong and what is allowed."""


@dataclass
class Invocation:
    """`given` is the place as far as flags and environment tell it, `flags` those flags, to be repeated in advice."""

    given: Place
    flags: list[str] = field(default_factory=list)
    aws: Aws | None = None

    def at(self, *needed: str) -> tuple[Place, Aws]:
        """The place, with everything in it that is needed, and AWS there."""
        place = locate(self.given, *needed)
        self.aws = Aws(place)
        return place, self.aws

    def command(self, *words: str) -> str:
        """A command line for the same place, to be copied into a shell."""
        return " ".join(map(shell_word, ["image-labels", *self.flags, *words]))


def shell_word(word: str) -> str:
    """The word as any POSIX shell reads it, without a character that a terminal does not show.

    Not $'…', which dash lacks: printf of octal bytes. A substitution loses line ends at its end, so they stand behind.
    """
    if is_plain(word):
        return shlex.quote(word)
    body = word.rstrip("\n")
    ends = f"'{word[len(body) :]}'" if body != word else ""
    escaped = "".join(_escaped(character) for character in body)
    return f"\"$(printf %b '{escaped}')\"{ends}" if body else ends


def _escaped(character: str) -> str:
    """A character for printf's %b within single quotes within double ones, where bash expands an exclamation mark."""
    if is_plain(character) and character not in "\\'!":
        return character
    return "".join(f"\\0{byte:03o}" for byte in character.encode(errors="surrogateescape"))
