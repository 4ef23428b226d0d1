"""Reads the objects from every event shape that the function takes, and writes such an event for a waiting photo.

What happened to an object is not read from the event, because the bucket is the source of truth (see reconcile.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple
from urllib.parse import quote_plus, unquote_plus

from image_labels.model import is_iso_time

SHAPES = (
    "SQS messages holding S3 notifications or S3 events from EventBridge (also through SNS), a bare S3 notification, "
    "an S3 event from EventBridge, an S3 Batch Operations task (schema 1.0 or 2.0), s3:TestEvent, or EventBridge's "
    "Scheduled Event"
)

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
MAX_KEY_BYTES = 1024


class EventError(ValueError):
    """An event, or a part of it, of no known shape. The message says where and what is allowed.

    `next_step` says what to do about it; empty means to find the sender.
    """

    def __init__(self, message: str, next_step: str = "") -> None:
        super().__init__(message)
        self.next_step = next_step


class Source(StrEnum):
    """Who sent the event, which decides the form of the answer."""

    SQS = "sqs"
    S3 = "s3"
    S3_BATCH = "s3-batch"
    SCHEDULE = "schedule"


class ObjectRef(NamedTuple):
    """An object by name; `key` is decoded. Labels from before the time `labelled_before` are to be replaced, if any."""

    bucket: str
    key: str
    labelled_before: str = ""


class Task(NamedTuple):
    """What is answered for as one: an SQS message, a task of S3 Batch Operations, or a bare event.

    `error` says why it, or a part of it, could not be read, and `next_step` what to do about it; `objects` are those of
    the parts that could.
    `attempt` counts deliveries from 1; `body`, `receipt_handle` and `sent_ms` are an SQS message's own, the latter when
    it came into the queue, in milliseconds since the epoch; 0 for other events.
    """

    id: str
    objects: tuple[ObjectRef, ...] = ()
    error: str = ""
    next_step: str = ""
    attempt: int = 1
    body: str = ""
    receipt_handle: str = ""
    sent_ms: int = 0


class Work(NamedTuple):
    """An event that was read. That of a schedule has no tasks: it starts a move of waiting photos.

    `invocation` holds what S3 Batch Operations wants back: its schema version and id.
    """

    source: Source
    tasks: tuple[Task, ...]
    invocation: tuple[str, str] = ("", "")


def read(event: object) -> Work:
    """Read an event. A message of no known shape is a Task with an error; the rest of its batch is read.

    Raises EventError if the event as a whole is of no known shape.
    """
    if not isinstance(event, Mapping):
        raise EventError(f"the event is {type(event).__name__}, not an object. This function takes {SHAPES}.")
    if _is_sqs(event):
        return Work(Source.SQS, _alike([_message(record) for record in event["Records"]]))
    if "tasks" in event and "invocationSchemaVersion" in event:
        version, id_ = _text(event, "invocationSchemaVersion"), _text(event, "invocationId")
        tasks = event["tasks"]
        if not isinstance(tasks, list):
            raise EventError(f"tasks is {type(tasks).__name__}, not a list. This function takes {SHAPES}.")
        return Work(Source.S3_BATCH, tuple(_batch_task(task, version) for task in tasks), (version, id_))
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-run-lambda-schedule.html
    if event.get("source") == "aws.events" and event.get("detail-type") == "Scheduled Event":
        return Work(Source.SCHEDULE, ())
    task = _with_objects(Task(""), lambda: event)
    if task.error and not task.objects:
        raise EventError(task.error, task.next_step)
    return Work(Source.S3, _alike([task]))


def _alike(tasks: Sequence[Task]) -> tuple[Task, ...]:
    """The tasks with the same ObjectRef for the same object, so that each object is reconciled once."""
    refs = {ref for task in tasks for ref in task.objects}
    if not any(ref.labelled_before for ref in refs):
        return tuple(tasks)
    latest: dict[tuple[str, str], ObjectRef] = {}
    for ref in sorted(refs, key=lambda ref: ref.labelled_before):
        latest[ref.bucket, ref.key] = ref
    return tuple(task._replace(objects=tuple(latest[ref.bucket, ref.key] for ref in task.objects)) for task in tasks)


def notification(ref: ObjectRef) -> str:
    """A message for this object that `read` takes: the part of an S3 notification that it reads.

    `labelledBefore` is the module's own addition to a record, which `image-labels relabel` sends.
    """
    s3 = {"bucket": {"name": ref.bucket}, "object": {"key": quote_plus(ref.key)}}
    again = {"labelledBefore": ref.labelled_before} if ref.labelled_before else {}
    return json.dumps({"Records": [{"eventSource": "aws:s3", "s3": s3, **again}]})


def _is_sqs(event: Mapping[str, Any]) -> bool:
    """One record is enough: SQS must get an answer for its messages, even if other records are among them."""
    records = event.get("Records")
    return isinstance(records, list) and any(
        isinstance(record, Mapping) and record.get("eventSource") == "aws:sqs" for record in records
    )


def _message(record: object) -> Task:
    """https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event

    A message without an id can be returned only with its whole batch: that is what an empty id means to SQS.
    """
    if not isinstance(record, Mapping):
        return Task("", error=f"the message is {type(record).__name__}, not an object")
    attributes = record.get("attributes")
    body = record.get("body")
    task = Task(
        _text_or_empty(record.get("messageId")),
        attempt=_whole_number(attributes, "ApproximateReceiveCount") or 1,
        sent_ms=_whole_number(attributes, "SentTimestamp"),
        body=body if isinstance(body, str) else "",
        receipt_handle=_text_or_empty(record.get("receiptHandle")),
    )
    return _with_objects(task, lambda: _json(task.body, "the message's body"))


def _with_objects(task: Task, event: Callable[[], object]) -> Task:
    """The task with all objects that can be read in the event, and the first error."""
    objects: list[ObjectRef] = []
    try:
        for found in _objects(event()):
            if isinstance(found, EventError):
                task = task if task.error else task._replace(error=str(found), next_step=found.next_step)
            else:
                objects.append(found)
    except EventError as error:
        task = task._replace(error=str(error), next_step=error.next_step)
    return task._replace(objects=tuple(objects))


def _text_or_empty(value: object) -> str:
    return value if isinstance(value, str) and _is_utf8(value) else ""


def _whole_number(attributes: object, name: str) -> int:
    """An attribute of a message, all of which are texts; 0 if it is missing or is no number of at most 15 digits."""
    value = attributes.get(name) if isinstance(attributes, Mapping) else None
    text = str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    return int(text) if len(text) <= 15 and text.isascii() and text.isdigit() else 0


def _json(text: str, what: str) -> object:
    try:
        return json.loads(text)
    # ValueError also for a number of more than 4,300 digits, RecursionError for "[[[[…".
    except (ValueError, RecursionError) as error:
        raise EventError(f"{what} is not JSON: {error}") from error


def _objects(event: object) -> Iterator[ObjectRef | EventError]:
    """The objects of one event from S3, whichever way it came, and the errors of the records that cannot be read.

    Raises EventError if it is none.
    """
    if not isinstance(event, Mapping):
        raise EventError(f"this is no event from S3, but {type(event).__name__}. This function takes {SHAPES}.")
    if event.get("Event") == "s3:TestEvent":  # S3 sends it when a notification is set up
        return
    if event.get("source") == "aws.s3":
        yield _from_eventbridge(event)
    elif "TopicArn" in event and "Type" in event:  # a topic that sends to the queue, without raw delivery
        yield from _from_sns(event)
    elif _all_from(event.get("Records"), "eventSource", "aws:s3"):
        for n, record in enumerate(event["Records"]):
            try:
                yield _from_notification(record, f"Records[{n}]")
            except EventError as error:
                yield error
    elif _all_from(event.get("Records"), "EventSource", "aws:sns"):  # a topic that invokes the function itself
        for record in event["Records"]:
            try:
                yield from _from_sns(record.get("Sns"))
            except EventError as error:
                yield error
    else:
        keys = _short(", ".join(sorted(map(str, event))[:10]))
        raise EventError(f"this is no event from S3, but an object with the keys {keys}. This function takes {SHAPES}.")


def _all_from(records: object, name: str, source: str) -> bool:
    return isinstance(records, list) and all(
        isinstance(record, Mapping) and record.get(name) == source for record in records
    )


def _from_sns(event: object) -> Iterator[ObjectRef | EventError]:
    """https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html"""
    if not isinstance(event, Mapping):
        raise EventError(f"the SNS notification is {type(event).__name__}, not an object")
    if event.get("Type") != "Notification":  # SubscriptionConfirmation, UnsubscribeConfirmation
        raise EventError(
            f"this message of the SNS topic {_short(event.get('TopicArn'))} has the type {_short(event.get('Type'))}: "
            "it names no photo",
            "to confirm a subscription, open the SubscribeURL in the message's body; then delete the message from the "
            "dead-letter queue",
        )
    yield from _objects(_json(_text(event, "Message"), "the Message of the SNS notification"))


def _from_notification(record: Mapping[str, Any], where: str) -> ObjectRef:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html"""
    found = _object(
        _text(record, "s3.bucket.name", where), _decoded(_text(record, "s3.object.key", where), where), where
    )
    return found._replace(labelled_before=_labelled_before(record, where)) if "labelledBefore" in record else found


