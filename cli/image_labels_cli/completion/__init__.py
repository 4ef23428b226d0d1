"""Shell completion for bash, zsh and fish: `image-labels completion SHELL` prints a script that calls `main`.

The script passes the words of the line as arguments, and reads candidates as lines. It evaluates none of them, because
a key may be any text that an uploader chose. Typer's own scripts do not quote candidates, and evaluate them in zsh.
"""

from image_labels_cli.completion.run import VARIABLE, main
from image_labels_cli.completion.scripts import SCRIPTS

__all__ = ["SCRIPTS", "VARIABLE", "main"]
