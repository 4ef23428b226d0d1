"""The items of the images table, without their labels, in a temporary file."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import astuple, fields
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any

from image_labels_cli.inventory.items import PROJECTION, Items, KnownItem, date_of, known
from image_labels_cli.patience import at_once

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_NAMES = [field.name for field in fields(KnownItem)]
_BOOLEANS = [field.name for field in fields(KnownItem) if isinstance(field.default, bool)]
# Quoted, because FOREIGN is a keyword of SQL.
_COLUMNS = [f'"{name}"' for name in _NAMES]


class Table:
    """The items of one images table. A context manager: leaving it deletes the temporary file.

    `items` reads items by key, and has the cost of all reads so far. `call` makes the requests of this class. `ahead`
    is by how many seconds AWS's clock is ahead of this machine's, known after `read`.
    """

    def __init__(
        self,
        client: DynamoDBClient,
        name: str,
        *,
        call: Callable[[Callable[[], Any]], Any] = at_once,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.items = Items(client, name, sleep=sleep)
        self.ahead = 0.0
        self._client = client
        self._name = name
        self._call = call
        # An empty name is a temporary file, which the system deletes even if this process is killed. SQLite keeps 2 MB
        # of it in memory: https://www.sqlite.org/inmemorydb.html#temp_db
        self._file = sqlite3.connect("")
        self._file.execute("PRAGMA journal_mode = OFF")
        # No index, because a Scan returns keys in the order of their hashes: a million of them take 19 s with an index,
        # and 7 s if SQLite sorts them at the end.
        self._file.execute(f"CREATE TABLE items ({', '.join(_COLUMNS)})")

    def __enter__(self) -> Table:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def read(
        self,
        wanted: Callable[[str], bool],
        progress: Callable[[int], None] = lambda _read: None,
        each: Callable[[KnownItem], None] = lambda _item: None,
    ) -> datetime:
        """Read the whole table, and store the items whose keys are `wanted`. `progress` gets the number of items read.

        `each` gets all items.

        Returns AWS's time of the first answer: later writes may be missed. Raises botocore's errors.
        """
        read = 0
        started: datetime | None = None
        insert = f"INSERT INTO items VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608 - constants
        for page in self._pages():
            if started is None:
                started = date_of(page)
                self.ahead = (started - datetime.now(UTC)).total_seconds()
            self.items.count(page.get("ConsumedCapacity", {}))
            items = [known(item) for item in page["Items"]]
            read += len(items)
            for item in items:
                each(item)
            self._file.executemany(insert, (astuple(item) for item in items if wanted(item.key)))
            progress(read)
        assert started is not None  # noqa: S101 - a Scan has at least one answer
        return started

    def __iter__(self) -> Iterator[KnownItem]:
        """The stored items, ascending by the UTF-8 of their keys."""
        rows = self._file.execute(f"SELECT {', '.join(_COLUMNS)} FROM items ORDER BY key")  # noqa: S608 - constants
        for row in rows:
            values = dict(zip(_NAMES, row, strict=True))
            yield KnownItem(**values | {name: bool(values[name]) for name in _BOOLEANS})

    def existing(self, keys: Sequence[str]) -> set[str]:
        """Those of at most MAX_KEYS keys that have an item now: see Items.existing."""
        found: set[str] = self._call(lambda: self.items.existing(keys))
        return found

    def _pages(self) -> Iterator[Mapping[str, Any]]:
        request: dict[str, Any] = {"TableName": self._name, "ReturnConsumedCapacity": "TOTAL"} | PROJECTION
        while True:
            page = self._call(lambda: self._client.scan(**request))
            yield page
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]
