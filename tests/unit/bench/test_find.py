"""`make bench-find`: computation of read units, and the in-memory DynamoDB, whose answers equal moto's."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, cast

import pytest
from image_labels.model import Label, Labels, Photo
from image_labels.search.expression import parse
from image_labels.search.finder import Finder
from image_labels.tables.item_size import item_size
from image_labels.tables.store import Store
from image_labels.tables.terms import rank
from support.fakes import LABELS_TABLE as MOTO_LABELS
from support.fakes import TABLE as MOTO_IMAGES

from bench import read_units
from bench.collection import Collection
from bench.memory_tables import IMAGES_TABLE, LAB_TABLE, LABELS_TABLE, MAX_BYTES, SETTINGS, MemoryTables

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KB = 1024


@pytest.mark.parametrize(
    ("size", "consistent", "eventually"),
    [
        (3_500, 1, 0.5),  # "reading a 3,500-byte item consumes the same throughput as reading a 4 KB item"
        (4 * KB, 1, 0.5),
        (4 * KB + 1, 2, 1),
        (
            8 * KB,
            2,
            1,
        ),  # "if your item size is 8 KB, you require 2 read units …, 1 if you choose eventually consistent"
        (10 * KB, 3, 1.5),  # "if you read an item of 10 KB, DynamoDB rounds the item size to 12 KB"
        (round(40.8 * KB), 11, 5.5),  # "10 items whose combined size is 40.8 KB. DynamoDB rounds the size … to 44 KB"
        (1500 * 64, 24, 12),  # "If a query returns 1500 items of 64 bytes each, the cumulative size is 96 KB"
        (0, 1, 0.5),  # a missing item consumes read throughput, too
    ],
)
def test_worked_examples_of_the_documentation(size: int, consistent: float, eventually: float) -> None:
    assert read_units.of_request(size, consistent=True) == consistent
    assert read_units.of_request(size) == eventually


def test_batch_rounds_each_item() -> None:
    """ "a 1.5 KB item and a 6.5 KB item: 12 KB (4 KB + 8 KB), not 8 KB"."""
    assert read_units.of_batch([KB * 3 // 2, KB * 13 // 2], consistent=True) == 3
    assert read_units.of_batch([KB * 3 // 2, KB * 13 // 2]) == 1.5
    assert read_units.of_batch([KB, 0]) == 1


def photo(number: int, *labels: Label) -> tuple[Photo, Labels]:
    return Photo("photos", f"{number:04}.jpg", "e", None, 1), Labels(labels, "3.0")


def query(tables: MemoryTables, **more: Any) -> dict[str, Any]:
    return tables.query(
        **{
            "TableName": LABELS_TABLE,
            "KeyConditionExpression": "#term = :term",
            "ExpressionAttributeNames": {"#term": "Term"},
            "ExpressionAttributeValues": {":term": {"S": "dog"}},
            "ReturnConsumedCapacity": "TOTAL",
            **more,
        }
    )


def test_read_units_of_a_query_counted_by_hand() -> None:
    tables = MemoryTables()
    tables.add(photo(n, Label("Dog", 95.5)) for n in range(1000))
    # Names and values: Term 4 + "dog" 3, Rank 4 + "004500#0000.jpg" 15, PK 2 + "0000.jpg" 8, Name 4 + "Dog" 3,
    # Kind 4 + "label" 5, Confidence 10 + 95.5 (two bytes of digits and one), Terms 5 + 3 + 1 + "dog" 3 + 95.5 3.
    row = 7 + 19 + 10 + 7 + 9 + 13 + 15
    assert [item_size(row) for row in query(tables, Limit=1)["Items"]] == [row]
    answer = query(tables, Limit=102)
    assert (answer["Count"], answer["ScannedCount"]) == (102, 102)
    assert answer["ConsumedCapacity"]["CapacityUnits"] == 1  # 8,160 bytes: two blocks of 4 KB, eventually consistent
    assert query(tables, Limit=103)["ConsumedCapacity"]["CapacityUnits"] == 1.5  # 8,240 bytes
    last = answer["LastEvaluatedKey"]
    assert last == {"Term": {"S": "dog"}, "Rank": {"S": "004500#0101.jpg"}}
    assert query(tables, Limit=1, ExclusiveStartKey=last)["Items"][0]["PK"] == {"S": "0102.jpg"}
    everything = query(tables)
    assert everything["ScannedCount"] == 1000
    assert everything["ConsumedCapacity"]["CapacityUnits"] == 10  # 80,000 bytes: 20 blocks
    assert "LastEvaluatedKey" not in everything


def test_filtered_rows_and_empty_reads_are_billed() -> None:
    tables = MemoryTables()
    tables.add(photo(n, Label("Dog", 95.5), *[Label("Cat", 90)] * (n == 7)) for n in range(100))
    names = {"#term": "Term", "#terms": "Terms", "#cat": "cat"}
    cats = query(tables, FilterExpression="attribute_exists(#terms.#cat)", ExpressionAttributeNames=names)
    assert (cats["Count"], cats["ScannedCount"]) == (1, 100)
    assert cats["ConsumedCapacity"] == query(tables)["ConsumedCapacity"]
    nothing = query(tables, ExpressionAttributeValues={":term": {"S": "horse"}})
    assert (nothing["ScannedCount"], nothing["ConsumedCapacity"]) == (0, {"CapacityUnits": 0.5})


def test_request_reads_one_megabyte() -> None:
    tables = MemoryTables()
    tables.add(islice(Collection().photos(), 1000))
    read = 0
    start: dict[str, Any] = {}
    requests: list[float] = []
    while not requests or start:
        answer = tables.scan(
            TableName=IMAGES_TABLE,
            FilterExpression="contains(#labels, :person)",
            ExpressionAttributeNames={"#labels": "Labels"},
            ExpressionAttributeValues={":person": {"S": "Person"}},
            ProjectionExpression="PK, Labels",
            ReturnConsumedCapacity="TOTAL",
            **start,
        )
        requests.append(answer["ConsumedCapacity"]["CapacityUnits"])
        read += answer["ScannedCount"]
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]} if "LastEvaluatedKey" in answer else {}
    assert read == 1000
    size = tables.mean_item_bytes(IMAGES_TABLE) * 1000
    assert len(requests) == -(-size // MAX_BYTES) == 2
    assert requests[0] == 128.5  # 1 MB, plus the rest of the last item
    assert sum(requests) == pytest.approx(size / 8 / KB, abs=1)
    assert tables.mean_item_bytes(LAB_TABLE) < 200


class Plain:
    """A client for Store that writes without moto's transactions, which copy all tables."""

    def __init__(self, moto: DynamoDBClient) -> None:
        self._moto = moto

    def transact_write_items(self, *, TransactItems: list[dict[str, Any]]) -> None:  # noqa: N803
        puts = [action["Put"] for action in TransactItems]
        for start in range(0, len(puts), 25):
            requests: dict[str, Any] = {}
            for put in puts[start : start + 25]:
                requests.setdefault(put["TableName"], []).append({"PutRequest": {"Item": put["Item"]}})
            self._moto.batch_write_item(RequestItems=requests)

    def batch_write_item(self, **request: Any) -> Any:
        return self._moto.batch_write_item(**request)


