"""The photos to send, in a temporary file, in the order in which they were chosen."""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING

from image_labels.rekognition import MAX_BYTES

if TYPE_CHECKING:
    from image_labels_cli.inventory.comparison import Compared

_BUFFERED = 1000
# The revision of an item that another program wrote or changed, which has none.
FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Photo:
    """A key to send, as it was when it was chosen.

    `etag` is that of the object, "" if there is none. `revision` is that of the item, FOREIGN for an item of another
    program, and "" if there is none.
    """

    key: str
    etag: str
    revision: str


class Selection:
    """The photos to send, at most `limit`. A context manager: leaving it deletes the temporary file.

    `reasons` counts all keys that were offered, and `sent_to_rekognition`, `too_large` and `without_object` those that
    were taken. The function rejects an object of more than 15 MB without a call.
    """

    def __init__(self, limit: int | None = None) -> None:
        self.reasons: Counter[str] = Counter()
        self.taken = 0
        self.sent_to_rekognition = 0
        self.too_large = 0
        self.without_object = 0
        self._limit = limit
        self._last = 0  # the number of the last photo that `next` has returned
        self._buffer: list[tuple[str, str, str]] = []
        # As in image_labels_cli.inventory.table.
        self._file = sqlite3.connect("")
        self._file.execute("PRAGMA journal_mode = OFF")
        self._file.execute("CREATE TABLE photos (number INTEGER PRIMARY KEY, key, etag, revision)")

    def __enter__(self) -> Selection:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def offered(self) -> int:
        return self.reasons.total()

    def offer(self, compared: Compared) -> None:
        """Count a key, and take it unless the limit is reached."""
        self.reasons[str(compared.state)] += 1
        if self._limit is not None and self.taken >= self._limit:
            return
        self.taken += 1
        found, item = compared.object, compared.item
        if found is None:
            self.without_object += 1
        elif found.size > MAX_BYTES:
            self.too_large += 1
        else:
            self.sent_to_rekognition += 1
        revision = "" if item is None else item.revision or FOREIGN
        self._buffer.append((compared.key, found.etag if found else "", revision))
        if len(self._buffer) >= _BUFFERED:
            self._flush()

    def next(self, most: int) -> list[Photo]:
        """Up to `most` photos that were not returned before; none at the end."""
        self._flush()
        rows = self._file.execute(
            "SELECT number, key, etag, revision FROM photos WHERE number > ? ORDER BY number LIMIT ?",
            (self._last, most),
        ).fetchall()
        if rows:
            self._last = rows[-1][0]
        return [Photo(key, etag, revision) for _, key, etag, revision in rows]

    def _flush(self) -> None:
        self._file.executemany("INSERT INTO photos (key, etag, revision) VALUES (?, ?, ?)", self._buffer)
        self._buffer.clear()
