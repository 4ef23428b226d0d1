"""What `make demo` prints: lines, steps with their duration, and progress bars."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from image_labels_cli.layout import breaks
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

console = Console(highlight=False)


def write(text: str) -> None:
    """Print text with rich's markup. A terminal's lines fold at spaces only, so that a path or URL can be copied."""
    for line in Text.from_markup(text).split("\n", allow_blank=True):
        parts = line.divide(breaks(line.plain, console.width)) if console.is_terminal else [line]
        for part in parts:
            part.rstrip()
            console.print(part, soft_wrap=True)


@contextmanager
def step(what: str) -> Iterator[None]:
    """Show a step while it runs, and then its duration."""
    began = time.monotonic()
    with console.status(f"{what} …"):
        yield
    write(f"[green]✓[/green] {what}  [dim]{time.monotonic() - began:.1f} s[/dim]")


def progress() -> Progress:
    """A bar with counts and the elapsed time."""
    return Progress(
        SpinnerColumn(finished_text="[green]✓[/green]"),
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )
