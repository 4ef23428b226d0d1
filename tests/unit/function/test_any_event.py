"""The function answers any event: each message is settled, returned to the queue, or a dead letter with its cause.

The real function with its real clients, and Lambda's own log format. `make prove` sends 100,000 events, `make test`
2,000.
"""

from __future__ import annotations

import copy
import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import pytest
from awslambdaric.lambda_runtime_log_utils import JsonFormatter  # type: ignore[import-untyped]
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from image_labels.answers import SomeFailed
from image_labels.clients import make_clients
from image_labels.events import EventError, Source, Task, read
from image_labels.queues.redelivery import allowed_in_sqs
from support.answering_aws import Aws
from support.cold_start import start
from support.event_files import all_events
from support.fakes import BUCKET

EVENTS = int(os.environ.get("EVENTS", "2000"))
SHAPES = all_events()

TEXTS = st.text(st.characters() | st.sampled_from("\ud83d\udc80\u2028\0%+/."), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS, lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["Records", "s3", "source", "Type", "TopicArn"]) | TEXTS, inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in the value, with each of its indices or keys."""
    for where in range(len(value)) if isinstance(value, list) else list(value):
        yield value, where
        if isinstance(value[where], (list, dict)):
            yield from places(value[where])


@st.composite
def damaged(draw: Callable[[Any], Any]) -> Any:
    """An event as AWS shapes it, with one or two of its values replaced."""
    event = copy.deepcopy(draw(st.sampled_from(SHAPES)))
    for _ in range(draw(st.integers(0, 2))):
        container, where = draw(st.sampled_from(list(places(event))))
        container[where] = draw(VALUES)
    return event


NAMES = st.sampled_from(["images/\ud83d.jpg", "\udc80", "k" * 1025, "%FF", "a%00b+c", "..", "/"]) | TEXTS | VALUES


@st.composite
def naming(draw: Callable[[Any], Any]) -> Any:
    """An event for an object of any name."""
    bucket, key = draw(st.just(BUCKET) | NAMES), draw(NAMES)
    where = {"bucket": {"name": bucket}, "object": {"key": key}}
    if draw(st.booleans()):
        return {"source": "aws.s3", "detail": where}
    return {"Records": [{"eventSource": "aws:s3", "s3": where}]}


BODIES = st.one_of(
    TEXTS,
    st.binary(max_size=20).map(lambda data: data.decode("latin-1")),
    st.sampled_from(["9" * 5000, "[" * 5000, '{"Records": [1e999, -' + "9" * 5000 + "]}", "NaN", '"\\ud83d"']),
    (VALUES | damaged() | naming()).map(json.dumps),
    damaged().map(lambda event: json.dumps(event, ensure_ascii=False)),
    damaged().map(lambda event: json.dumps({"Type": "Notification", "TopicArn": "t", "Message": json.dumps(event)})),
)
COUNTS = st.sampled_from(["1", "2", "5", "x", "9" * 5000]) | VALUES
MESSAGES = st.fixed_dictionaries(
    {
        "eventSource": st.just("aws:sqs"),
        "messageId": st.sampled_from(["a", "b", "c"]) | VALUES,
        "body": BODIES | VALUES,
    },
    optional={
        "attributes": st.fixed_dictionaries({"ApproximateReceiveCount": COUNTS, "SentTimestamp": COUNTS}) | VALUES,
        "receiptHandle": TEXTS | VALUES,
        "messageAttributes": VALUES,
    },
)
VALID = {
    "eventSource": "aws:sqs",
    "messageId": "valid",
    "attributes": {"ApproximateReceiveCount": "1"},
    "body": json.dumps({"source": "aws.s3", "detail": {"bucket": {"name": BUCKET}, "object": {"key": "valid.jpg"}}}),
}


class Log(logging.Handler):
    """The lines that Lambda writes; `lost` are the records that it cannot write."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonFormatter())
        self.lines: list[Mapping[str, Any]] = []
        self.lost: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.lines.append(json.loads(self.format(record).encode()))
        except (ValueError, TypeError) as error:
            self.lost.append(repr(error))
            raise


