"""The command `image-labels`, run in process."""

from __future__ import annotations

from image_labels_cli import main
from typer.testing import CliRunner, Result


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main.app, arguments, prog_name="image-labels", catch_exceptions=False)