@pytest.fixture
def both(dynamodb: DynamoDBClient) -> tuple[MemoryTables, DynamoDBClient]:
    """The same photos in memory, and in moto as the function writes them."""
    photos = list(islice(Collection().photos(), 40))
    photos.append(photo(1, *(Label(f"Label {n}", 81 + n / 50) for n in range(260)), Label("Person", 99)))
    tables = MemoryTables()
    tables.add(photos[:20])
    tables.add(photos[20:])
    store = Store(cast("Any", Plain(dynamodb)), MOTO_IMAGES, MOTO_LABELS, max_actions=1000)
    for one, labels in photos:
        store.put(one, labels, SETTINGS, None)
    return tables, dynamodb


class Both:
    """A client that queries both and compares the answers."""

    def __init__(self, tables: MemoryTables, moto: DynamoDBClient) -> None:
        self.tables, self.moto = tables, moto
        self.requests = 0

    def query(self, **request: Any) -> dict[str, Any]:
        mine = self.tables.query(**request)
        moto = self.moto.query(**{**request, "TableName": MOTO_LABELS})
        assert mine["Items"] == moto["Items"]
        assert (mine["Count"], mine["ScannedCount"]) == (moto["Count"], moto["ScannedCount"])
        self.requests += 1
        return mine

    def batch_get_item(self, *, RequestItems: dict[str, Any], **more: Any) -> dict[str, Any]:  # noqa: N803
        mine = self.tables.batch_get_item(RequestItems=RequestItems, **more)
        ((table, request),) = RequestItems.items()
        theirs = {IMAGES_TABLE: MOTO_IMAGES, LABELS_TABLE: MOTO_LABELS}[table]
        whole: Any = {theirs: {"Keys": request["Keys"]}}
        items: Any = self.moto.batch_get_item(RequestItems=whole)["Responses"][theirs]
        assert [stable(item) for item in mine["Responses"][table]] == [stable(item) for item in items]
        self.requests += 1
        return mine


