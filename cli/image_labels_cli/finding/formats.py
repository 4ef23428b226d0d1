"""Writes the photos of a search in the formats of --output."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from image_labels.search.printable import safe, visible

from image_labels_cli import output
from image_labels_cli.invocation import UsageError
from image_labels_cli.layout import key, number

if TYPE_CHECKING:
    from image_labels_cli.finding.match import Match

COLUMNS = ("key", "bucket", "s3_uri", "confidence", "uploaded", "matched", "terms")
# Spreadsheets take a cell that starts with one of these for a formula, which can read and send other cells:
# https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - full-width forms


class Format(StrEnum):
    """The formats of --output."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    TSV = "tsv"
    PARQUET = "parquet"


class Writer(Protocol):
    """`write` is called with each page of photos, `close` after the last one with the facts about the whole search."""

    def write(self, matches: Sequence[Match]) -> None: ...

    def close(self, summary: Mapping[str, Any], /) -> None: ...


def writer_of(wanted: Format | None, *, labels_by: Callable[[], str]) -> Writer:
    """The writer of a format. None is a table on a terminal, and plain lines in a pipe.

    Raises UsageError if the format needs a package that is not installed, or cannot be written to a terminal.
    """
    match wanted:
        case Format.JSON:
            return _Json()
        case Format.JSONL:
            return _JsonLines()
        case Format.CSV:
            return _Csv()
        case Format.TSV:
            return _Tsv()
        case Format.PARQUET:
            if output.is_terminal():
                raise UsageError("--output parquet is binary: redirect it to a file, as in > photos.parquet")
            from image_labels_cli.finding.parquet import Parquet

            return Parquet(sys.stdout.buffer)
        case Format.TABLE:
            return _Table(labels_by)
        case None:
            return _Table(labels_by) if output.is_terminal() else _Lines()


class _Table:
    """For people. The widths of its columns need all rows, so it is written at the end."""

    def __init__(self, labels_by: Callable[[], str]) -> None:
        self._rows: list[tuple[str, str, str]] = []
        self._labels_by = labels_by

    def write(self, matches: Sequence[Match]) -> None:
        self._rows += [_cells(match) for match in matches]

    def close(self, _summary: Mapping[str, Any], /) -> None:
        if self._rows:
            output.write_table((key("Photo"), number("%"), "Matched"), self._rows)
            output.note_labels_by(self._labels_by())


class _Lines:
    """Tab-separated cells without a header: the key, the confidence and the terms that matched."""

    def write(self, matches: Sequence[Match]) -> None:
        for match in matches:
            terms = ", ".join(f"{term}={output.percent(confidence)}" for term, confidence in match.matched.items())
            output.write_lines([(match.key, output.percent(match.confidence), terms)])
        sys.stdout.flush()

    def close(self, _summary: Mapping[str, Any], /) -> None:
        pass


class _Json:
    """One object with the photos and the facts about the search. It is written at the end."""

    def __init__(self) -> None:
        self._photos: list[dict[str, Any]] = []

    def write(self, matches: Sequence[Match]) -> None:
        self._photos += [match.as_json() for match in matches]

    def close(self, summary: Mapping[str, Any], /) -> None:
        output.write_json({"photos": self._photos, **summary})


class _JsonLines:
    """An object for each photo, written as soon as its page is there."""

    def write(self, matches: Sequence[Match]) -> None:
        for match in matches:
            print(json.dumps(match.as_json(), ensure_ascii=output.is_ascii()))
        sys.stdout.flush()

    def close(self, _summary: Mapping[str, Any], /) -> None:
        pass


class _Csv:
    """RFC 4180 with a header. A key can have line breaks, which are inside quotes then."""

    def __init__(self) -> None:
        self._rows = csv.writer(sys.stdout, lineterminator="\n")
        self._shown = safe if output.is_terminal() else str
        self._rows.writerow(COLUMNS)

    def write(self, matches: Sequence[Match]) -> None:
        self._rows.writerows([self._shown(cell) for cell in _row(match)] for match in matches)
        sys.stdout.flush()

    def close(self, _summary: Mapping[str, Any], /) -> None:
        sys.stdout.flush()


class _Tsv:
    """Lines of tab-separated cells with a header. Cells have the escapes of plain lines, so no cell has a tab."""

    def __init__(self) -> None:
        print("\t".join(COLUMNS))

    def write(self, matches: Sequence[Match]) -> None:
        for match in matches:
            print("\t".join(map(visible, _row(match))))
        sys.stdout.flush()

    def close(self, _summary: Mapping[str, Any], /) -> None:
        pass


def _row(match: Match) -> Iterable[str]:
    """The cells of CSV and TSV. A key that a spreadsheet would take for a formula gets an apostrophe before it."""
    return (
        f"'{match.key}" if match.key.startswith(_FORMULA) else match.key,
        match.bucket,
        match.s3_uri,
        output.percent(match.confidence),
        match.uploaded,
        json.dumps(dict(match.matched), ensure_ascii=False),
        json.dumps(dict(match.terms), ensure_ascii=False),
    )


def _cells(match: Match) -> tuple[str, str, str]:
    """A row for people. A single term that matched has the photo's confidence."""
    terms = [f"{term} {output.one_decimal(confidence)}" for term, confidence in match.matched.items()]
    return (
        match.key,
        output.one_decimal(match.confidence) if match.matched else "",
        ", ".join(terms if len(terms) > 1 else match.matched),
    )
