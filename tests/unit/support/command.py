"""Runs the command `image-labels` in this process."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from image_labels_cli import main
from image_labels_cli.aws import Aws
from image_labels_cli.deployment import Deployment
from typer.testing import CliRunner, Result

if TYPE_CHECKING:
    from io import BytesIO

    from typer import Typer

MakeAws = Callable[[Deployment], Aws]
# Making clients takes most of the time of a command. Commands with the same deployment share them.
shared_aws = cache(Aws)


def run(*arguments: str, make_aws: MakeAws = shared_aws, app: Typer = main.app) -> Result:
    """Run the command with a pipe as standard output."""
    return _invoke(CliRunner(), arguments, make_aws, app)


def run_on_terminal(
    *arguments: str,
    columns: int = 200,
    typed: str | None = None,
    make_aws: MakeAws = shared_aws,
    app: Typer = main.app,
) -> Result:
    """Run the command on a terminal that has no colors. `typed` is what the user types."""
    runner = _TerminalRunner(env={"TERM": "dumb", "COLUMNS": str(columns), "LINES": "25"})
    return _invoke(runner, arguments, make_aws, app, typed)


def _invoke(
    runner: CliRunner, arguments: tuple[str, ...], make_aws: MakeAws, app: Typer, typed: str | None = None
) -> Result:
    return runner.invoke(app, arguments, prog_name="image-labels", obj=make_aws, catch_exceptions=False, input=typed)


class _TerminalRunner(CliRunner):
    @contextmanager
    def isolation(self, *args: Any, **kwargs: Any) -> Iterator[tuple[BytesIO, BytesIO, BytesIO]]:
        with super().isolation(*args, **kwargs) as streams:
            sys.stdout.isatty = lambda: True  # type: ignore[method-assign]
            sys.stdin.isatty = lambda: True  # type: ignore[method-assign]
            yield streams
