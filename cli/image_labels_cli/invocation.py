"""What one call of the command has: where things are, AWS, and how it says that there is nothing."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field

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
        return shlex.join(["image-labels", *self.flags, *words])
