"""Fixes of moto's DynamoDB: concurrent callers, comparisons of different types, and the time of reads.

Before each transaction moto makes a deep copy of all tables, and restores it if the transaction fails. That reverts the
concurrent writes of other callers, and its cost grows with the tables. Conditional writes in moto are not atomic. Here
calls are serialized, and a failed transaction restores only the items that it touches, and leaves no stream records.

In a condition or filter, DynamoDB evaluates a comparison of different types to false (`<>` to true). moto raises
TypeError for a string and a number, and treats true as 1.

To read an item, moto copies each list or map once per level that encloses it, and the whole item once per attribute
that a projection names. For an item with hundreds of labels that takes half a second. Here each value is copied once.
For each Query, moto sorts all items of the table. Here it reads only the items with the Query's partition key.
"""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Callable
from copy import deepcopy
from functools import wraps
from inspect import signature
from typing import Any

from moto.dynamodb import comparisons
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.table import Table
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
    DynamoType.to_regular_json = _to_regular_json  # type: ignore[method-assign]
    DynamoType.__deepcopy__ = _copy_of_value  # type: ignore[attr-defined]
    Item.__deepcopy__ = _copy_of_item  # type: ignore[attr-defined]
    Item.project = _of_named_attributes(Item.project)  # type: ignore[assignment,method-assign]
    Table.query = _of_one_partition(Table.query)  # type: ignore[method-assign]
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


def _to_regular_json(self: DynamoType) -> dict[str, Any]:
    """The value in DynamoDB's JSON, which shares no list or map with the table."""
    value = self.value
    if isinstance(value, dict):
        value = {name: each.to_regular_json() for name, each in value.items()}
    elif isinstance(value, list):
        value = [each.to_regular_json() if isinstance(each, DynamoType) else each for each in value]
    elif self.is_binary():
        value = base64.b64decode(value)
    return {self.type: value}


def _copy_of_value(self: DynamoType, memo: dict[int, Any]) -> DynamoType:
    copied = object.__new__(DynamoType)
    copied.type, copied.value = self.type, self.value
    if isinstance(self.value, dict):
        copied.value = {name: deepcopy(each, memo) for name, each in self.value.items()}
    elif isinstance(self.value, list):
        copied.value = [deepcopy(each, memo) for each in self.value]
    return copied


def _copy_of_item(self: Item, memo: dict[int, Any]) -> Item:
    return _with_attributes(self, {name: _copy_of_value(value, memo) for name, value in self.attrs.items()})


def _with_attributes(item: Item, attributes: dict[str, DynamoType]) -> Item:
    """An item with the same keys, which moto does not keep in its list of all items."""
    made: Item = object.__new__(Item)
    made.hash_key, made.range_key = item.hash_key, item.range_key
    made.attrs = LimitedSizeDict(attributes)
    return made


def _of_named_attributes(project: Callable[[Item, list[list[str]]], Item]) -> Callable[[Item, list[list[str]]], Item]:
    @wraps(project)
    def project_named(self: Item, paths: list[list[str]]) -> Item:
        # The path of Labels[0].Name is ["Labels[0]", "Name"]. A name itself may end with an index.
        names = {name for path in paths for name in (path[0], re.sub(r"\[\d+\]$", "", path[0]))}
        named = {name: value for name, value in self.attrs.items() if name in names}
        return project(_with_attributes(self, named), paths)

    return project_named


def _of_one_partition(query: Callable[..., Any]) -> Callable[..., Any]:
    parameters = signature(query)

    @wraps(query)
    def query_partition(self: Table, hash_key: DynamoType, *args: Any, **kwargs: Any) -> Any:
        if parameters.bind(self, hash_key, *args, **kwargs).arguments.get("index_name") is None:
            found = self.items.get(hash_key, {})
            items = list(found.values()) if self.range_key_attr else [found] if found else []
            vars(self)["all_items"] = lambda: items  # hides the method
        try:
            return query(self, hash_key, *args, **kwargs)
        finally:
            vars(self).pop("all_items", None)

    return query_partition


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
