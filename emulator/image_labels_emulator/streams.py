"""Fixes of moto's DynamoDB streams.

moto writes an empty image where DynamoDB writes none: the old image of a new item, and the new image of a deleted one.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import wraps
from typing import Any

from moto.dynamodb.models.table import StreamRecord, StreamShard, Table

IMAGES = ("NewImage", "OldImage")


def install() -> None:
    """Patch moto in this process. Idempotent."""
    make = StreamRecord.__init__
    if hasattr(make, "__wrapped__"):
        return

    @wraps(make)
    def without_empty_images(self: StreamRecord, *args: Any, **kwargs: Any) -> None:
        make(self, *args, **kwargs)
        change = self.record["dynamodb"]
        for image in IMAGES:
            if not change.get(image, True):
                del change[image]

    StreamRecord.__init__ = without_empty_images  # type: ignore[method-assign]


def recorded(tables: Iterable[Table]) -> list[tuple[StreamShard, int]]:
    """The number of records in each stream."""
    return [(table.stream_shard, len(table.stream_shard.items)) for table in tables if table.stream_shard is not None]


def forget_later(records: Iterable[tuple[StreamShard, int]]) -> None:
    """Delete the records after these numbers: those of a transaction that failed."""
    for shard, number in records:
        del shard.items[number:]
