"""The photos to send, in a temporary file, in the order in which they were chosen."""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING

from image_labels.calls import MAX_BYTES

if TYPE_CHECKING:
    from image_labels_cli.inventory.comparison import Compared
    from image_labels_cli.inventory.items import KnownItem
    from image_labels_cli.inventory.target import Target

_BUFFERED = 1000
# The revision of an item that another program wrote or changed, which has none.
FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Photo:
    """A key to send, as it was when it was chosen.

    `etag` is that of the object, "" if there is none or it is not known. `revision` is that of the item, FOREIGN for an
    item of another program, and "" if there is none. Labels from before the time `labelled_before` are to be replaced.
    """

    key: str
    etag: str
    revision: str
    labelled_before: str = ""


class Selection:
    """The photos to send, at most `limit`. A context manager: leaving it deletes the temporary file.

    `reasons` counts all keys that were offered, the others those that were taken. The function rejects an object of
    more than 15 MB without a call, and `from_answer` are photos whose stored answer has all that is wanted. `calls` are
    the calls of Rekognition for the photos that are sent to it.
    """

    def __init__(self, limit: int | None = None) -> None:
        self.reasons: Counter[str] = Counter()
        self.taken = 0
        self.sent_to_rekognition = 0
        self.calls = 0
        self.too_large = 0
        self.without_object = 0
        self.from_answer = 0
        self._limit = limit
        self._last = 0  # the number of the last photo that `next` has returned
        self._buffer: list[tuple[str, str, str, str]] = []
        # As in image_labels_cli.inventory.table.
        self._file = sqlite3.connect("")
        self._file.execute("PRAGMA journal_mode = OFF")
        self._file.execute("CREATE TABLE photos (number INTEGER PRIMARY KEY, key, etag, revision, again)")

    def __enter__(self) -> Selection:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def offered(self) -> int:
        return self.reasons.total()

    def offer(self, compared: Compared, target: Target) -> None:
        """Count a key in which bucket and table differ, and take it unless the limit is reached."""
        found, item = compared.object, compared.item
        if not self._take(Photo(compared.key, found.etag if found else "", revision_of(item)), str(compared.state)):
            return
        if found is None:
            self.without_object += 1
        elif found.size > MAX_BYTES:
            self.too_large += 1
        else:
            self._count(target.calls(item if item is not None and item.etag == found.etag else None))

    def offer_item(self, item: KnownItem, target: Target, reason: str, labelled_before: str = "") -> None:
        """Count a photo that has an item, and take it unless the limit is reached."""
        photo = Photo(item.key, item.etag, revision_of(item), labelled_before)
        if not self._take(photo, reason):
            return
        self._count(target.calls_per_photo if labelled_before else target.calls(item))

    def _count(self, calls: int) -> None:
        self.calls += calls
        if calls:
            self.sent_to_rekognition += 1
        else:
            self.from_answer += 1

    def _take(self, photo: Photo, reason: str) -> bool:
        self.reasons[reason] += 1
        if self._limit is not None and self.taken >= self._limit:
            return False
        self.taken += 1
        self._buffer.append((photo.key, photo.etag, photo.revision, photo.labelled_before))
        if len(self._buffer) >= _BUFFERED:
            self._flush()
        return True

    def next(self, most: int) -> list[Photo]:
        """Up to `most` photos that were not returned before; none at the end."""
        self._flush()
        rows = self._file.execute(
            "SELECT number, key, etag, revision, again FROM photos WHERE number > ? ORDER BY number LIMIT ?",
            (self._last, most),
        ).fetchall()
        if rows:
            self._last = rows[-1][0]
        return [Photo(*values) for _, *values in rows]

    def _flush(self) -> None:
        self._file.executemany("INSERT INTO photos (key, etag, revision, again) VALUES (?, ?, ?, ?)", self._buffer)
        self._buffer.clear()


def revision_of(item: KnownItem | None) -> str:
    """The revision of a Photo with this item."""
    return "" if item is None else item.revision or FOREIGN
