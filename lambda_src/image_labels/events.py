"""Every event shape the function takes -> the objects to look at; and one of them made, for an object that waits.

What happened to an object is not read from the event: the bucket is asked (see reconcile.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any
from urllib.parse import quote_plus, unquote_plus

SHAPES = (
    "SQS messages holding S3 notifications or S3 events from EventBridge, a bare S3 notification, "
    "an S3 event from EventBridge, an S3 Batch Operations task (schema 1.0 or 2.0), s3:TestEvent, or EventBridge's "
    "Scheduled Event"
)


class EventError(ValueError):
    """An event, or a part of it, of no known shape; the message says where and what would be right."""


class Source(StrEnum):
    """Who sent the event, which decides the form of the answer."""

    SQS = "sqs"
    S3 = "s3"
    S3_BATCH = "s3-batch"
    SCHEDULE = "schedule"


@dataclass(frozen=True)
class ObjectRef:
    """An object by name; `key` is decoded."""

    bucket: str
    key: str


@dataclass(frozen=True)
class Task:
    """What is answered for as one: an SQS message, a task of S3 Batch Operations, or a bare event.

    `error` says why it could not be read, in which case there are no objects. `attempt` counts deliveries from 1;
    `body`, `receipt_handle` and `sent_ms` are an SQS message's own, the latter when it came into the queue, in
    milliseconds since the epoch; 0 for other events.
    """

    id: str
    objects: tuple[ObjectRef, ...] = ()
    error: str = ""
    attempt: int = 1
    body: str = ""
    receipt_handle: str = ""
    sent_ms: int = 0


@dataclass(frozen=True)
class Work:
    """An event read; that of a schedule has no tasks, it says that it is time to look at the photos that wait.

    `invocation` holds what S3 Batch Operations wants back: its schema version and id.
    """

    source: Source
    tasks: tuple[Task, ...]
    invocation: tuple[str, str] = ("", "")


def read(event: object) -> Work:
    """Read an event. A message of no known shape is a Task with an error and spares the others of its batch.

    Raises EventError if the event as a whole is of no known shape.
    """
    if not isinstance(event, Mapping):
        raise EventError(f"the event is {type(event).__name__}, not an object. This function takes {SHAPES}.")
    if _is_sqs(event):
        return Work(Source.SQS, tuple(_message(record) for record in event["Records"]))
    if "tasks" in event and "invocationSchemaVersion" in event:
        version, id_ = _text(event, "invocationSchemaVersion"), _text(event, "invocationId")
        return Work(Source.S3_BATCH, tuple(_batch_task(task, version) for task in event["tasks"]), (version, id_))
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-run-lambda-schedule.html
    if event.get("source") == "aws.events" and event.get("detail-type") == "Scheduled Event":
        return Work(Source.SCHEDULE, ())
    return Work(Source.S3, (Task("", _objects(event)),))


def notification(ref: ObjectRef) -> str:
    """A message for this object that `read` takes: of S3's notifications as much as is read of them."""
    s3 = {"bucket": {"name": ref.bucket}, "object": {"key": quote_plus(ref.key)}}
    return json.dumps({"Records": [{"eventSource": "aws:s3", "s3": s3}]})


def _is_sqs(event: Mapping[str, Any]) -> bool:
    records = event.get("Records")
    return (
        isinstance(records, list)
        and bool(records)
        and all(isinstance(record, Mapping) and record.get("eventSource") == "aws:sqs" for record in records)
    )


def _message(record: Mapping[str, Any]) -> Task:
    attributes = record.get("attributes") or {}
    task = Task(
        _text(record, "messageId"),
        attempt=int(attributes.get("ApproximateReceiveCount", 1)),
        sent_ms=int(attributes.get("SentTimestamp", 0)),
        body=str(record.get("body", "")),
        receipt_handle=str(record.get("receiptHandle", "")),
    )
    try:
        return replace(task, objects=_objects(json.loads(task.body)))
    except (json.JSONDecodeError, RecursionError) as error:  # the latter for "[[[[…"
        return replace(task, error=f"the message's body is not JSON: {error}")
    except EventError as error:
        return replace(task, error=str(error))


def _objects(event: object) -> tuple[ObjectRef, ...]:
    """The objects of one event from S3, whichever way it came."""
    if isinstance(event, Mapping):
        if event.get("Event") == "s3:TestEvent":  # S3 sends it when a notification is set up
            return ()
        if event.get("source") == "aws.s3":
            return (_from_eventbridge(event),)
        records = event.get("Records")
        if isinstance(records, list) and all(
            isinstance(record, Mapping) and record.get("eventSource") == "aws:s3" for record in records
        ):
            return tuple(_from_notification(record, f"Records[{n}]") for n, record in enumerate(records))
        what = f"an object with the keys {sorted(event)[:10]}"
    else:
        what = f"{type(event).__name__}"
    raise EventError(f"this is no event from S3, but {what}. This function takes {SHAPES}.")


def _from_notification(record: Mapping[str, Any], where: str) -> ObjectRef:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html"""
    return ObjectRef(
        bucket=_text(record, "s3.bucket.name", where),
        key=_decoded(_text(record, "s3.object.key", where), where),
    )


def _from_eventbridge(event: Mapping[str, Any]) -> ObjectRef:
    """Its keys are not encoded: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html"""
    return ObjectRef(bucket=_text(event, "detail.bucket.name"), key=_text(event, "detail.object.key"))


def _batch_task(task: object, version: str) -> Task:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-invoke-lambda.html"""
    if not isinstance(task, Mapping):
        raise EventError(f"a task of S3 Batch Operations is {type(task).__name__}, not an object")
    id_ = _text(task, "taskId")
    try:
        match version:
            case "1.0":
                bucket = _text(task, "s3BucketArn").rpartition(":::")[2]
            case "2.0":
                bucket = _text(task, "s3Bucket")
            case _:
                raise EventError(f"invocationSchemaVersion is {version!r}; this function takes '1.0' and '2.0'")
        return Task(id_, (ObjectRef(bucket, _decoded(_text(task, "s3Key"), "tasks[]")),))
    except EventError as error:
        return Task(id_, error=str(error))


def _decoded(key: str, where: str) -> str:
    """S3 encodes keys as HTML forms do ("red flower.jpg" is "red+flower.jpg"), in notifications and in Batch."""
    try:
        return unquote_plus(key, errors="strict")
    except UnicodeDecodeError as error:
        raise EventError(f"{where}: the key {key!r} is not form-encoded UTF-8: {error}") from error


def _text(event: Mapping[str, Any], path: str, where: str = "") -> str:
    """The text at a dotted path. Raises EventError naming the place if there is none."""
    value: Any = event
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    if not isinstance(value, str) or not value:
        place = f"{where}.{path}" if where else path
        raise EventError(f"{place} is missing or not a text. This function takes {SHAPES}.")
    return value
