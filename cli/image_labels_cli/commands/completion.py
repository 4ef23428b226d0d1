"""`image-labels completion`: the script for completion in a shell."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from image_labels_cli.completion import SCRIPTS


class Shell(StrEnum):
    """The shells with a script."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion(
    shell: Annotated[Shell, typer.Argument(metavar="SHELL", help="bash, zsh or fish.", show_default=False)],
) -> None:
    """Print a script that completes commands, labels and keys.

    \b
      eval "$(image-labels completion bash)"      in ~/.bashrc
      eval "$(image-labels completion zsh)"       in ~/.zshrc, after compinit
      image-labels completion fish | source       in config.fish

    Labels and keys need credentials and the names of the resources,
    as the commands do. Without them, nothing is completed. Keys also
    need the permission s3:ListBucket, which operators have.
    """
    print(SCRIPTS[shell.value], end="")
