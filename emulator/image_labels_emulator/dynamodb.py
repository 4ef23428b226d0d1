"""Fixes of moto's DynamoDB: concurrent callers, and comparisons of different types.

Before each transaction moto makes a deep copy of all tables, and restores it if the transaction fails. That reverts the
concurrent writes of other callers, and its cost grows with the tables. Conditional writes in moto are not atomic. Here
calls are serialized, and a failed transaction restores only the items that it touches, and leaves no stream records.

In a condition or filter, DynamoDB evaluates a comparison of different types to false (`<>` to true). moto raises
TypeError for a string and a number, and treats true as 1.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from copy import deepcopy
from functools import wraps
from typing import Any

from moto.dynamodb import comparisons
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodbstreams.models import DynamoDBStreamsBackend

from image_labels_emulator import streams

CALLS = ("get_item", "put_item", "update_item", "delete_item", "query", "scan")
COMPARISONS = (
    *("OpEqual", "OpNotEqual"),
    *("OpLessThan", "OpLessThanOrEqual", "OpGreaterThan", "OpGreaterThanOrEqual"),
)
_lock = threading.RLock()


def install() -> None:
    """Patch moto's backend in this process. Idempotent."""
    if hasattr(DynamoDBBackend.transact_write_items, "__wrapped__"):
        return
    for name in CALLS:
        setattr(DynamoDBBackend, name, _serialized(getattr(DynamoDBBackend, name)))
    # A reader of a stream must not see the writes of a transaction that is not complete.
    DynamoDBStreamsBackend.get_records = _serialized(DynamoDBStreamsBackend.get_records)  # type: ignore[method-assign]
    streams.install()
    for name in COMPARISONS:
        operator = getattr(comparisons, name)
        operator.expr = _same_type_only(operator.expr, otherwise=name == "OpNotEqual")
    transact = DynamoDBBackend.transact_write_items
    DynamoDBBackend.transact_write_items = _with_own_rollback(transact)  # type: ignore[method-assign]


def _serialized(call: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(call)
    def locked(*args: Any, **kwargs: Any) -> Any:
        with _lock:
            return call(*args, **kwargs)

    return locked


def _same_type_only(compare: Callable[[Any, Any], bool], *, otherwise: bool) -> Callable[[Any, Any], bool]:
    @wraps(compare)
    def expr(self: Any, item: Any) -> bool:
        # The result of size() has no type.
        types = {side.get_type(item) for side in (self.lhs, self.rhs) if hasattr(side, "get_type")}
        return otherwise if len(types) > 1 else compare(self, item)

    return expr


def _with_own_rollback(transact: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(transact)
    def transact_write_items(self: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
        with _lock:
            tables = self.tables
            before = [_item(self, action) for item in transact_items for action in item.values()]
            records = streams.recorded(tables.values())
            self.tables = _UncopiedTables(tables)
            try:
                transact(self, transact_items)
            except Exception:
                for table, hash_key, range_key, found in before:
                    _restore(table, hash_key, range_key, found)
                streams.forget_later(records)
                raise
            finally:
                self.tables = tables

    return transact_write_items


class _UncopiedTables(dict[str, Any]):
    """Tables that moto's deep copy does not copy."""

    def __deepcopy__(self, _memo: dict[int, Any]) -> _UncopiedTables:
        return self


def _item(backend: DynamoDBBackend, action: dict[str, Any]) -> tuple[Any, DynamoType, DynamoType | None, Any]:
    """The table, the keys and a copy (or None) of an item, before a transaction changes it."""
    table = backend.get_table(action["TableName"])
    key = action.get("Key") or action["Item"]
    hash_key = DynamoType(key[table.hash_key_attr])
    range_key = DynamoType(key[table.range_key_attr]) if table.range_key_attr else None
    return table, hash_key, range_key, deepcopy(table.get_item(hash_key, range_key))


def _restore(table: Any, hash_key: DynamoType, range_key: DynamoType | None, item: Any) -> None:
    if item is None:
        table.delete_item(hash_key, range_key)
    elif range_key:
        table.items[hash_key][range_key] = item
    else:
        table.items[hash_key] = item