def stable(item: dict[str, Any]) -> dict[str, Any]:
    """An item without the attributes that depend on the time."""
    return {
        name: len(next(iter(each.values()))) if name in ("LabelledAt", "Revision") else each
        for name, each in item.items()
    }


EXPRESSIONS = (
    "person",
    "nothing",
    "person AND outdoors",
    "indoors AND outdoors",
    "person AND NOT outdoors",
    "face OR furniture",
    "person<95 AND face>=90",
    "pe*",
    "person AND NOT pe*>=99.9",
    '"label 100"',
    'person AND "label 7"',
)


def test_answers_equal_those_of_moto(both: tuple[MemoryTables, DynamoDBClient]) -> None:
    client = Both(*both)
    finder = Finder(cast("Any", client), labels_table=LABELS_TABLE, images_table=IMAGES_TABLE)
    for expression in EXPRESSIONS:
        asked, token, found, more = client.requests, None, 0, True
        while more:
            page = finder.find(expression, limit=4, token=token)
            found, token = found + len(page.photos), page.next_token
            more = token is not None
        assert client.requests > asked
        assert found == sum(map(parse(expression).matches, terms(both[0]))), expression


def terms(tables: MemoryTables) -> list[dict[str, int]]:
    found: list[dict[str, int]] = [{} for _ in range(len(tables))]
    for term, rows in tables.rows.items():
        for place, number in rows:
            found[number][term] = 100_000 - int(place[:6])
    return found


def test_items_equal_those_that_the_store_writes(both: tuple[MemoryTables, DynamoDBClient]) -> None:
    tables, moto = both
    for table, name in ((IMAGES_TABLE, MOTO_IMAGES), (LABELS_TABLE, MOTO_LABELS)):
        pages = moto.get_paginator("scan").paginate(TableName=name)
        items: list[dict[str, Any]] = [cast("Any", item) for page in pages for item in page["Items"]]
        assert len(items) > 40
        for item in items:
            key = {attribute: item[attribute] for attribute in (("PK",) if table == IMAGES_TABLE else ("Term", "Rank"))}
            request = {table: {"Keys": [key]}}
            answer = tables.batch_get_item(RequestItems=request, ReturnConsumedCapacity="TOTAL")
            assert [stable(each) for each in answer["Responses"][table]] == [stable(item)]
    missing: Any = {LABELS_TABLE: {"Keys": [{"Term": {"S": "person"}, "Rank": {"S": rank(1, "no")}}]}}
    answer = tables.batch_get_item(RequestItems=missing, ReturnConsumedCapacity="TOTAL")
    assert answer["Responses"] == {LABELS_TABLE: []}
    assert answer["ConsumedCapacity"][0]["CapacityUnits"] == 0.5


def test_collection_has_the_intended_distribution() -> None:
    tables = MemoryTables()
    tables.add(islice(Collection().photos(), 2000))
    share = {term: len(rows) / len(tables) for term, rows in tables.rows.items()}
    assert 0.5 < share["person"] < 0.6
    assert 0.3 < share["outdoors"] < 0.4
    assert 0.25 < share["indoors"] < 0.35
    together = {number for _, number in tables.rows["indoors"]} & {number for _, number in tables.rows["outdoors"]}
    assert len(together) / len(tables) < 0.005
    assert sorted(share.values())[len(share) // 2] < 0.01
    numbers = [len(labels.labels) for _, labels in islice(Collection().photos(), 500)]
    assert min(numbers) >= 8
    assert max(numbers) == 10
    assert list(islice(Collection().photos(), 100)) == list(islice(Collection().photos(), 100))
