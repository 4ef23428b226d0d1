"""What moto's DynamoDB needs in order to serve several callers at a time, and to compare as DynamoDB does.

moto undoes a failed transaction by putting back a deep copy of all tables that it made before each one: that undoes
what others have written meanwhile, and its cost grows with the tables. And its conditional writes are two steps,
between which another thread may write. Here calls take turns, and only what a transaction touches is put back.

In a condition or a filter, values of different types are neither equal nor in any order: DynamoDB evaluates the
comparison to false (`<>` to true). moto raises a TypeError for a string and a number, and takes true for 1.
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

CALLS = ("get_item", "put_item", "update_item", "delete_item", "query", "scan")
COMPARISONS = (
    *("OpEqual", "OpNotEqual"),
    *("OpLessThan", "OpLessThanOrEqual", "OpGreaterThan", "OpGreaterThanOrEqual"),
)
_lock = threading.RLock()


def install() -> None:
    """Change moto's backend for this process; the second time nothing happens."""
    if hasattr(DynamoDBBackend.transact_write_items, "__wrapped__"):
        return
    for name in CALLS:
        setattr(DynamoDBBackend, name, _one_at_a_time(getattr(DynamoDBBackend, name)))
    for name in COMPARISONS:
        operator = getattr(comparisons, name)
        operator.expr = _of_one_type(operator.expr, otherwise=name == "OpNotEqual")
    transact = DynamoDBBackend.transact_write_items
    DynamoDBBackend.transact_write_items = _undoing_its_own(transact)  # type: ignore[method-assign]


def _one_at_a_time(call: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(call)
    def locked(*args: Any, **kwargs: Any) -> Any:
        with _lock:
            return call(*args, **kwargs)

    return locked


def _of_one_type(compare: Callable[[Any, Any], bool], *, otherwise: bool) -> Callable[[Any, Any], bool]:
    @wraps(compare)
    def expr(self: Any, item: Any) -> bool:
        # A number that is computed, by size(), has no type of its own.
        types = {side.get_type(item) for side in (self.lhs, self.rhs) if hasattr(side, "get_type")}
        return otherwise if len(types) > 1 else compare(self, item)

    return expr


def _undoing_its_own(transact: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(transact)
    def transact_write_items(self: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
        with _lock:
            tables = self.tables
            before = [_item(self, action) for item in transact_items for action in item.values()]
            self.tables = _NotCopied(tables)
            try:
                transact(self, transact_items)
            except Exception:
                for table, hash_key, range_key, found in before:
                    _put_back(table, hash_key, range_key, found)
                raise
            finally:
                self.tables = tables

    return transact_write_items


class _NotCopied(dict[str, Any]):
    """Tables of which moto's deep copy is themselves."""

    def __deepcopy__(self, _memo: dict[int, Any]) -> _NotCopied:
        return self


def _item(backend: DynamoDBBackend, action: dict[str, Any]) -> tuple[Any, DynamoType, DynamoType | None, Any]:
    """An item that a transaction touches, as it is before: its table, its keys, and a copy or None."""
    table = backend.get_table(action["TableName"])
    key = action.get("Key") or action["Item"]
    hash_key = DynamoType(key[table.hash_key_attr])
    range_key = DynamoType(key[table.range_key_attr]) if table.range_key_attr else None
    return table, hash_key, range_key, deepcopy(table.get_item(hash_key, range_key))


def _put_back(table: Any, hash_key: DynamoType, range_key: DynamoType | None, item: Any) -> None:
    if item is None:
        table.delete_item(hash_key, range_key)
    elif range_key:
        table.items[hash_key][range_key] = item
    else:
        table.items[hash_key] = item
