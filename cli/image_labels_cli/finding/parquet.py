"""Writes photos as Apache Parquet. It needs pyarrow, the extra `parquet` of this package, and is imported only then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, BinaryIO

from image_labels_cli.invocation import UsageError

if TYPE_CHECKING:
    from image_labels_cli.finding.match import Match

try:
    import pyarrow
    from pyarrow.parquet import ParquetWriter
except ImportError as error:
    raise UsageError(
        "--output parquet needs pyarrow, which is not installed: run pip install pyarrow, or install the command with "
        "pip install '.[parquet]'"
    ) from error

ROWS = 10_000  # of a row group, which is in memory until it is written

_TERMS = pyarrow.map_(pyarrow.string(), pyarrow.float64())
SCHEMA = pyarrow.schema(
    [
        ("key", pyarrow.string()),
        ("bucket", pyarrow.string()),
        ("s3_uri", pyarrow.string()),
        ("confidence", pyarrow.float64()),
        ("uploaded", pyarrow.timestamp("ms", tz="UTC")),
        ("matched", _TERMS),
        ("terms", _TERMS),
    ]
)


class Parquet:
    """A file with the columns of the other machine formats. `uploaded` is a timestamp, the terms are maps."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._writer = ParquetWriter(stream, SCHEMA)
        self._rows: list[dict[str, Any]] = []

    def write(self, matches: Sequence[Match]) -> None:
        self._rows += map(_row, matches)
        if len(self._rows) >= ROWS:
            self._write()

    def close(self, _summary: Mapping[str, Any], /) -> None:
        self._write()
        self._writer.close()
        self._stream.flush()

    def _write(self) -> None:
        if self._rows:
            self._writer.write_table(pyarrow.Table.from_pylist(self._rows, SCHEMA))
        self._rows = []


def _row(match: Match) -> dict[str, Any]:
    return match.as_json() | {
        "uploaded": datetime.fromisoformat(match.uploaded) if match.uploaded else None,
        "matched": list(match.matched.items()),
        "terms": list(match.terms.items()),
    }
