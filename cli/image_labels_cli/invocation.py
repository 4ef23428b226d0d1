"""One invocation of the command: its deployment, its AWS clients, and the errors that end it with an exit code."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass, field, fields

from image_labels.search.printable import is_plain

from image_labels_cli.aws import Aws
from image_labels_cli.deployment import Deployment, DeploymentError, Source, locate


class NothingFoundError(Exception):
    """Exit code 1. The message gives possible reasons and the next step."""


class DifferencesError(Exception):
    """Exit code 1. The message says what differs, and gives the next step."""


class UsageError(Exception):
    """Exit code 2. The message names the mistake and the allowed values."""


class DownloadError(Exception):
    """Exit code 3. The message names the photos that S3 refused, and the cause."""


@dataclass
class Invocation:
    """`given` has the values from flags and environment. `flags` are the flags as typed, to repeat in suggestions.

    `source` has the values that `given` lacks. `make_aws` makes the AWS clients. `aws` has them after `connect`.
    """

    given: Deployment
    flags: list[str] = field(default_factory=list)
    make_aws: Callable[[Deployment], Aws] = Aws
    aws: Aws | None = None
    source: Source | None = None

    def deployment(self) -> Deployment:
        """All values of the deployment that are known. Raises DeploymentError if not even its images table is."""
        if not self.given.missing(tuple(field.name for field in fields(Deployment))):
            return self.given
        try:
            found = locate(Deployment(), "images_table", source=self.source)
        except DeploymentError:
            if self.source or not self.given.images_table:
                raise
            return self.given
        # The configuration in the current directory may have another deployment than the environment.
        same = self.given.images_table in ("", found.images_table)
        return self.given.with_defaults(found) if same else self.given

    def connect(self, *needed: str) -> tuple[Deployment, Aws]:
        """The deployment with all needed values, and the AWS clients for it. Raises DeploymentError."""
        deployment = locate(self.given, *needed, source=self.source)
        self.aws = self.make_aws(deployment)
        return deployment, self.aws

    def command(self, *words: str) -> str:
        """A command line for the same deployment, to paste into a shell."""
        return " ".join(map(shell_word, ["image-labels", *self.flags, *words]))


def shell_word(word: str) -> str:
    """The word quoted for any POSIX shell, in printable characters only.

    It uses printf with octal bytes, because dash has no $'…'. Command substitution strips trailing newlines, so they
    follow in single quotes.
    """
    if is_plain(word):
        return shlex.quote(word)
    body = word.rstrip("\n")
    ends = f"'{word[len(body) :]}'" if body != word else ""
    escaped = "".join(_escaped(character) for character in body)
    return f"\"$(printf %b '{escaped}')\"{ends}" if body else ends


def _escaped(character: str) -> str:
    """A character for printf's %b inside single quotes inside double quotes, where bash expands an exclamation mark."""
    if is_plain(character) and character not in "\\'!":
        return character
    return "".join(f"\\0{byte:03o}" for byte in character.encode(errors="surrogateescape"))
