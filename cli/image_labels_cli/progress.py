"""Progress on stderr, if that is a terminal: a bar, or a count if the total is unknown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Bar:
    """The progress of one activity. A method that changes the count shows the activity again."""

    def __init__(self, progress: Progress, task: TaskID, activity: str) -> None:
        self._progress = progress
        self._task = task
        self._activity = activity
        self._said = ""

    def advance(self, count: int) -> None:
        self._progress.update(self._task, advance=count, description=self._activity)

    def set(self, completed: int) -> None:
        self._progress.update(self._task, completed=completed, description=self._activity)

    def say(self, text: str) -> None:
        """Show another text instead of the activity, such as what it waits for. A new text is shown at once."""
        self._progress.update(self._task, description=text, refresh=text != self._said)
        self._said = text

    def wait(self, waiting: int) -> None:
        """Show why nothing is sent: so many messages are in the queue of photos."""
        self.say(f"waiting photos: {waiting:,}")


@contextmanager
def line() -> Iterator[Callable[[str], None]]:
    """A line on stdout that each call replaces, until the end of the block, which removes it. For terminals."""
    from rich.live import Live  # its import would slow down the commands that show no progress
    from rich.text import Text

    with Live(console=Console(highlight=False), auto_refresh=False, transient=True) as live:
        yield lambda text: live.update(Text(text), refresh=True)


@contextmanager
def bar(activity: str, total: int | None = None) -> Iterator[Bar]:
    """A bar with count, rate and remaining time, or a count and the elapsed time, until the end of the block."""
    from rich import progress as rich_progress  # its import would slow down the commands that show no progress

    class Count(rich_progress.ProgressColumn):
        def render(self, task: rich_progress.Task) -> str:
            return f"{task.completed:,.0f}" if task.total is None else f"{task.completed:,.0f}/{task.total:,.0f}"

    class Rate(rich_progress.ProgressColumn):
        def render(self, task: rich_progress.Task) -> str:
            return f"{task.speed or 0:,.0f}/s"

    columns: tuple[rich_progress.ProgressColumn, ...] = (
        (Count(), rich_progress.TimeElapsedColumn())
        if total is None
        else (rich_progress.BarColumn(bar_width=None), Count(), Rate(), rich_progress.TimeRemainingColumn())
    )
    console = Console(stderr=True, highlight=False)
    shown = rich_progress.Progress(
        rich_progress.TextColumn("{task.description}", markup=False),
        *columns,
        console=console,
        disable=not console.is_interactive,
        transient=True,
        expand=total is not None,
    )
    with shown:
        yield Bar(shown, shown.add_task(activity, total=total), activity)
