"""The AWS of bench/light_aws.py: what it answers and counts, over HTTP, to the function's own clients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError
from image_labels.clients import Clients, make_clients
from image_labels.photos import Photos
from image_labels_emulator.rekognition.faults import Settings
from listening import assert_loopback_only

from bench import light_aws

KEY = {"PK": {"S": "images/Käse 🧀.jpg"}}
NEW: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(PK)"}
ROW = {"Term": {"S": "cat"}, "Rank": {"S": "0100 images/a.jpg"}, "PK": {"S": "images/a.jpg"}}
ROW_KEY = {name: ROW[name] for name in ("Term", "Rank")}


@pytest.fixture
def server() -> Iterator[light_aws.Running]:
    with light_aws.Running(Settings(calls_per_second=0.001)) as running:
        yield running


@pytest.fixture
def light(server: light_aws.Running, monkeypatch: pytest.MonkeyPatch) -> Clients:
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    return make_clients(1)


def test_listens_on_loopback_only(server: light_aws.Running) -> None:
    assert urlsplit(server.url).port in assert_loopback_only()


def revision(number: int) -> dict[str, Any]:
    return {
        "ConditionExpression": "Revision = :read",
        "ExpressionAttributeValues": {":read": {"N": str(number)}},
    }


def test_an_object_is_what_its_name_says(light: Clients) -> None:
    photos = Photos(light.s3, "photos")
    first, other = photos.head("images/Käse 🧀.jpg"), photos.head("images/b.jpg")
    assert first is not None
    assert other is not None
    assert first == photos.head("images/Käse 🧀.jpg")
    assert first.etag != other.etag
    assert first.version_id


def test_writes_keep_to_the_functions_conditions(light: Clients) -> None:
    item = KEY | {"Revision": {"N": "1"}}
    light.dynamodb.put_item(TableName="images", Item=item, **NEW)
    assert light.dynamodb.get_item(TableName="images", Key=KEY)["Item"] == item
    for condition in (NEW, revision(2)):
        with pytest.raises(ClientError, match="ConditionalCheckFailedException"):
            light.dynamodb.put_item(TableName="images", Item=item, **condition)
    light.dynamodb.delete_item(TableName="images", Key=KEY, **revision(1))
    assert "Item" not in light.dynamodb.get_item(TableName="images", Key=KEY)


def test_a_transaction_is_done_as_a_whole_or_not_at_all(light: Clients) -> None:
    put_item = {"Put": {"TableName": "images", "Item": KEY, **NEW}}
    put_row = {"Put": {"TableName": "labels", "Item": ROW}}
    actions: list[Any] = [put_row, put_item]
    light.dynamodb.transact_write_items(TransactItems=actions)
    assert light.dynamodb.get_item(TableName="labels", Key=ROW_KEY)["Item"] == ROW
    actions = [{"Delete": {"TableName": "labels", "Key": ROW_KEY}}, put_item]
    with pytest.raises(ClientError, match="TransactionCanceledException") as failed:
        light.dynamodb.transact_write_items(TransactItems=actions)
    reasons: Any = failed.value.response
    assert [reason["Code"] for reason in reasons["CancellationReasons"]] == ["None", "ConditionalCheckFailed"]
    assert "Item" in light.dynamodb.get_item(TableName="labels", Key=ROW_KEY)


def test_rows_are_written_in_batches(light: Clients) -> None:
    answer = light.dynamodb.batch_write_item(RequestItems={"labels": [{"PutRequest": {"Item": ROW}}]})
    assert answer["UnprocessedItems"] == {}
    assert light.dynamodb.get_item(TableName="labels", Key=ROW_KEY)["Item"] == ROW


def test_what_it_does_not_know_it_refuses(light: Clients) -> None:
    with pytest.raises(ClientError, match="does not know the condition"):
        light.dynamodb.put_item(TableName="images", Item=KEY, ConditionExpression="attribute_exists(PK)")
    with pytest.raises(ClientError, match="UnknownOperationException"):
        light.dynamodb.scan(TableName="images")


def test_calls_beyond_the_quota_are_throttled_and_all_is_counted(light: Clients, server: light_aws.Running) -> None:
    light.dynamodb.put_item(TableName="images", Item={"PK": {"S": "a"}})
    light.dynamodb.put_item(TableName="images", Item={"PK": {"S": "b"}, "Status": {"S": "REJECTED"}})
    light.dynamodb.put_item(TableName="labels", Item=ROW)
    answer = light.rekognition.detect_labels(Image={"S3Object": {"Bucket": "photos", "Name": "a"}})
    assert len(answer["Labels"]) == 10
    with pytest.raises(ClientError, match="ThrottlingException"):
        light.rekognition.detect_labels(Image={"S3Object": {"Bucket": "photos", "Name": "a"}})
    state = server.state()
    assert state.stored == frozenset({"a", "b"})
    assert state.rejected == frozenset({"b"})
    assert (state.answered, state.most_answered_of_one_photo) == (1, 1)
    assert state.throttled == state.calls - 1 > 0
    assert state.last_stored > 0
