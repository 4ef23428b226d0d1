"""Output: JSON on request, tables on a terminal, tab-separated lines in a pipe. Notes and errors go to stderr.

Keys and reasons may contain any character, such as newlines, terminal controls and bidirectional marks. Tables and
lines escape these characters, and a backslash as two, so that each line is one photo with an unambiguous key. JSON has
every text unchanged.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from image_labels.search.printable import safe, visible
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from image_labels.search.reads import Skipped

# The number of skipped items that the note lists.
MAX_LISTED = 3


def prepare() -> None:
    """Escape characters that the terminal's encoding does not have, instead of raising UnicodeEncodeError."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def is_terminal() -> bool:
    return sys.stdout.isatty()


def percent(confidence: float) -> str:
    """A confidence with up to three decimals, as the table has it, without trailing zeros."""
    return f"{round(confidence, 3):g}"


def write_json(value: object) -> None:
    ascii_only = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    print(json.dumps(value, indent=2, ensure_ascii=ascii_only))


def write_lines(rows: Iterable[Sequence[str]]) -> None:
    """Write each row as soon as the iterator returns it."""
    for row in rows:
        print("\t".join(visible(cell) for cell in row))


def write_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, title: str | None = None) -> None:
    """Write a table that folds long cells and never truncates them."""
    table = Table(title=None if title is None else Text(visible(title)), title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(visible(cell)) for cell in row))
    Console(highlight=False).print(table)


def write_text(text: str) -> None:
    """Write one line to stdout. The caller passes text from the tables through `visible`."""
    Console(highlight=False).print(Text(safe(text)), soft_wrap=True)


def note(text: str) -> None:
    """Write text of one or more lines to stderr, which keeps it out of pipes."""
    _to_stderr(_lines(text))


def note_labels_by(line: str) -> None:
    """Write where the labels come from to stderr, dim and folded at words. Nothing for AWS, where the line is empty."""
    if line:
        console = Console(stderr=True, highlight=False)
        console.print(Text(safe(line), style="dim"), soft_wrap=not console.is_terminal)


def note_skipped(skipped: Collection[Skipped]) -> None:
    """Write the keys of unreadable items to stderr."""
    if not skipped:
        return
    lines = [f"  {each.table}: {' '.join(map(visible, each.key))}" for each in sorted(skipped)[:MAX_LISTED]]
    if more := len(skipped) - len(lines):
        lines.append(f"  and {more:,} more")
    what, pronoun = ("entry", "it") if len(skipped) == 1 else ("entries", "them")
    note(f"skipped {len(skipped):,} {what}: another program wrote or changed {pronoun}\n" + "\n".join(lines))


def skipped_as_json(skipped: Collection[Skipped]) -> list[dict[str, Any]]:
    """The keys of unreadable items, with the partition key first."""
    return [{"table": each.table, "key": list(each.key)} for each in sorted(skipped)]


def print_error(text: str) -> None:
    """Write an error of one or more lines to stderr."""
    _to_stderr(Text.assemble(("error:", "red"), " ", _lines(text)))


def _lines(text: str) -> Text:
    return Text("\n").join(Text(safe(line)) for line in text.split("\n"))


def _to_stderr(text: Text) -> None:
    Console(stderr=True, highlight=False).print(text, soft_wrap=True)
