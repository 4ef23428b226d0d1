"""What `make demo` prints: lines, steps with their duration, and progress bars."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

console = Console(highlight=False)


def write(text: str) -> None:
    """Print text with rich's markup. A terminal's lines fold at spaces only, so that a path or URL can be copied."""
    console.print(text, overflow="ignore", crop=False, soft_wrap=not console.is_terminal)


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
