"""How answers look: JSON if asked for, tables on a terminal, tab-separated lines in a pipe. Remarks go to stderr.

Keys and reasons may hold anything, also what moves a terminal's cursor, ends a line or reorders it. Tables and lines
write that as escapes, and a backslash as two, so that a line is a photo and its key can be told. JSON has every text as
it is.
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

# So many of what was skipped are named.
MAX_NAMED = 3


def prepare() -> None:
    """Let what the terminal's encoding does not have be escaped rather than raise."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def is_terminal() -> bool:
    """Whether a person reads stdout."""
    return sys.stdout.isatty()


def percent(confidence: float) -> str:
    """A confidence as the table keeps it, to three digits, without zeros at the end."""
    return f"{round(confidence, 3):g}"


def write_json(value: object) -> None:
    """One JSON document on stdout."""
    ascii_only = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    print(json.dumps(value, indent=2, ensure_ascii=ascii_only))


def write_lines(rows: Iterable[Sequence[str]]) -> None:
    """A line for each row, as soon as it is there."""
    for row in rows:
        print("\t".join(visible(cell) for cell in row))


def write_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, title: str | None = None) -> None:
    """A table in which long cells are folded and never cut."""
    table = Table(title=None if title is None else Text(visible(title)), title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(visible(cell)) for cell in row))
    Console(highlight=False).print(table)


def write_text(text: str) -> None:
    """A line for a person on stdout. Texts of the tables' in it have to be `visible`."""
    Console(highlight=False).print(Text(safe(text)), soft_wrap=True)


def note(text: str) -> None:
    """A remark for a person, on stderr, where it is in no pipe's way. The text may have several lines."""
    _to_stderr(_lines(text))


def note_skipped(skipped: Collection[Skipped]) -> None:
    """Say on stderr what could not be read, if anything."""
    if not skipped:
        return
    named = [f"  {each.table}: {' '.join(map(visible, each.key))}" for each in sorted(skipped)[:MAX_NAMED]]
    if more := len(skipped) - len(named):
        named.append(f"  and {more:,} more")
    one = len(skipped) == 1
    note(
        f"{len(skipped):,} {'entry was' if one else 'entries were'} skipped: another program wrote "
        f"{'it' if one else 'them'}, or somebody changed {'it' if one else 'them'}\n" + "\n".join(named)
    )


def skipped_as_json(skipped: Collection[Skipped]) -> list[dict[str, Any]]:
    """What could not be read, with the parts of its key in the order of the table's."""
    return [{"table": each.table, "key": list(each.key)} for each in sorted(skipped)]


def complain(text: str) -> None:
    """An error, on stderr; the text may have several lines."""
    _to_stderr(Text.assemble(("error:", "red"), " ", _lines(text)))


def _lines(text: str) -> Text:
    return Text("\n").join(Text(safe(line)) for line in text.split("\n"))


def _to_stderr(text: Text) -> None:
    Console(stderr=True, highlight=False).print(text, soft_wrap=True)
