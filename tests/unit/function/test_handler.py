"""The function as Lambda runs it, on moto: environment variables in, event in, item out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote_plus

import boto3
import pytest
from image_labels.clients import make_clients
from image_labels.failures import NeedsOperator
from image_labels.settings import SettingsError
from support.cold_start import VARIABLES, Context, start
from support.event_files import load
from support.fakes import BUCKET, LABELS_TABLE, TABLE
from support.replaced import Replaced
from support.unwanted import WEAPONS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient


def test_photo_is_labelled(monkeypatch: pytest.MonkeyPatch, s3: S3Client, dynamodb: DynamoDBClient) -> None:
    s3.put_object(Bucket=BUCKET, Key="images/red flower.jpg", Body=b"a photo")
    handler = start(monkeypatch).handler
    assert handler(load("sqs_s3_batch"), Context()) == {"batchItemFailures": []}
    item = dynamodb.get_item(TableName=TABLE, Key={"PK": {"S": "images/red flower.jpg"}})["Item"]
    assert "Mobile Phone" in item["Labels"]["SS"]  # the only label of moto's Rekognition
    assert item["Status"] == {"S": "LABELLED"}


def test_text_is_detected_if_it_is_switched_on(
    monkeypatch: pytest.MonkeyPatch, s3: S3Client, dynamodb: DynamoDBClient
) -> None:
    s3.put_object(Bucket=BUCKET, Key="images/red flower.jpg", Body=b"a photo")
    handler = start(monkeypatch, TEXT_MIN_CONFIDENCE="80", DETECT_TEXT_PER_SECOND="1000").handler
    assert handler(load("sqs_s3_batch"), Context()) == {"batchItemFailures": []}
    rows = dynamodb.scan(TableName=LABELS_TABLE)["Items"]
    assert [row["Term"]["S"] for row in rows if row.get("Kind") == {"S": "text"}]  # of moto's Rekognition


def test_unwanted_photo_is_deleted_if_there_are_rules(
    monkeypatch: pytest.MonkeyPatch, s3: S3Client, dynamodb: DynamoDBClient
) -> None:
    key = "images/red flower.jpg"
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"a photo")
    text = json.dumps(WEAPONS | {"labels": ["Cell Phone"], "action": "delete"})
    rules: Any = {"Term": {"S": "*unwanted"}, "Rank": {"S": "1"}, "Rules": {"S": text}}
    dynamodb.put_item(TableName=LABELS_TABLE, Item=rules)
    handler = start(monkeypatch, UNWANTED_ID="1", REQUESTED_MAX_LABELS="1000").handler
    for _ in range(2):  # the second event is that of the deletion
        assert handler(load("sqs_s3_batch"), Context()) == {"batchItemFailures": []}
    assert "Versions" not in s3.list_object_versions(Bucket=BUCKET, Prefix=key)
    item = dynamodb.get_item(TableName=TABLE, Key={"PK": {"S": key}})["Item"]
    assert (item["Status"], item["Unwanted"]["M"]["State"]) == ({"S": "REMOVED"}, {"S": "DONE"})
    assert "Mobile Phone" in [label["M"]["Name"]["S"] for label in item["OtherDetections"]["L"]]
    rows = dynamodb.scan(TableName=LABELS_TABLE)["Items"]
    assert not [row for row in rows if not row["Term"]["S"].startswith("*")]


def test_detectors_are_not_imported_unless_they_are_used() -> None:
    used = "'detectors' in name or '.unwanted.' in name"
    code = f"import sys, image_labels.handler; print(*(name for name in sys.modules if {used}))"
    environment = os.environ | VARIABLES | {"AWS_DEFAULT_REGION": "eu-central-1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
    assert done.stdout == "\n"


def test_item_of_a_deleted_photo_is_deleted(
    monkeypatch: pytest.MonkeyPatch, s3: S3Client, dynamodb: DynamoDBClient
) -> None:
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
    assert handler(load("scheduled"), Context()) == {"counted": 1, "moved": 0, "waiting": 1}
    assert handler(load("sqs_s3_batch"), Context()) == {"batchItemFailures": []}
    assert labelled() == {first}

    handler = start(monkeypatch, DAILY_IMAGE_LIMIT="2", **where).handler
    assert handler(load("scheduled"), Context())["moved"] == 1
    (message,) = sqs.receive_message(QueueUrl=photos)["Messages"]
    assert message["Body"] in [record["body"] for record in load("sqs_s3_batch")["Records"]]
    record = load("sqs_s3_batch")["Records"][0] | {"body": message["Body"]}
    assert handler({"Records": [record]}, Context()) == {"batchItemFailures": []}
    assert labelled() == {"images/red flower.jpg", "images/old.jpg"}


def test_backfill_of_more_photos_than_the_limit_is_labelled_over_several_days(
    monkeypatch: pytest.MonkeyPatch, s3: S3Client, dynamodb: DynamoDBClient
) -> None:
    """By bare events: seven photos of S3 notifications at two a day, and one of EventBridge."""
    keys = [f"images/{name}.jpg" for name in ("a", "red flower", "1+1=2", "100%", "Käse", "it's (1)", "🐕")]
    now = [time.time()]
    sqs = boto3.client("sqs")
    photos, waiting = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("photos", "waiting"))
    received: list[str] = []

    def receive(**request: Any) -> Any:
        answer: Any = sqs.receive_message(**request | {"WaitTimeSeconds": 0})
        received.extend(message["ReceiptHandle"] for message in answer.get("Messages", []))
        return answer

    def next_day() -> None:
        """A day later, the messages that were received and not deleted are visible again."""
        now[0] += 24 * 3600
        for handle in received:
            with suppress(sqs.exceptions.ReceiptHandleIsInvalid):  # it was deleted
                sqs.change_message_visibility(QueueUrl=waiting, ReceiptHandle=handle, VisibilityTimeout=0)
        received.clear()

    module = start(monkeypatch, DAILY_IMAGE_LIMIT="2", QUEUE_URL=photos, WAITING_QUEUE_URL=waiting)
    clients = make_clients(concurrency=5)._replace(
        sqs=lambda: cast("SQSClient", Replaced(sqs, receive_message=receive))
    )
    function = module.make_function(os.environ, clients=clients, now=lambda: now[0])

    def handler(event: Any) -> Any:
        return function.handle(event, 60)

    for key in [*keys, "images/bare.jpg"]:
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"a photo")
    for key in keys:
        notification = load("s3_created")
        notification["Records"][0]["s3"]["object"]["key"] = quote_plus(key)
        assert handler(notification)["photos"][0]["outcome"] in ("labelled", "waiting")
    bare = load("eventbridge_created")
    bare["detail"]["object"]["key"] = "images/bare.jpg"
    assert [photo["outcome"] for photo in handler(bare)["photos"]] == ["waiting"]

    for _day in range(3):
        next_day()
        handler(load("scheduled"))
        messages = sqs.receive_message(QueueUrl=photos, MaxNumberOfMessages=10)["Messages"]
        records = [
            {"eventSource": "aws:sqs", "messageId": each["MessageId"], "body": each["Body"]} for each in messages
        ]
        assert handler({"Records": records}) == {"batchItemFailures": []}
        for each in messages:
            sqs.delete_message(QueueUrl=photos, ReceiptHandle=each["ReceiptHandle"])
    labelled = {item["PK"]["S"] for item in dynamodb.scan(TableName=TABLE)["Items"]}
    assert labelled == {*keys, "images/bare.jpg"}
    rows = dynamodb.scan(TableName=LABELS_TABLE)["Items"]
    assert [row["Images"]["N"] for row in rows if row["Term"]["S"] == "*usage"] == ["2"] * 4
    assert handler(load("scheduled")) == {"counted": 2, "moved": 0, "waiting": 0}
    assert {row["Photos"]["N"] for row in dynamodb.scan(TableName=LABELS_TABLE)["Items"] if "Photos" in row} == {"8"}


def test_waiting_photos_are_moved_when_the_limit_is_removed(
    monkeypatch: pytest.MonkeyPatch, s3: S3Client, dynamodb: DynamoDBClient
) -> None:
    sqs = boto3.client("sqs")
    photos, waiting = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("photos", "waiting"))
    sqs.send_message(QueueUrl=waiting, MessageBody="{}")
    handler = start(monkeypatch, QUEUE_URL=photos, WAITING_QUEUE_URL=waiting).handler
    assert handler(load("scheduled"), Context()) == {"counted": 0, "moved": 1, "waiting": 0}


def test_schedule_counts_and_moves_photos_for_a_share_of_the_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    until: list[float] = []

    class Counts:
        def fold(self, end: float) -> dict[str, int]:
            until.append(end - time.monotonic())
            if len(until) > 2:
                raise NeedsOperator("Query: AccessDeniedException", "allow Query to the function's role")
            return {"counted": 5}

    class Waiting:
        def move(self, end: float) -> dict[str, int]:
            until.append(end - time.monotonic())
            return {"moved": 3, "waiting": 4}

    function = start(monkeypatch).Function(None, Counts, Waiting)  # the schedule needs no worker
    assert function.handle(load("scheduled"), 60) == {"counted": 5, "moved": 3, "waiting": 4}
    assert until == [pytest.approx(15, abs=1), pytest.approx(36, abs=1)]
    with pytest.raises(NeedsOperator):
        function.handle(load("scheduled"), 60)
    assert len(until) == 4  # photos were moved although they could not be counted


def test_without_a_limit_its_modules_are_not_loaded_and_nothing_is_counted(
    monkeypatch: pytest.MonkeyPatch, s3: S3Client, dynamodb: DynamoDBClient
) -> None:
    for name in ("daily_limit", "queues.waiting", "tables.counts"):
        monkeypatch.delitem(sys.modules, f"image_labels.{name}", raising=False)
    s3.put_object(Bucket=BUCKET, Key="images/red flower.jpg", Body=b"a photo")
    handler = start(monkeypatch).handler
    handler(load("s3_created"), Context())
    later = {"image_labels.daily_limit", "image_labels.queues.waiting", "image_labels.tables.counts"}
    assert not later & sys.modules.keys()
    assert not [row for row in dynamodb.scan(TableName=LABELS_TABLE)["Items"] if row["Term"]["S"] == "*usage"]


def test_invalid_setting_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="MAX_LABELS='many'"):
        start(monkeypatch, MAX_LABELS="many")


def test_collector_runs_again_after_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    gc = start(monkeypatch).gc
    assert gc.isenabled()
    gc.unfreeze()
