"""The emulated streams of DynamoDB: images as in DynamoDB, and no records of transactions that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from support.fakes import TABLE
from support.streams import enable_stream, stream_records

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DOG: Any = {"PK": {"S": "dog.jpg"}, "Status": {"S": "LABELLED"}}


def test_new_item_has_no_old_image_and_deleted_item_no_new_image(dynamodb: DynamoDBClient) -> None:
    enable_stream(dynamodb)
    dynamodb.put_item(TableName=TABLE, Item=DOG)
    dynamodb.put_item(TableName=TABLE, Item=DOG | {"Status": {"S": "REJECTED"}})
    dynamodb.delete_item(TableName=TABLE, Key={"PK": {"S": "dog.jpg"}})
    records = stream_records(dynamodb)
    assert [
        (record["eventName"], "OldImage" in record["dynamodb"], "NewImage" in record["dynamodb"]) for record in records
    ] == [("INSERT", False, True), ("MODIFY", True, True), ("REMOVE", True, False)]


def test_failed_transaction_leaves_no_records(dynamodb: DynamoDBClient) -> None:
    enable_stream(dynamodb)
    dynamodb.put_item(TableName=TABLE, Item=DOG)
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        dynamodb.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": TABLE, "Item": {"PK": {"S": "cat.jpg"}}}},
                {"Put": {"TableName": TABLE, "Item": DOG, "ConditionExpression": "attribute_not_exists(PK)"}},
            ]
        )
    dynamodb.put_item(TableName=TABLE, Item={"PK": {"S": "bird.jpg"}})
    assert [record["dynamodb"]["Keys"]["PK"]["S"] for record in stream_records(dynamodb)] == ["dog.jpg", "bird.jpg"]
