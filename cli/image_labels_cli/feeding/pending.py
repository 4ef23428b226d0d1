"""The photos that were sent and are not done yet, in a temporary file: weeks of waiting photos may be among them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from types import TracebackType

from image_labels_cli.feeding.selection import Photo

# Seconds. The function takes at least about a second, and most photos wait in the queue for several. A photo is asked
# for again after ASK_AGAIN of its age: about five times until it is done, and once a minute if it fails and is retried.
FIRST_ASK = 2.0
ASK_AGAIN = 0.4
MAX_ASK = 60.0


@dataclass(frozen=True, slots=True)
class Sent:
    """A photo that was sent at `at`, a reading of the clock."""

    number: int
    photo: Photo
    at: float


class Pending:
    """Photos that were sent. A context manager: leaving it deletes the temporary file. `len` counts them."""

    def __init__(self) -> None:
        self._length = 0
        self._file = sqlite3.connect("")
        self._file.execute("PRAGMA journal_mode = OFF")
        self._file.execute(
            "CREATE TABLE sent (number INTEGER PRIMARY KEY, key, etag, revision, again, at REAL, ask_at REAL)"
        )
        self._file.execute("CREATE INDEX by_time ON sent (ask_at)")
        self._file.execute("CREATE INDEX by_key ON sent (key)")

    def __enter__(self) -> Pending:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def __len__(self) -> int:
        return self._length

    def add(self, photos: Sequence[Photo], at: float) -> None:
        rows = [(*astuple(photo), at, at + FIRST_ASK) for photo in photos]
        self._file.executemany(
            "INSERT INTO sent (key, etag, revision, again, at, ask_at) VALUES (?, ?, ?, ?, ?, ?)", rows
        )
        self._length += len(photos)

    def due(self, now: float, most: int) -> list[Sent]:
        """Up to `most` photos to ask for now, those first that have waited longest for it."""
        return self._select("WHERE ask_at <= ? ORDER BY ask_at LIMIT ?", (now, most))

    def ask_later(self, sent: Iterable[Sent], now: float) -> None:
        rows = [(now + min(MAX_ASK, max(1.0, ASK_AGAIN * (now - each.at))), each.number) for each in sent]
        self._file.executemany("UPDATE sent SET ask_at = ? WHERE number = ?", rows)

    def older(self, at: float, after: int, most: int) -> list[Sent]:
        """Up to `most` photos that were sent before `at`, with numbers above `after`, by number."""
        return self._select("WHERE at < ? AND number > ? ORDER BY number LIMIT ?", (at, after, most))

    def find(self, key: str) -> list[Sent]:
        return self._select("WHERE key = ?", (key,))

    def done(self, sent: Sequence[Sent]) -> None:
        self._file.executemany("DELETE FROM sent WHERE number = ?", [(each.number,) for each in sent])
        self._length -= len(sent)

    def _select(self, where: str, values: tuple[object, ...]) -> list[Sent]:
        rows = self._file.execute(
            f"SELECT number, key, etag, revision, again, at FROM sent {where}",  # noqa: S608 - constants
            values,
        )
        return [Sent(number, Photo(*photo), at) for number, *photo, at in rows]
