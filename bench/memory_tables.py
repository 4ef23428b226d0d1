"""An in-memory DynamoDB with the reads that image_labels.search.finder uses, and the capacity that they consume.

Query, Scan and BatchGetItem take the parameters of the real client, read eventually consistently, and return Items,
Count, ScannedCount, LastEvaluatedKey and ConsumedCapacity. moto parses and evaluates the expressions. Rules:

    size of an item     image_labels.tables.item_size
    read units          bench.read_units
    Limit and 1 MB      apply to what is read, before the filter; reading stops at the item that reaches a limit
                        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html

A million rows as dictionaries would take gigabytes. Only their keys are kept. A row is created when it is read, by the
function that image_labels.tables.store uses. For a Scan, each photo has its `Labels` and the size of its item.

A third table, `lab`, holds what the lab stores of a photo: its key and the names of its labels.
"""

from __future__ import annotations

import statistics
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from image_labels.tables import items as attributes
from image_labels.tables.item_size import item_size
from image_labels.tables.rows import VOCABULARY, rows_of, vocabulary_row
from image_labels.tables.store import MAX_ITEM_BYTES
from image_labels.tables.terms import rank, terms_of
from moto.dynamodb.comparisons import get_filter_expression
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.parsing.key_condition_expression import parse_expression

from bench import read_units

if TYPE_CHECKING:
    from image_labels.model import Labels, Photo

Attributes = dict[str, Any]

IMAGES_TABLE, LABELS_TABLE, LAB_TABLE = "images", "labels", "lab"
MAX_BYTES = 1024 * 1024
# Placeholders of the same length as real values.
SETTINGS = "0123456789abcdef"
LABELLED_AT = "2025-01-01T12:00:00.000+00:00"
REVISION = "1735732800000000000"
_SCHEMA = [{"AttributeName": "Term", "KeyType": "HASH"}, {"AttributeName": "Rank", "KeyType": "RANGE"}]
_RANK = itemgetter(0)


class MemoryTables:
    """A fake DynamoDB client."""

    def __init__(self) -> None:
        self._photos: list[tuple[Photo, Labels]] = []
        self._by_key: dict[str, int] = {}
        # For Scan, per photo: its labels, and the sizes of its items in images and in lab.
        self._scanned: list[tuple[Attributes, dict[str, int]]] = []
        # Per term: the ranks and numbers of its photos, sorted.
        self.rows: dict[str, list[tuple[str, int]]] = defaultdict(list)
        self._vocabulary: dict[str, Attributes] = {}

    def add(self, photos: Iterable[tuple[Photo, Labels]]) -> None:
        """Store photos as image_labels.tables.store would. Tests compare the results."""
        for photo, labels in photos:
            number = len(self._photos)
            self._photos.append((photo, labels))
            self._by_key[photo.key] = number
            terms = terms_of(labels.labels)
            item = photo_item(photo, labels, len(rows_of(photo.key, terms, photo.modified)))
            few = {name: value for name, value in item.items() if name in ("PK", "Labels")}
            self._scanned.append((few, {IMAGES_TABLE: item_size(item), LAB_TABLE: item_size(few)}))
            for term in terms:
                self.rows[term.text].append((rank(term.confidence, photo.key), number))
                self._vocabulary.setdefault(term.text, vocabulary_row(term))
        for rows in self.rows.values():
            rows.sort()

    def __len__(self) -> int:
        """The number of photos."""
        return len(self._photos)

    def mean_item_bytes(self, table: str) -> float:
        """Mean size of an item in images or lab."""
        return statistics.mean(sizes[table] for _, sizes in self._scanned)

    def mean_row_bytes(self, sample: int = 1000) -> float:
        """Mean size of a row, of the first `sample` photos."""
        some = (_rows_of(photo, labels) for photo, labels in self._photos[:sample])
        return statistics.mean(item_size(row) for rows in some for row in rows.values())

    def _partition(self, term: str) -> list[tuple[str, int]]:
        return sorted((text, -1) for text in self._vocabulary) if term == VOCABULARY else self.rows.get(term, [])

    # -- the client's methods

    def query(
        self,
        *,
        TableName: str,  # noqa: N803
        KeyConditionExpression: str,  # noqa: N803
        ExpressionAttributeNames: dict[str, str],  # noqa: N803
        ExpressionAttributeValues: dict[str, Any],  # noqa: N803
        FilterExpression: str = "",  # noqa: N803
        Limit: int | None = None,  # noqa: N803
        ExclusiveStartKey: Attributes | None = None,  # noqa: N803
        ReturnConsumedCapacity: str = "NONE",  # noqa: N803
    ) -> Attributes:
        assert (TableName, ReturnConsumedCapacity) == (LABELS_TABLE, "TOTAL")
        names, values = ExpressionAttributeNames, ExpressionAttributeValues
        term, comparison, bounds, _ = parse_expression(KeyConditionExpression, values, names, _SCHEMA)
        rows = self._partition(term["S"])
        start, end = _range(rows, (comparison or "").upper(), [bound["S"] for bound in bounds])
        if ExclusiveStartKey:
            start = max(start, bisect_right(rows, ExclusiveStartKey["Rank"]["S"], key=_RANK))
        read = ((row, item_size(row)) for row in (self._row(term["S"], *rows[n]) for n in range(start, end)))
        passes = _Filter(FilterExpression, names, values) if FilterExpression else None
        return _answer(read, passes, Limit, ("Term", "Rank"))

    def scan(
        self,
        *,
        TableName: str,  # noqa: N803
        FilterExpression: str,  # noqa: N803
        ExpressionAttributeNames: dict[str, str],  # noqa: N803
        ExpressionAttributeValues: dict[str, Any],  # noqa: N803
        ProjectionExpression: str,  # noqa: N803
        ExclusiveStartKey: Attributes | None = None,  # noqa: N803
        ReturnConsumedCapacity: str = "NONE",  # noqa: N803
    ) -> Attributes:
        """Items in the order in which they were added, which is as random as the order of hashes."""
        assert (ProjectionExpression, ReturnConsumedCapacity) == ("PK, Labels", "TOTAL")
        start = self._by_key[ExclusiveStartKey["PK"]["S"]] + 1 if ExclusiveStartKey else 0
        read = ((few, sizes[TableName]) for few, sizes in (self._scanned[n] for n in range(start, len(self._scanned))))
        passes = _Filter(FilterExpression, ExpressionAttributeNames, ExpressionAttributeValues)
        return _answer(read, passes, None, ("PK",))

    def batch_get_item(self, *, RequestItems: Attributes, ReturnConsumedCapacity: str = "NONE") -> Attributes:  # noqa: N803
        """Whole items; ProjectionExpression is ignored."""
        ((table, request),) = RequestItems.items()
        assert len(request["Keys"]) <= 100
        assert ReturnConsumedCapacity == "TOTAL"
        found = [self._item(table, key) for key in request["Keys"]]
        units = read_units.of_batch(item_size(item or {}) for item in found)
        return {
            "Responses": {table: [item for item in found if item]},
            "UnprocessedKeys": {},
            "ConsumedCapacity": [{"TableName": table, "CapacityUnits": units}],
        }

    def _item(self, table: str, key: Attributes) -> Attributes | None:
        if table == IMAGES_TABLE:
            number = self._by_key.get(key["PK"]["S"])
            if number is None:
                return None
            photo, labels = self._photos[number]
            return photo_item(photo, labels, len(_rows_of(photo, labels)))
        term, wanted = key["Term"]["S"], key["Rank"]["S"]
        rows = self._partition(term)
        place = bisect_left(rows, wanted, key=_RANK)
        return self._row(term, *rows[place]) if place < len(rows) and rows[place][0] == wanted else None

    def _row(self, term: str, place: str, number: int) -> Attributes:
        if term == VOCABULARY:
            return self._vocabulary[place]
        return _rows_of(*self._photos[number])[term, place]


