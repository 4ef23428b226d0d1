"""The objects in events of each shape that AWS sends (events/*.json)."""

from __future__ import annotations

import json
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_labels.events import EventError, ObjectRef, Source, notification, read
from support.event_files import load


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
        ("sqs_sns", Source.SQS, ["images/red flower.jpg", "images/red flower + 100%25.jpg"]),
        ("sns_s3", Source.S3, ["images/red flower.jpg"]),
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


def test_notification_says_which_labels_to_replace() -> None:
    ref = ObjectRef("photos-bucket", "images/a b.jpg", "2026-11-28T07:00:00.000+00:00")
    assert read(json.loads(notification(ref))).tasks[0].objects == (ref,)


@pytest.mark.parametrize(
    "time", ["", "now", "2026-11-28", "2026-11-28T07:00:00Z", "२०२६-11-28T07:00:00.000+00:00", 7, None, []]
)
def test_time_that_cannot_be_compared_is_an_error(time: object) -> None:
    record = json.loads(notification(ObjectRef("photos-bucket", "a")))["Records"][0] | {"labelledBefore": time}
    with pytest.raises(EventError, match=r"Records\[0\].labelledBefore is .*; a time such as 2026-11-28T07:30:00.000"):
        read({"Records": [record]})


def test_each_sqs_message_is_a_task() -> None:
    first, second, test_event = read(load("sqs_s3_batch")).tasks
    assert first.objects == (ObjectRef("photos-bucket", "images/red flower.jpg"),)
    assert (first.attempt, second.attempt) == (1, 3)
    assert len({first.id, second.id, test_event.id}) == 3
    assert test_event.objects == ()
    assert not test_event.error


def test_batch_operations_bucket_comes_from_arn_or_name() -> None:
    for name in ("batch_operations_1_0", "batch_operations_2_0"):
        assert read(load(name)).tasks[0].objects[0].bucket == "photos-bucket"


def test_batch_operations_bucket_arn_may_name_region_and_account() -> None:
    """As in the example of https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-invoke-lambda.html"""
    event = load("batch_operations_1_0")
    event["tasks"][0]["s3BucketArn"] = "arn:aws:s3:us-east-1:0123456788:photos-bucket"
    assert read(event).tasks[0].objects[0].bucket == "photos-bucket"


def test_unreadable_messages_do_not_affect_the_valid_one() -> None:
    tasks = read(load("sqs_poison")).tasks
    assert [bool(task.error) for task in tasks] == [True, True, True, True, False, True]
    assert tasks[4].objects == (ObjectRef("photos-bucket", "images/good.jpg"),)
    assert "not JSON" in tasks[0].error
    assert "the keys 'hello'" in tasks[1].error
    assert "list" in tasks[2].error
    assert "%FF%FE" in tasks[3].error
    assert "Records[0].s3.object.key is missing" in tasks[5].error


def test_deeply_nested_body_fails_only_its_message() -> None:
    event = load("sqs_s3_batch")
    event["Records"][0] |= {"body": "[" * 60_000, "attributes": None}
    first, second, _ = read(event).tasks
    assert "not JSON" in first.error
    assert not second.error


def test_subscription_confirmation_has_a_next_step() -> None:
    created, _, test_event, confirmation = read(load("sqs_sns")).tasks
    assert not created.error
    assert not test_event.error
    assert "'SubscriptionConfirmation'" in confirmation.error
    assert "arn:aws:sns:eu-central-1:111122223333:photos" in confirmation.error
    assert "SubscribeURL" in confirmation.next_step


