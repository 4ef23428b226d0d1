"""Layout of text on a terminal: lines fold at spaces only. Keys and commands do not fold, so that they can be copied.

A terminal itself breaks a line that is too long for it. A copy of such a line has no line break.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import pairwise

from rich.cells import cell_len

# A command to the end of the line, a command in backquotes with its punctuation, or a word.
_UNIT = re.compile(r"image-labels .*|\S*`[^`]*`\S*|\S+")


class Kind(Enum):
    """What the cells of a column are."""

    TEXT = auto()  # folds at spaces
    KEY = auto()  # does not fold
    NUMBER = auto()  # does not fold, right-aligned


@dataclass(frozen=True)
class Column:
    title: str
    kind: Kind = Kind.TEXT


def key(title: str) -> Column:
    """A column of keys, which do not fold."""
    return Column(title, Kind.KEY)


def number(title: str) -> Column:
    """A column of numbers, which are right-aligned."""
    return Column(title, Kind.NUMBER)


def fold(line: str, width: int) -> list[str]:
    """The line, folded at spaces. A line that starts with spaces is an example to copy, and stays as it is."""
    starts = [0, *breaks(line, width)]
    return [line[start:end].rstrip() for start, end in pairwise([*starts, len(line)])]


def breaks(line: str, width: int) -> list[int]:
    """The positions at which the lines after the first start."""
    start, found = 0, list[int]()
    if line.startswith("  ") or cell_len(line) <= width:
        return found
    for unit in _UNIT.finditer(line):
        if cell_len(line[start : unit.end()]) > width and line[start : unit.start()].strip():
            start = unit.start()
            found.append(start)
    return found


def widths(columns: Sequence[Column], rows: Sequence[Sequence[str]], available: int) -> list[int] | None:
    """The width of each column, so that no word, key or number breaks. None if that is not possible.

    `available` is the width of the terminal without borders.
    """
    natural = [max(map(cell_len, cells)) for cells in _cells(columns, rows)]
    minimum = [
        most if column.kind is not Kind.TEXT else max(cell_len(word) for cell in cells for word in cell.split() or [""])
        for column, most, cells in zip(columns, natural, _cells(columns, rows), strict=True)
    ]
    room = available - sum(minimum)
    if room < 0:
        return None
    chosen = list(minimum)
    # The narrowest columns first: they need least, and leave the rest to the others.
    growing = sorted((n for n in range(len(columns)) if natural[n] > minimum[n]), key=lambda n: natural[n] - minimum[n])
    for position, n in enumerate(growing):
        more = min(natural[n] - minimum[n], room // (len(growing) - position))
        chosen[n] += more
        room -= more
    return chosen


def record(columns: Sequence[Column], row: Sequence[str], width: int) -> Iterator[str]:
    """A row that is too wide for a table, as lines: the first cell, and below it each other cell with its title."""
    first, *others = columns
    yield f"{first.title} {row[0]}" if first.kind is Kind.NUMBER else row[0]
    titles = max((len(column.title) for column in others), default=0)
    for column, cell in zip(others, row[1:], strict=True):
        if cell:
            head = f"  {column.title:<{titles}}  "
            first_line, *more = [cell] if column.kind is Kind.KEY else fold(cell.strip(), width - len(head))
            if cell_len(head + first_line) > width:
                yield from (head.rstrip(), first_line)
            else:
                yield head + first_line
            yield from (" " * len(head) + line for line in more)


def _cells(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[list[str]]:
    return [[column.title, *(row[n] for row in rows)] for n, column in enumerate(columns)]
