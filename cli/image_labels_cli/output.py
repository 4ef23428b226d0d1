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

from image_labels_cli.layout import Column, Kind, fold, record, widths

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


def one_decimal(confidence: float) -> str:
    """A confidence for people."""
    return f"{confidence:.1f}"


def write_json(value: object) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=is_ascii()))


def is_ascii() -> bool:
    """Whether JSON must escape characters beyond ASCII, because the output has another encoding than UTF-8."""
    return (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"


def write_lines(rows: Iterable[Sequence[str]]) -> None:
    """Write each row as soon as the iterator returns it."""
    for row in rows:
        print("\t".join(visible(cell) for cell in row))


def write_table(columns: Sequence[str | Column], rows: Iterable[Sequence[str]], *, title: str | None = None) -> None:
    """Write a table that never truncates a cell, and folds none inside a word, a key or a number.

    If the terminal is too narrow for that, write the rows one below the other, each cell on lines of its own.
    """
    console = Console(highlight=False)
    described = [Column(column) if isinstance(column, str) else column for column in columns]
    cells = [[visible(cell) for cell in row] for row in rows]
    found = widths(described, cells, console.width - 3 * len(described) - 1)
    if found is None:
        if title is not None:
            write_text(f"{title}:")
        for row in cells:
            for line in record(described, row, console.width):
                _print(console, Text(line))
        return
    table = Table(title=None if title is None else Text(visible(title)), title_justify="left")
    for column, width in zip(described, found, strict=True):
        is_number = column.kind is Kind.NUMBER
        table.add_column(column.title, width=width, justify="right" if is_number else "left", overflow="fold")
    for row in cells:
        table.add_row(*map(Text, row))
    console.print(table)


def write_text(text: str) -> None:
    """Write one line to stdout, folded at spaces. The caller passes text from the tables through `visible`."""
    console = Console(highlight=False)
    _print(console, _folded(text, console))


def write_fact(name: str, value: str) -> None:
    """Write a name and a value, which does not fold, to stdout."""
    _print(Console(highlight=False), Text(f"{name:<20} {visible(value)}"))


def note(text: str) -> None:
    """Write text of one or more lines to stderr, which keeps it out of pipes."""
    console = Console(stderr=True, highlight=False)
    _print(console, _folded(text, console))


def note_each(notes: Iterable[object]) -> None:
    """Write each note as `note` does."""
    for each in notes:
        note(str(each))


def note_labels_by(line: str) -> None:
    """Write where the labels come from to stderr, dim. Nothing for AWS, where the line is empty."""
    if line:
        console = Console(stderr=True, highlight=False)
        text = _folded(line, console)
        text.stylize("dim")
        _print(console, text)


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
    console = Console(stderr=True, highlight=False)
    message = _folded(f"error: {text}", console)
    message.stylize("red", 0, len("error:"))
    _print(console, message)


def _folded(text: str, console: Console) -> Text:
    """The lines of the text, folded at spaces on a terminal. In a pipe, the reader folds them."""
    lines = [safe(line) for line in text.split("\n")]
    if console.is_terminal:
        lines = [folded for line in lines for folded in fold(line, console.width)]
    return Text("\n").join(map(Text, lines))


def _print(console: Console, text: Text) -> None:
    console.print(text, soft_wrap=True)
