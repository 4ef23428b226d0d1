"""The items of the images table, without their labels, in a temporary file."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any

from image_labels.backoff import waits
from image_labels.failures import TryAgain
from image_labels.tables.items import ITEM_SCALARS, has_foreign_scalars

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
MAX_KEYS = 100
_NAMES = {f"#{n}": name for n, name in enumerate(("PK", *ITEM_SCALARS, "LabelModelVersion"))}


@dataclass(frozen=True, slots=True)
class KnownItem:
    """What an item of the images table says about the object that was labelled.

    `complete` says whether all of the photo's rows are in the labels table. `foreign` says whether another program
    wrote or changed the item, as far as its attributes other than Detections show; then the other fields are empty.
    """

    key: str
    bucket: str = ""
    etag: str = ""
    settings: str = ""
    status: str = ""
    model_version: str = ""
    complete: bool = False
    foreign: bool = False


# Quoted, because FOREIGN is a keyword of SQL.
_COLUMNS = [f'"{field.name}"' for field in fields(KnownItem)]


class Table:
    """The items of one images table. A context manager: leaving it deletes the temporary file.

    `read_units` and `requests` are the cost of the reads so far.
    """

    def __init__(self, client: DynamoDBClient, name: str, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self.read_units = 0.0
        self.requests = 0
        self._client = client
        self._name = name
        self._sleep = sleep
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

    def read(self, wanted: Callable[[str], bool], progress: Callable[[int], None] = lambda _read: None) -> datetime:
        """Read the whole table, and store the items whose keys are `wanted`. `progress` gets the number of items read.

        Returns AWS's time of the first answer: later writes may be missed. Raises botocore's errors.
        """
        read = 0
        started: datetime | None = None
        insert = f"INSERT INTO items VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608 - constants
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._name,
            ProjectionExpression=", ".join(_NAMES),
            ExpressionAttributeNames=_NAMES,
            ReturnConsumedCapacity="TOTAL",
        )
        for page in pages:
            started = started or _date(page)
            self._count(page.get("ConsumedCapacity", {}))
            items = page["Items"]
            read += len(items)
            self._file.executemany(insert, (astuple(_known(item)) for item in items if wanted(item["PK"]["S"])))
            progress(read)
        assert started is not None  # noqa: S101 - a Scan has at least one answer
        return started

    def __iter__(self) -> Iterator[KnownItem]:
        """The stored items, ascending by the UTF-8 of their keys."""
        rows = self._file.execute(f"SELECT {', '.join(_COLUMNS)} FROM items ORDER BY key")  # noqa: S608 - constants
        for key, bucket, etag, settings, status, model_version, complete, foreign in rows:
            yield KnownItem(key, bucket, etag, settings, status, model_version, bool(complete), bool(foreign))

    def existing(self, keys: Sequence[str]) -> set[str]:
        """Those of at most MAX_KEYS keys that have an item now, read consistently.

        Raises botocore's errors, or TryAgain if DynamoDB repeatedly leaves all keys unprocessed.
        """
        found: set[str] = set()
        unread: Any = [{"PK": {"S": key}} for key in keys]
        pauses = waits()
        while unread:
            request: Any = {"Keys": unread, "ProjectionExpression": "PK", "ConsistentRead": True}
            answer: Any = self._client.batch_get_item(
                RequestItems={self._name: request}, ReturnConsumedCapacity="TOTAL"
            )
            for consumed in answer.get("ConsumedCapacity", ()):
                self._count(consumed)
            found.update(item["PK"]["S"] for item in answer.get("Responses", {}).get(self._name, ()))
            left = answer.get("UnprocessedKeys", {}).get(self._name, {}).get("Keys", [])
            if len(left) == len(unread):
                wait = next(pauses, None)
                if wait is None:
                    raise TryAgain("BatchGetItem: DynamoDB throttles", throttled=True)
                self._sleep(wait)
            unread = left
        return found

    def _count(self, consumed: Mapping[str, Any]) -> None:
        self.requests += 1
        self.read_units += consumed.get("CapacityUnits", 0.0)


def _known(item: Mapping[str, Any]) -> KnownItem:
    key = item["PK"]["S"]
    if has_foreign_scalars(item):
        return KnownItem(key, foreign=True)
    return KnownItem(
        key,
        bucket=item["Bucket"]["S"],
        etag=item["ETag"]["S"],
        settings=item["Settings"]["S"],
        status=item["Status"]["S"],
        model_version=item.get("LabelModelVersion", {}).get("S", ""),
        complete="Rows" in item,
    )


def _date(answer: Mapping[str, Any]) -> datetime:
    """AWS's time of an answer, because the clock of this machine may differ from that of S3's LastModified."""
    date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
    try:
        return parsedate_to_datetime(date).astimezone(UTC)
    except ValueError:
        return datetime.now(UTC)
