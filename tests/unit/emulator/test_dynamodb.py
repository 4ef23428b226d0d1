"""The emulated DynamoDB: atomic transactions, a rollback of their own writes only, and comparison by type."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from image_labels_emulator import dynamodb as emulated
from support.fakes import LABELS_TABLE, TABLE

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@pytest.fixture(autouse=True)
def installed() -> None:
    emulated.install()


def photo(key: str, **attributes: str) -> dict[str, Any]:
    return {"PK": {"S": key}} | {name: {"S": value} for name, value in attributes.items()}


def row(term: str, rank: str) -> dict[str, Any]:
    return {"Term": {"S": term}, "Rank": {"S": rank}}


def put(table: str, item: dict[str, Any], condition: str = "") -> Any:
    return {"Put": {"TableName": table, "Item": item} | ({"ConditionExpression": condition} if condition else {})}


def keys(dynamodb: DynamoDBClient, table: str, name: str) -> set[str]:
    return {item[name]["S"] for item in dynamodb.scan(TableName=table)["Items"]}


@pytest.mark.parametrize("value", [{"S": "5"}, {"BOOL": True}, {"NULL": True}, {"SS": ["5"]}, {"L": [{"N": "5"}]}])
def test_values_of_different_types_do_not_compare(dynamodb: DynamoDBClient, value: Any) -> None:
    dynamodb.put_item(TableName=TABLE, Item=photo("there") | {"Images": value})
    found = {
        operator: dynamodb.scan(
            TableName=TABLE,
            FilterExpression=f"Images {operator} :number",
            ExpressionAttributeValues={":number": {"N": "1"}},
        )["Count"]
        for operator in ("=", "<>", "<", "<=", ">", ">=")
    }
    assert found == {"=": 0, "<>": 1, "<": 0, "<=": 0, ">": 0, ">=": 0}


def test_transaction_is_atomic(dynamodb: DynamoDBClient) -> None:
    dynamodb.put_item(TableName=TABLE, Item=photo("there", Was="before"))
    dynamodb.put_item(TableName=LABELS_TABLE, Item=row("dog", "1"))
    update: Any = {
        "Update": {
            "TableName": TABLE,
            "Key": photo("there"),
            "UpdateExpression": "SET Was = :now",
            "ExpressionAttributeValues": {":now": {"S": "after"}},
        }
    }
    delete: Any = {"Delete": {"TableName": LABELS_TABLE, "Key": row("dog", "1")}}
    new = put(LABELS_TABLE, row("cat", "1"))
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException) as raised:
        dynamodb.transact_write_items(
            TransactItems=[update, delete, new, put(TABLE, photo("x"), "attribute_exists(PK)")]
        )
    reasons = [reason["Code"] for reason in raised.value.response["CancellationReasons"]]
    assert reasons == ["None", "None", "None", "ConditionalCheckFailed"]
    assert dynamodb.get_item(TableName=TABLE, Key=photo("there"))["Item"]["Was"] == {"S": "before"}
    assert keys(dynamodb, LABELS_TABLE, "Term") == {"dog"}
    dynamodb.transact_write_items(TransactItems=[update, delete, new, put(TABLE, photo("x"))])
    assert dynamodb.get_item(TableName=TABLE, Key=photo("there"))["Item"]["Was"] == {"S": "after"}
    assert keys(dynamodb, LABELS_TABLE, "Term") == {"cat"}
    assert keys(dynamodb, TABLE, "PK") == {"there", "x"}


def test_failed_transactions_keep_concurrent_writes(dynamodb: DynamoDBClient) -> None:
    dynamodb.put_item(TableName=TABLE, Item=photo("taken"))
    stop = threading.Event()

    def fail_repeatedly() -> None:
        while not stop.is_set():
            with pytest.raises(dynamodb.exceptions.TransactionCanceledException):
                dynamodb.transact_write_items(
                    TransactItems=[put(TABLE, photo("taken"), "attribute_not_exists(PK)"), put(TABLE, photo("ghost"))]
                )

    thread = threading.Thread(target=fail_repeatedly)
    thread.start()
    try:
        for n in range(50):
            dynamodb.transact_write_items(TransactItems=[put(TABLE, photo(str(n)))])
    finally:
        stop.set()
        thread.join()
    assert keys(dynamodb, TABLE, "PK") == {"taken", *map(str, range(50))}


def test_one_of_many_concurrent_transactions_succeeds(dynamodb: DynamoDBClient) -> None:
    won: list[int] = []

    def claim(n: int) -> None:
        try:
            dynamodb.put_item(TableName=TABLE, Item=photo("one"), ConditionExpression="attribute_not_exists(PK)")
            won.append(n)
        except dynamodb.exceptions.ConditionalCheckFailedException:
            pass

    threads = [threading.Thread(target=claim, args=[n]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1


BOXES: Any = {
    "L": [
        {"M": {"Name": {"S": "Dog"}, "Boxes": {"L": [{"L": [{"N": "0.1"}, {"N": "0.25"}]}]}, "Sure": {"BOOL": True}}},
        {"M": {"Name": {"S": "Cat"}, "Boxes": {"L": []}, "Parents": {"SS": ["Pet"]}, "None": {"NULL": True}}},
        {"B": b"\x00\xff"},
    ]
}


def test_every_type_of_value_is_returned(dynamodb: DynamoDBClient) -> None:
    item = photo("all") | {
        "Detections": BOXES,
        "Counts": {"NS": ["2.5"]},
        "Empty": {"M": {}},
        "Raw": {"B": b"\xfe"},
    }
    dynamodb.put_item(TableName=TABLE, Item=item)
    assert dynamodb.get_item(TableName=TABLE, Key=photo("all"))["Item"] == item
    assert dynamodb.scan(TableName=TABLE)["Items"] == [item]
    projected = dynamodb.get_item(
        TableName=TABLE,
        Key=photo("all"),
        ProjectionExpression="PK, Detections[1], Counts, Detections[0].Missing, #other",
        ExpressionAttributeNames={"#other": "Raw"},
    )["Item"]
    assert projected == photo("all") | {
        "Detections": {"L": BOXES["L"][1:2]},
        "Counts": item["Counts"],
        "Raw": item["Raw"],
    }


def test_failed_transaction_restores_nested_values(dynamodb: DynamoDBClient) -> None:
    dynamodb.put_item(TableName=TABLE, Item=photo("there") | {"Detections": BOXES})
    update: Any = {
        "Update": {
            "TableName": TABLE,
            "Key": photo("there"),
            "UpdateExpression": "SET Detections[0].#name = :now DELETE Detections[1].Parents :pet",
            "ExpressionAttributeNames": {"#name": "Name"},
            "ExpressionAttributeValues": {":now": {"S": "Wolf"}, ":pet": {"SS": ["Pet"]}},
        }
    }
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException):
        dynamodb.transact_write_items(TransactItems=[update, put(TABLE, photo("x"), "attribute_exists(PK)")])
    assert dynamodb.get_item(TableName=TABLE, Key=photo("there"))["Item"]["Detections"] == BOXES


def test_duration_of_a_projection_does_not_grow_with_other_attributes(dynamodb: DynamoDBClient) -> None:
    detections = {
        "L": [{"M": {"Name": {"S": f"Thing {n}"}, "Parents": {"L": [{"S": "Thing"}] * 9}}} for n in range(500)]
    }
    dynamodb.put_item(TableName=TABLE, Item=photo("small", ETag="1", Reason="2"))
    dynamodb.put_item(TableName=TABLE, Item=photo("large", ETag="1", Reason="2") | {"Detections": detections})

    def seconds(key: str) -> float:
        began = time.perf_counter()
        for _ in range(10):
            dynamodb.get_item(TableName=TABLE, Key=photo(key), ProjectionExpression="PK, ETag, Reason")
        return time.perf_counter() - began

    small = seconds("small")
    assert seconds("large") < 20 * small  # with moto's projection it is hundreds of times


def test_duration_of_a_transaction_does_not_grow_with_the_tables(dynamodb: DynamoDBClient) -> None:
    def seconds() -> float:
        began = time.perf_counter()
        for n in range(20):
            dynamodb.transact_write_items(TransactItems=[put(LABELS_TABLE, row("a", str(n)))])
        return time.perf_counter() - began

    small = seconds()
    for start in range(0, 3000, 25):
        requests: Any = [{"PutRequest": {"Item": row("many", str(n))}} for n in range(start, start + 25)]
        dynamodb.batch_write_item(RequestItems={LABELS_TABLE: requests})
    assert seconds() < 20 * small  # with moto's transactions it is hundreds of times


def test_duration_of_a_query_does_not_grow_with_other_partitions(dynamodb: DynamoDBClient) -> None:
    for rank in "213":
        dynamodb.put_item(TableName=LABELS_TABLE, Item=row("few", rank))

    def query() -> list[str]:
        found = dynamodb.query(
            TableName=LABELS_TABLE,
            KeyConditionExpression="Term = :few",
            ExpressionAttributeValues={":few": {"S": "few"}},
        )
        return [item["Rank"]["S"] for item in found["Items"]]

    def seconds() -> float:
        began = time.process_time()
        for _ in range(20):
            assert query() == ["1", "2", "3"]
        return time.process_time() - began

    small = seconds()
    for start in range(0, 6000, 25):
        requests: Any = [{"PutRequest": {"Item": row("many", str(n))}} for n in range(start, start + 25)]
        dynamodb.batch_write_item(RequestItems={LABELS_TABLE: requests})
    assert seconds() < 5 * small  # with moto's Query it is 15 times
