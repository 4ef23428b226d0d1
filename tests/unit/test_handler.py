"""The function as Lambda runs it, on moto: environment variables in, event in, item out."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import boto3
import pytest
from botocore.stub import Stubber
from fakes import BUCKET, LABELS_TABLE, TABLE
from image_labels.failures import NeedsOperator, failure_of
from image_labels.photos import Photos
from image_labels.settings import SettingsError
from image_labels.store import Store

if TYPE_CHECKING:
    from image_labels.clients import Clients
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

EVENTS = Path(__file__).parent / "events"


class Context:
    def get_remaining_time_in_millis(self) -> int:
        return 60_000


def start(monkeypatch: pytest.MonkeyPatch, **environment: str) -> ModuleType:
    """Import the handler as a cold start does."""
    variables = {
        "BUCKET_NAME": BUCKET,
        "IMAGES_TABLE_NAME": TABLE,
        "LABELS_TABLE_NAME": LABELS_TABLE,
        "MIN_CONFIDENCE": "80",
        "MAX_LABELS": "10",
        "CONCURRENCY": "5",
        "DETECT_LABELS_PER_SECOND": "1000",
        "QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/photos",
        "DEAD_LETTER_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/dead-letters",
        "MAX_RECEIVE_COUNT": "5",
        "RETRY_DELAY_SECONDS": "20",
        "WAITING_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/waiting",
        "MOVE_AHEAD": "100",
    }
    for name, value in (variables | environment).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delitem(sys.modules, "image_labels.handler", raising=False)
    return importlib.import_module("image_labels.handler")


def load(name: str) -> Any:
    return json.loads((EVENTS / f"{name}.json").read_text())


def test_photo_in_label_out(monkeypatch: pytest.MonkeyPatch, s3: S3Client, dynamodb: DynamoDBClient) -> None:
    s3.put_object(Bucket=BUCKET, Key="images/red flower.jpg", Body=b"a photo")
    handler = start(monkeypatch).handler
    assert handler(load("sqs_s3_batch"), Context()) == {"batchItemFailures": []}
    item = dynamodb.get_item(TableName=TABLE, Key={"PK": {"S": "images/red flower.jpg"}})["Item"]
    assert "Mobile Phone" in item["Labels"]["SS"]  # all that moto's Rekognition ever sees
    assert item["Status"] == {"S": "LABELLED"}


def test_item_of_a_deleted_photo_goes(monkeypatch: pytest.MonkeyPatch, s3: S3Client, dynamodb: DynamoDBClient) -> None:
    dynamodb.put_item(TableName=TABLE, Item={"PK": {"S": "images/old.jpg"}, "Revision": {"N": "1"}})
    start(monkeypatch).handler(load("s3_removed"), Context())
    assert "Item" not in dynamodb.get_item(TableName=TABLE, Key={"PK": {"S": "images/old.jpg"}})


def test_photo_over_the_daily_limit_waits_until_the_limit_is_raised(
    monkeypatch: pytest.MonkeyPatch, s3: S3Client, dynamodb: DynamoDBClient
) -> None:
    sqs = boto3.client("sqs")
    photos, waiting = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("photos", "waiting"))
    where = {"QUEUE_URL": photos, "WAITING_QUEUE_URL": waiting}

    def labelled() -> set[str]:
        return {item["PK"]["S"] for item in dynamodb.scan(TableName=TABLE)["Items"]}

    for key in ("images/red flower.jpg", "images/old.jpg"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"a photo")
    handler = start(monkeypatch, DAILY_IMAGE_LIMIT="1", **where).handler
    assert handler(load("sqs_s3_batch"), Context()) == {"batchItemFailures": []}
    (first,) = labelled()
    assert handler(load("scheduled"), Context()) == {"moved": 0, "waiting": 1}
    assert handler(load("sqs_s3_batch"), Context()) == {"batchItemFailures": []}
    assert labelled() == {first}

    handler = start(monkeypatch, DAILY_IMAGE_LIMIT="2", **where).handler
    assert handler(load("scheduled"), Context())["moved"] == 1
    (message,) = sqs.receive_message(QueueUrl=photos)["Messages"]
    assert message["Body"] in [record["body"] for record in load("sqs_s3_batch")["Records"]]
    record = load("sqs_s3_batch")["Records"][0] | {"body": message["Body"]}
    assert handler({"Records": [record]}, Context()) == {"batchItemFailures": []}
    assert labelled() == {"images/red flower.jpg", "images/old.jpg"}


def test_backfill_of_more_than_days_allow_ends_with_all_labelled(
    monkeypatch: pytest.MonkeyPatch, s3: S3Client, dynamodb: DynamoDBClient
) -> None:
    """By S3 Batch Operations: seven photos at two a day, and one that comes by a bare event."""
    keys = [f"images/{name}.jpg" for name in ("a", "red flower", "1+1=2", "100%", "Käse", "it's (1)", "🐕")]
    today = ["2026-11-25"]
    monkeypatch.setattr("image_labels.daily_limit.DailyLimit._day", lambda _self: today[0])
    monkeypatch.setattr("image_labels.waiting.GLANCE_SECONDS", 0)  # the next day comes at once here
    monkeypatch.setattr("image_labels.waiting.MAX_LOOKS", 1)
    sqs = boto3.client("sqs")
    photos, waiting = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("photos", "waiting"))
    where = {"QUEUE_URL": photos, "WAITING_QUEUE_URL": waiting}
    handler = start(monkeypatch, DAILY_IMAGE_LIMIT="2", **where).handler

    job = load("batch_operations_2_0")
    for key in [*keys, "images/bare.jpg"]:
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"a photo")
    for key in keys:
        task = job["tasks"][0] | {"s3Key": quote_plus(key)}
        (result,) = handler(job | {"tasks": [task]}, Context())["results"]
        assert result["resultCode"] == "Succeeded"
    bare = load("eventbridge_created")
    bare["detail"]["object"]["key"] = "images/bare.jpg"
    assert [photo["outcome"] for photo in handler(bare, Context())["photos"]] == ["waiting"]

    for day in range(26, 29):
        today[0] = f"2026-11-{day}"
        handler(load("scheduled"), Context())
        messages = sqs.receive_message(QueueUrl=photos, MaxNumberOfMessages=10)["Messages"]
        records = [
            {"eventSource": "aws:sqs", "messageId": each["MessageId"], "body": each["Body"]} for each in messages
        ]
        assert handler({"Records": records}, Context()) == {"batchItemFailures": []}
        for each in messages:
            sqs.delete_message(QueueUrl=photos, ReceiptHandle=each["ReceiptHandle"])
    labelled = {item["PK"]["S"] for item in dynamodb.scan(TableName=TABLE)["Items"]}
    assert labelled == {*keys, "images/bare.jpg"}
    rows = dynamodb.scan(TableName=LABELS_TABLE)["Items"]
    assert [row["Images"]["N"] for row in rows if row["Term"]["S"] == "*usage"] == ["2"] * 4
    assert handler(load("scheduled"), Context()) == {"moved": 0, "waiting": 0}


def test_what_waits_is_moved_when_the_limit_is_taken_away(
    monkeypatch: pytest.MonkeyPatch, s3: S3Client, dynamodb: DynamoDBClient
) -> None:
    sqs = boto3.client("sqs")
    photos, waiting = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("photos", "waiting"))
    sqs.send_message(QueueUrl=waiting, MessageBody="{}")
    handler = start(monkeypatch, QUEUE_URL=photos, WAITING_QUEUE_URL=waiting).handler
    assert handler(load("scheduled"), Context()) == {"moved": 1, "waiting": 0}


def test_without_a_limit_nothing_of_it_is_loaded_and_nothing_is_counted(
    monkeypatch: pytest.MonkeyPatch, s3: S3Client, dynamodb: DynamoDBClient
) -> None:
    for name in ("daily_limit", "waiting"):
        monkeypatch.delitem(sys.modules, f"image_labels.{name}", raising=False)
    s3.put_object(Bucket=BUCKET, Key="images/red flower.jpg", Body=b"a photo")
    handler = start(monkeypatch).handler
    handler(load("s3_created"), Context())
    assert not {"image_labels.daily_limit", "image_labels.waiting"} & sys.modules.keys()
    assert not [row for row in dynamodb.scan(TableName=LABELS_TABLE)["Items"] if row["Term"]["S"] == "*usage"]


def test_bad_setting_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="MAX_LABELS='many'"):
        start(monkeypatch, MAX_LABELS="many")


def test_collector_runs_again_after_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    gc = start(monkeypatch).gc
    assert gc.isenabled()
    gc.unfreeze()


def test_head_of_a_photo(clients: Clients, s3: S3Client) -> None:
    photos = Photos(clients.s3, BUCKET)
    assert photos.head("images/none.jpg") is None
    etag = s3.put_object(Bucket=BUCKET, Key="images/ä +%.jpg", Body=b"12345")["ETag"]
    photo = photos.head("images/ä +%.jpg")
    assert photo is not None
    assert (photo.etag, photo.size, photo.version_id) == (etag.strip('"'), 5, None)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=BUCKET, Key="images/ä +%.jpg", Body=b"123456")["VersionId"]
    photo = photos.head("images/ä +%.jpg")
    assert photo is not None
    assert photo.version_id == version
    s3.delete_object(Bucket=BUCKET, Key="images/ä +%.jpg")
    assert photos.head("images/ä +%.jpg") is None


def test_version_null_is_no_version(clients: Clients, s3: S3Client) -> None:
    """S3 calls objects from before versioning version "null": Rekognition is not asked for such a version."""
    s3.put_object(Bucket=BUCKET, Key="k", Body=b"12345")
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    photo = Photos(clients.s3, BUCKET).head("k")
    assert photo is not None
    assert photo.version_id is None


@pytest.mark.parametrize(("status", "advice"), [(403, "s3:ListBucket"), (400, "SSE-C"), (301, "Region")])
def test_refused_head_says_what_to_do(clients: Clients, status: int, advice: str) -> None:
    with Stubber(clients.s3) as stub:
        stub.add_client_error("head_object", str(status), "", status)
        with pytest.raises(NeedsOperator, match=r"images/x\.jpg") as raised:
            Photos(clients.s3, BUCKET).head("images/x.jpg")
    assert advice in raised.value.next_step


def test_table_that_has_gone_says_what_to_do(clients: Clients) -> None:
    with pytest.raises(clients.dynamodb.exceptions.ResourceNotFoundException) as raised:
        Store(clients.dynamodb, "none", "none").get("k")
    assert "apply" in failure_of(raised.value).next_step
