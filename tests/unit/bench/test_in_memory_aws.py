"""bench/in_memory_aws.py: answers and counters, over HTTP with the function's clients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError
from image_labels.clients import Clients, make_clients
from image_labels.photos import Photos
from image_labels_emulator.rekognition.settings import Settings
from support.listening import assert_loopback_only

from bench import in_memory_aws

KEY = {"PK": {"S": "images/Käse 🧀.jpg"}}
NEW: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(PK)"}
ROW = {"Term": {"S": "cat"}, "Rank": {"S": "0100 images/a.jpg"}, "PK": {"S": "images/a.jpg"}}
ROW_KEY = {name: ROW[name] for name in ("Term", "Rank")}


@pytest.fixture
def server() -> Iterator[in_memory_aws.Server]:
    with in_memory_aws.Server(Settings(calls_per_second=0.001)) as running:
        yield running


@pytest.fixture
def clients(server: in_memory_aws.Server, monkeypatch: pytest.MonkeyPatch) -> Clients:
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    return make_clients(1)


def test_listens_on_loopback_only(server: in_memory_aws.Server) -> None:
    assert urlsplit(server.url).port in assert_loopback_only()


def revision(number: int) -> dict[str, Any]:
    return {
        "ConditionExpression": "Revision = :read",
        "ExpressionAttributeValues": {":read": {"N": str(number)}},
    }


def test_object_depends_on_its_key(clients: Clients) -> None:
    photos = Photos(clients.s3, "photos")
    first, other = photos.head("images/Käse 🧀.jpg"), photos.head("images/b.jpg")
    assert first is not None
    assert other is not None
    assert first == photos.head("images/Käse 🧀.jpg")
    assert first.etag != other.etag
    assert first.version_id


def test_conditional_writes(clients: Clients) -> None:
    item = KEY | {"Revision": {"N": "1"}}
    clients.dynamodb.put_item(TableName="images", Item=item, **NEW)
    assert clients.dynamodb.get_item(TableName="images", Key=KEY)["Item"] == item
    for condition in (NEW, revision(2)):
        with pytest.raises(ClientError, match="ConditionalCheckFailedException"):
            clients.dynamodb.put_item(TableName="images", Item=item, **condition)
    clients.dynamodb.delete_item(TableName="images", Key=KEY, **revision(1))
    assert "Item" not in clients.dynamodb.get_item(TableName="images", Key=KEY)


def test_transaction_is_atomic(clients: Clients) -> None:
    put_item = {"Put": {"TableName": "images", "Item": KEY, **NEW}}
    put_row = {"Put": {"TableName": "labels", "Item": ROW}}
    actions: list[Any] = [put_row, put_item]
    clients.dynamodb.transact_write_items(TransactItems=actions)
    assert clients.dynamodb.get_item(TableName="labels", Key=ROW_KEY)["Item"] == ROW
    actions = [{"Delete": {"TableName": "labels", "Key": ROW_KEY}}, put_item]
    with pytest.raises(ClientError, match="TransactionCanceledException") as failed:
        clients.dynamodb.transact_write_items(TransactItems=actions)
    reasons: Any = failed.value.response
    assert [reason["Code"] for reason in reasons["CancellationReasons"]] == ["None", "ConditionalCheckFailed"]
    assert "Item" in clients.dynamodb.get_item(TableName="labels", Key=ROW_KEY)


def test_batch_write(clients: Clients) -> None:
    answer = clients.dynamodb.batch_write_item(RequestItems={"labels": [{"PutRequest": {"Item": ROW}}]})
    assert answer["UnprocessedItems"] == {}
    assert clients.dynamodb.get_item(TableName="labels", Key=ROW_KEY)["Item"] == ROW


def test_unknown_conditions_and_operations_are_refused(clients: Clients) -> None:
    with pytest.raises(ClientError, match="does not implement the condition"):
        clients.dynamodb.put_item(TableName="images", Item=KEY, ConditionExpression="attribute_exists(PK)")
    with pytest.raises(ClientError, match="UnknownOperationException"):
        clients.dynamodb.scan(TableName="images")


def test_calls_over_the_quota_are_throttled_and_counted(clients: Clients, server: in_memory_aws.Server) -> None:
    clients.dynamodb.put_item(TableName="images", Item={"PK": {"S": "a"}})
    clients.dynamodb.put_item(TableName="images", Item={"PK": {"S": "b"}, "Status": {"S": "REJECTED"}})
    clients.dynamodb.put_item(TableName="labels", Item=ROW)
    answer = clients.rekognition.detect_labels(Image={"S3Object": {"Bucket": "photos", "Name": "a"}})
    assert len(answer["Labels"]) == 10
    with pytest.raises(ClientError, match="ThrottlingException"):
        clients.rekognition.detect_labels(Image={"S3Object": {"Bucket": "photos", "Name": "a"}})
    state = server.state()
    assert state.stored == frozenset({"a", "b"})
    assert state.rejected == frozenset({"b"})
    assert (state.answered, state.most_answered_of_one_photo) == (1, 1)
    assert state.throttled == state.calls - 1 > 0
    assert state.last_stored > 0
