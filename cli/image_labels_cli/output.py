"""How answers look: JSON if asked for, tables on a terminal, tab-separated lines in a pipe. Remarks go to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

# Keys and reasons may hold anything, also what moves a terminal's cursor or ends a line.
_CONTROLS = {n: f"\\x{n:02x}" for n in (*range(0x20), *range(0x7F, 0xA0))}
_CONTROLS |= {ord("\t"): "\\t", ord("\n"): "\\n", ord("\r"): "\\r"}


def prepare() -> None:
    """Let what the terminal's encoding does not have be escaped rather than raise."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def is_terminal() -> bool:
    """Whether a person reads stdout."""
    return sys.stdout.isatty()


def visible(text: str) -> str:
    """The text in one line, with control characters written as escapes."""
    return text.translate(_CONTROLS)


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
    """A line for a person on stdout."""
    Console(highlight=False).print(Text(visible(text)), soft_wrap=True)


def note(text: str) -> None:
    """A remark for a person, on stderr, where it is in no pipe's way."""
    _to_stderr(Text("\n").join(Text(visible(line)) for line in text.splitlines()))


def complain(text: str) -> None:
    """An error, on stderr; the text may have several lines."""
    lines = Text("\n").join(Text(visible(line)) for line in text.splitlines())
    _to_stderr(Text.assemble(("error:", "red"), " ", lines))


def _to_stderr(text: Text) -> None:
    Console(stderr=True, highlight=False).print(text, soft_wrap=True)
