"""Events as AWS shapes them (events/*.json) -> objects to look at."""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_labels.events import EventError, ObjectRef, Source, notification, read

EVENTS = Path(__file__).parent / "events"


def load(name: str) -> Any:
    return json.loads((EVENTS / f"{name}.json").read_text())


def keys(name: str) -> list[str]:
    return [ref.key for task in read(load(name)).tasks for ref in task.objects]


@pytest.mark.parametrize(
    ("name", "source", "expected"),
    [
        ("s3_created", Source.S3, ["images/red flower.jpg"]),
        ("s3_removed", Source.S3, ["images/old.jpg"]),
        ("s3_delete_marker", Source.S3, ["images/old.jpg"]),
        ("s3_lifecycle_expiration", Source.S3, ["images/2019/expired.png"]),
        ("s3_many_records", Source.S3, ["images/a.jpg", "images/b.png", "images/a.jpg"]),
        ("console_s3_put", Source.S3, ["test/key"]),
        ("s3_test_event", Source.S3, []),
        # EventBridge does not encode keys: a plus is a plus and %25 is three characters.
        ("eventbridge_created", Source.S3, ["images/red flower + 100%25.jpg"]),
        ("eventbridge_deleted", Source.S3, ["images/expired.jpg"]),
        ("sqs_s3_batch", Source.SQS, ["images/red flower.jpg", "images/old.jpg"]),
        ("sqs_eventbridge", Source.SQS, ["images/red flower + 100%25.jpg"]),
        ("batch_operations_1_0", Source.S3_BATCH, ["images/red flower.jpg"]),
        ("batch_operations_2_0", Source.S3_BATCH, ["images/red flower.jpg"]),
        ("scheduled", Source.SCHEDULE, []),
    ],
)
def test_every_shape_names_its_objects(name: str, source: Source, expected: list[str]) -> None:
    assert read(load(name)).source is source
    assert keys(name) == expected


def test_keys_are_decoded_as_s3_encodes_them() -> None:
    event = load("s3_key_encodings")
    assert [ref.key for ref in read(event).tasks[0].objects] == event["_keys"]


def test_sqs_messages_are_told_apart() -> None:
    first, second, test_event = read(load("sqs_s3_batch")).tasks
    assert first.objects == (ObjectRef("photos-bucket", "images/red flower.jpg"),)
    assert (first.attempt, second.attempt) == (1, 3)
    assert len({first.id, second.id, test_event.id}) == 3
    assert test_event.objects == ()
    assert not test_event.error


def test_batch_operations_bucket_comes_from_arn_or_name() -> None:
    for name in ("batch_operations_1_0", "batch_operations_2_0"):
        assert read(load(name)).tasks[0].objects[0].bucket == "photos-bucket"


def test_poison_messages_spare_their_neighbours() -> None:
    tasks = read(load("sqs_poison")).tasks
    assert [bool(task.error) for task in tasks] == [True, True, True, True, False, True]
    assert tasks[4].objects == (ObjectRef("photos-bucket", "images/good.jpg"),)
    assert "not JSON" in tasks[0].error
    assert "['hello']" in tasks[1].error
    assert "list" in tasks[2].error
    assert "%FF%FE" in tasks[3].error
    assert "Records[0].s3.object.key is missing" in tasks[5].error


def test_no_body_whatever_leaves_its_message() -> None:
    event = load("sqs_s3_batch")
    event["Records"][0] |= {"body": "[" * 60_000, "attributes": None}
    first, second, _ = read(event).tasks
    assert "not JSON" in first.error
    assert not second.error


def test_schedule_in_a_message_is_none() -> None:
    event = load("sqs_s3_batch")
    event["Records"][0]["body"] = json.dumps(load("scheduled"))
    assert "no event from S3" in read(event).tasks[0].error


@pytest.mark.parametrize("event", [{}, {"hello": "world"}, [], "text", None, {"Records": [{"eventSource": "aws:sns"}]}])
def test_unknown_event_says_what_is_taken(event: object) -> None:
    with pytest.raises(EventError, match=r"takes SQS messages .* S3 Batch Operations .* s3:TestEvent"):
        read(event)


def test_unknown_batch_schema_is_that_tasks_error() -> None:
    event = load("batch_operations_2_0") | {"invocationSchemaVersion": "3.0"}
    (task,) = read(event).tasks
    assert "'3.0'" in task.error


@pytest.mark.parametrize(
    "key", [*load("s3_key_encodings")["_keys"], string.printable, "+", "%2B", "a/ b//", "\0\u2028~*()"]
)
def test_notification_of_our_own_names_its_object(key: str) -> None:
    ref = ObjectRef("photos-bucket", key)
    body = notification(ref)
    assert body.isascii()
    assert read(json.loads(body)).tasks[0].objects == (ref,)
    message = {"eventSource": "aws:sqs", "messageId": "m", "body": body}
    (task,) = read({"Records": [message]}).tasks
    assert (task.objects, task.error) == ((ref,), "")


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=1024))
def test_notification_takes_any_key(key: str) -> None:
    ref = ObjectRef("photos-bucket", key)
    assert read(json.loads(notification(ref))).tasks[0].objects == (ref,)