class Function:
    """The function with its AWS and its log, which are emptied before each event."""

    def __init__(self, handle: Callable[[object, float], Any], aws: Aws, log: Log) -> None:
        self._handle = handle
        self.aws = aws
        self.log = log

    def __call__(self, event: object) -> Any:
        self.aws.clear()
        self.log.lines.clear()
        answer = self._handle(event, 60.0)
        json.dumps(answer, ensure_ascii=False).encode()  # as Lambda sends it
        assert not self.log.lost
        return answer


@pytest.fixture(name="function", scope="module")
def a_function() -> Iterator[Function]:
    aws, log, logger = Aws(), Log(), logging.getLogger("image_labels")
    level, propagate = logger.level, logger.propagate
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        logger.addHandler(log)
        logger.propagate = False  # pytest would format and keep each line, too
        logger.setLevel(logging.INFO)
        clients = make_clients(concurrency=5)
        for client in (clients.s3, clients.rekognition, clients.dynamodb, clients.sqs(), clients.dynamodb_once()):
            client.meta.events.register_first("before-send", cast("Any", lambda request, **_: aws.send(request)))
        make_function = start(patch, DETECT_LABELS_PER_SECOND="10000").make_function
        yield Function(make_function(os.environ, clients=clients).handle, aws, log)
        logger.removeHandler(log)
        logger.setLevel(level)
        logger.propagate = propagate


def events(count: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return settings(
        max_examples=count,
        deadline=None,
        database=None,
        derandomize=EVENTS == 2000,
        suppress_health_check=list(HealthCheck),
    )


@events(EVENTS * 3 // 4)
@given(odd=st.lists(MESSAGES, min_size=1, max_size=3), place=st.integers(0, 3))
def test_each_message_is_settled_returned_or_dead_lettered_and_the_valid_one_is_labelled(
    function: Function, odd: list[Any], place: int
) -> None:
    messages = copy.deepcopy(odd)
    messages.insert(place, VALID)
    back = {failure["itemIdentifier"] for failure in function({"Records": messages})["batchItemFailures"]}
    assert "valid" not in back
    assert function.aws.items["valid.jpg"]["Labels"] == {"SS": ["Dog"]}
    (line,) = [line for line in function.log.lines if line.get("key") == "valid.jpg"]
    assert (line["message"], line["attempt"]) == ("photo labelled", 1)

    dead = {sent["MessageBody"]: sent["MessageAttributes"]["Cause"] for sent in function.aws.sent}
    for task in read({"Records": messages}).tasks:
        assert_settled_or_not(task, back, dead, function.aws)


def assert_settled_or_not(task: Task, back: set[str], dead: Mapping[str, Any], aws: Aws) -> None:
    """Photos of the bucket are labelled. Unreadable messages, and those of another bucket, are kept or dead letters."""
    for ref in task.objects:
        if ref.bucket == BUCKET:
            assert ref.key in aws.heads
            assert aws.items[ref.key]["Status"] == {"S": "LABELLED"}
    if task.error or any(ref.bucket != BUCKET for ref in task.objects):
        assert task.id in back or allowed_in_sqs(task.body) in dead
    if task.error and task.body and all(ref.bucket == BUCKET for ref in task.objects):
        assert dead[allowed_in_sqs(task.body)]["StringValue"]


@events(EVENTS // 4)
@given(VALUES | damaged() | naming())
def test_event_is_answered_or_refused_with_a_reason(function: Function, event: Any) -> None:
    try:
        answer = function(event)
    except (EventError, SomeFailed) as refused:
        str(refused).encode()
        return
    match read(event).source:
        case Source.SQS:
            assert answer.keys() == {"batchItemFailures"}
        case Source.S3_BATCH:
            assert len(answer["results"]) == len(event["tasks"])
            assert all(result["resultCode"] and result["resultString"] for result in answer["results"])
        case Source.SCHEDULE:
            assert answer == {"counted": 0, "moved": 0, "waiting": 0}
        case Source.S3:
            assert answer.keys() == {"photos"}