def s3_record(key: object = "images/a.jpg", bucket: object = "photos-bucket") -> dict[str, Any]:
    return {"eventSource": "aws:s3", "s3": {"bucket": {"name": bucket}, "object": {"key": key}}}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("1" * 5000, "not JSON: Exceeds the limit"),
        ('{"Records": [' + "1" * 5000 + "]}", "not JSON: Exceeds the limit"),
        ("", "not JSON"),
        (None, "not JSON"),
        (7, "not JSON"),
        (
            '{"source":"aws.s3","detail":{"bucket":{"name":"B"},"object":{"key":"images/\\ud83d.jpg"}}}',
            r"detail.object.key: 'images/\ud83d.jpg' has half of a surrogate pair",
        ),
        (json.dumps({"Records": [s3_record(bucket="\udc80")]}), "Records[0].s3.bucket.name: '\\udc80' has half of a"),
        (json.dumps({"Records": [s3_record("a" * 1025)]}), "has 1,025 bytes; S3's keys have 1 to 1,024"),
        (json.dumps({"Records": [s3_record("%C3%A4" * 513)]}), "has 1,026 bytes"),
        (json.dumps({"TopicArn": "t", "Type": {"a": 1}}), "the type (dict)"),
        (json.dumps({"TopicArn": "t", "Type": "Notification", "Message": 1}), "Message is missing or not a text"),
        (json.dumps({"TopicArn": "t", "Type": "Notification", "Message": "{"}), "the Message of the SNS notification"),
    ],
)
def test_unreadable_message_has_an_error_and_the_others_are_read(body: object, words: str) -> None:
    event = load("sqs_s3_batch")
    event["Records"][0]["body"] = body
    first, second, third = read(event).tasks
    assert words in first.error
    assert first.objects == ()
    assert second.objects == (ObjectRef("photos-bucket", "images/old.jpg"),)
    assert not second.error
    assert not third.error


@pytest.mark.parametrize(
    "attributes",
    [None, [], "x", {"ApproximateReceiveCount": "many", "SentTimestamp": None}, {"ApproximateReceiveCount": "-1"},
     {"ApproximateReceiveCount": "9" * 5000, "SentTimestamp": "1e3"}, {"ApproximateReceiveCount": [1]},
     {"ApproximateReceiveCount": "²", "SentTimestamp": True}],
)  # fmt: skip
def test_unreadable_attributes_have_default_values(attributes: object) -> None:
    event = load("sqs_s3_batch")
    event["Records"][0]["attributes"] = attributes
    task = read(event).tasks[0]
    assert (task.attempt, task.sent_ms, task.error) == (1, 0, "")


def test_unreadable_record_does_not_affect_the_others_of_its_message() -> None:
    body = json.dumps({"Records": [s3_record("images/a.jpg"), s3_record(7), s3_record("images/b.jpg")]})
    message = {"eventSource": "aws:sqs", "messageId": "m", "body": body}
    (task,) = read({"Records": [message]}).tasks
    assert [ref.key for ref in task.objects] == ["images/a.jpg", "images/b.jpg"]
    assert "Records[1].s3.object.key" in task.error


@pytest.mark.parametrize("record", [None, 7, {}, {"eventSource": "aws:s3"}, {"messageId": "\ud83d"}])
def test_record_that_is_no_message_has_an_empty_id(record: object) -> None:
    """To SQS, an empty id means the whole batch; there is no other way to keep the message."""
    event = load("sqs_s3_batch")
    event["Records"].append(record)
    *good, odd = read(event).tasks
    assert [bool(task.error) for task in good] == [False] * 3
    assert odd.id == ""
    assert odd.error


def test_schedule_in_a_message_is_an_error() -> None:
    event = load("sqs_s3_batch")
    event["Records"][0]["body"] = json.dumps(load("scheduled"))
    assert "no event from S3" in read(event).tasks[0].error


@pytest.mark.parametrize("event", [{}, {"hello": "world"}, [], "text", None, {"Records": [{"eventSource": "aws:sns"}]}])
def test_unknown_event_is_refused_with_the_known_shapes(event: object) -> None:
    with pytest.raises(EventError, match=r"takes SQS messages .* S3 Batch Operations .* s3:TestEvent"):
        read(event)


def test_unknown_batch_schema_is_an_error_of_the_task() -> None:
    event = load("batch_operations_2_0") | {"invocationSchemaVersion": "3.0"}
    (task,) = read(event).tasks
    assert "'3.0'" in task.error


@pytest.mark.parametrize(
    "key", [*load("s3_key_encodings")["_keys"], string.printable, "+", "%2B", "a/ b//", "\0\u2028~*()"]
)
def test_notification_for_a_key_is_read_as_that_key(key: str) -> None:
    ref = ObjectRef("photos-bucket", key)
    body = notification(ref)
    assert body.isascii()
    assert read(json.loads(body)).tasks[0].objects == (ref,)
    message = {"eventSource": "aws:sqs", "messageId": "m", "body": body}
    (task,) = read({"Records": [message]}).tasks
    assert (task.objects, task.error) == ((ref,), "")


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=1024))
def test_notification_for_any_key_is_read_as_that_key(key: str) -> None:
    ref = ObjectRef("photos-bucket", key)
    assert read(json.loads(notification(ref))).tasks[0].objects == (ref,)