def _labelled_before(record: Mapping[str, Any], where: str) -> str:
    """A time in the form of model.iso_time, because times are compared as texts."""
    time = record["labelledBefore"]
    if not isinstance(time, str) or not is_iso_time(time):
        raise EventError(
            f"{where}.labelledBefore is {_short(time)}; a time such as 2026-11-28T07:30:00.000+00:00 is allowed"
        )
    return time


def _from_eventbridge(event: Mapping[str, Any]) -> ObjectRef:
    """Its keys are not encoded: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html"""
    return _object(_text(event, "detail.bucket.name"), _text(event, "detail.object.key"), "detail")


def _batch_task(task: object, version: str) -> Task:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-invoke-lambda.html"""
    if not isinstance(task, Mapping):
        raise EventError(f"a task of S3 Batch Operations is {type(task).__name__}, not an object")
    id_ = _text(task, "taskId")
    try:
        match version:
            case "1.0":
                # "arn:aws:s3:::bucket", and in the guide's example "arn:aws:s3:us-east-1:0123456788:bucket".
                bucket = _text(task, "s3BucketArn").rpartition(":")[2]
            case "2.0":
                bucket = _text(task, "s3Bucket")
            case _:
                raise EventError(f"invocationSchemaVersion is {_short(version)}; this function takes '1.0' and '2.0'")
        return Task(id_, (_object(bucket, _decoded(_text(task, "s3Key"), "tasks[]"), "tasks[]"),))
    except EventError as error:
        return Task(id_, error=str(error), next_step=error.next_step)


def _object(bucket: str, key: str, where: str) -> ObjectRef:
    """An object that S3 could have. Raises EventError for a key that it cannot have: no request could carry it."""
    size = len(key.encode())
    if not 1 <= size <= MAX_KEY_BYTES:
        raise EventError(f"{where}: the key {_short(key)} has {size:,} bytes; S3's keys have 1 to {MAX_KEY_BYTES:,}")
    return ObjectRef(bucket, key)


def _decoded(key: str, where: str) -> str:
    """S3 encodes keys as HTML forms do ("red flower.jpg" is "red+flower.jpg"), in notifications and in Batch."""
    try:
        return unquote_plus(key, errors="strict")
    except UnicodeDecodeError as error:
        raise EventError(f"{where}: the key {_short(key)} is not form-encoded UTF-8: {error.reason}") from error


def _short(value: object) -> str:
    """For an error message: what comes from outside may have 256 KB, and any nesting."""
    text = repr(value) if isinstance(value, str) else f"({type(value).__name__})"
    return text if len(text) <= 200 else f"{text[:200]}…"


def _text(event: Mapping[str, Any], path: str, where: str = "") -> str:
    """The text at a dotted path. Raises EventError naming the place if there is none, or if it is no UTF-8."""
    value: Any = event
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    place = f"{where}.{path}" if where else path
    if not isinstance(value, str) or not value:
        raise EventError(f"{place} is missing or not a text. This function takes {SHAPES}.")
    if not _is_utf8(value):
        raise EventError(f"{place}: {_short(value)} has half of a surrogate pair, so it is no UTF-8, as S3's names are")
    return value


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