def _rows_of(photo: Photo, labels: Labels) -> Mapping[tuple[str, str], Attributes]:
    return rows_of(photo.key, terms_of(labels.labels), photo.modified)


def photo_item(photo: Photo, labels: Labels, rows: int) -> Attributes:
    """The item that image_labels.tables.store.Store.put writes for a photo."""
    item = attributes.photo_attributes(photo)
    item |= {
        "Settings": {"S": SETTINGS},
        "LabelledAt": {"S": LABELLED_AT},
        "Revision": {"N": REVISION},
        "Status": {"S": "LABELLED"},
        "LabelModelVersion": {"S": labels.model_version},
    }
    if names := sorted({label.name for label in labels.labels}):
        item["Labels"] = {"SS": names}
    item |= attributes.detections(labels, room=MAX_ITEM_BYTES - item_size(item))
    return item | {"Rows": {"N": str(rows)}}


def _range(rows: list[tuple[str, int]], comparison: str, bounds: list[str]) -> tuple[int, int]:
    match comparison, bounds:
        case "", []:
            return 0, len(rows)
        case "BETWEEN", [low, high]:
            return bisect_left(rows, low, key=_RANK), bisect_right(rows, high, key=_RANK)
        case "BEGINS_WITH", [begin]:
            return bisect_left(rows, begin, key=_RANK), bisect_left(rows, f"{begin}\U0010ffff", key=_RANK)
    raise AssertionError(f"not a key condition of the queries: {comparison} {bounds}")


class _Filter:
    """A FilterExpression with placeholders for all names. moto copies items, so it gets only named attributes."""

    def __init__(self, expression: str, names: Mapping[str, str], values: Mapping[str, Any]) -> None:
        self._named = frozenset(names.values())
        self._expression = get_filter_expression(expression, dict(names), dict(values))

    def __call__(self, item: Attributes) -> bool:
        looked_at = {name: self._part(value) for name, value in item.items() if name in self._named}
        return bool(self._expression.expr(Item(DynamoType({"S": ""}), None, looked_at)))

    def _part(self, value: Attributes) -> Attributes:
        return (
            {"M": {name: each for name, each in value["M"].items() if name in self._named}} if "M" in value else value
        )


def _answer(
    read: Iterator[tuple[Attributes, int]], passes: _Filter | None, limit: int | None, key: tuple[str, ...]
) -> Attributes:
    """The response to one request. `read` yields items and their sizes, and is consumed up to the request's limits."""
    items: list[Attributes] = []
    number = size = 0
    more: Attributes = {}
    for item, bytes_of_it in read:
        number += 1
        size += bytes_of_it
        if passes is None or passes(item):
            items.append(item)
        if number == limit or size >= MAX_BYTES:
            more = {"LastEvaluatedKey": {name: item[name] for name in key}}
            break
    return {
        "Items": items,
        "Count": len(items),
        "ScannedCount": number,
        "ConsumedCapacity": {"CapacityUnits": read_units.of_request(size)},
        **more,
    }
