"""`make demo`: the wait for labels, and the explanation of photos without labels."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from support.fakes import BUCKET, TABLE

from tools import demo
from tools.unfinished import Unfinished, explain

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sqs import SQSClient

GROUP = "/aws/lambda/image-labels"
VERSIONS = {f"images/{n}.jpg": f"version-{n}" for n in range(5)}


pytestmark = pytest.mark.usefixtures("aws")


class Clock:
    """A clock that a sleep advances by 25 times its length; `at` schedules an action."""

    def __init__(self) -> None:
        self.now = 0.0
        self.due: list[tuple[float, Callable[[], Any]]] = []

    def at(self, seconds: float, act: Callable[[], Any]) -> None:
        self.due.append((seconds, act))

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += 25 * seconds
        for entry in [entry for entry in self.due if entry[0] <= self.now]:
            self.due.remove(entry)
            entry[1]()


class TestWaiting:
    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    def items(self, dynamodb: DynamoDBClient, clock: Clock) -> dict[str, dict[str, Any]]:
        outputs = {"images_table_name": TABLE}
        return demo.await_items(dynamodb, outputs, VERSIONS, clock=clock, sleep=clock.sleep)

    @staticmethod
    def put(dynamodb: DynamoDBClient, key: str, version: str) -> None:
        dynamodb.put_item(TableName=TABLE, Item={"PK": {"S": key}, "VersionId": {"S": version}})

    def test_all_come_one_after_the_other(self, dynamodb: DynamoDBClient, clock: Clock) -> None:
        """Only a pause that is too long ends the wait."""
        for n, (key, version) in enumerate(VERSIONS.items(), 1):
            clock.at(n * 0.8 * demo.LABEL_SECONDS, lambda k=key, v=version: self.put(dynamodb, k, v))  # type: ignore[misc]
        assert list(self.items(dynamodb, clock)) == list(VERSIONS)
        assert clock.now > 3 * demo.LABEL_SECONDS

    def test_some_do_not_come(self, dynamodb: DynamoDBClient, clock: Clock) -> None:
        self.put(dynamodb, "images/1.jpg", "version-1")
        self.put(dynamodb, "images/2.jpg", "of an earlier demo")
        assert list(self.items(dynamodb, clock)) == ["images/1.jpg"]
        assert clock.now < demo.LABEL_SECONDS + 10


class TestExplanation:
    @pytest.fixture
    def logs(self) -> CloudWatchLogsClient:
        return boto3.client("logs")

    @pytest.fixture
    def sqs(self) -> SQSClient:
        return boto3.client("sqs")

    @pytest.fixture
    def outputs(self, sqs: SQSClient) -> dict[str, str]:
        url = sqs.create_queue(QueueName="dead-letters")["QueueUrl"]
        return {"bucket_name": BUCKET, "log_group_name": GROUP, "dead_letter_queue_url": url}

    def log(self, logs: CloudWatchLogsClient, *lines: str) -> None:
        logs.create_log_group(logGroupName=GROUP)
        logs.create_log_stream(logGroupName=GROUP, logStreamName="a")
        now = int(time.time() * 1000)
        events: Any = [{"timestamp": now + n, "message": line} for n, line in enumerate(lines)]
        logs.put_log_events(logGroupName=GROUP, logStreamName="a", logEvents=events)

    def test_log_dead_letter_and_neither(
        self, logs: CloudWatchLogsClient, sqs: SQSClient, outputs: dict[str, str]
    ) -> None:
        failed = {"message": "photo failed", "key": "images/a.jpg", "attempt": 1, "cause": "old", "next_step": "old"}
        last = failed | {"attempt": 2, "cause": "Rekognition: InternalServerError", "next_step": "wait"}
        self.log(logs, "START", json.dumps(failed), json.dumps([1]), json.dumps(last), '{"key": "images/c.jpg"}')
        attributes = {"Photo": f"s3://{BUCKET}/images/b.jpg", "Cause": "no permission", "NextStep": "grant it"}
        sqs.send_message(
            QueueUrl=outputs["dead_letter_queue_url"],
            MessageBody="{}",
            MessageAttributes={n: {"DataType": "String", "StringValue": v} for n, v in attributes.items()},
        )
        a, b, c = explain(["images/a.jpg", "images/b.jpg", "images/c.jpg"], outputs, logs, sqs)
        assert a == Unfinished("images/a.jpg", "in a queue after attempt 2", "Rekognition: InternalServerError", "wait")
        assert b == Unfinished("images/b.jpg", "in the dead-letter queue", "no permission", "grant it")
        assert c.why == "the function logged no failure of this photo"
        assert "log" in c.next_step

    def test_function_that_never_ran(self, logs: CloudWatchLogsClient, sqs: SQSClient, outputs: dict[str, str]) -> None:
        (only,) = explain(["images/a.jpg"], outputs, logs, sqs)
        assert only.why == "the function logged no failure of this photo"

    def test_user_reads_which_photos_why_and_what_to_do(
        self, logs: CloudWatchLogsClient, sqs: SQSClient, outputs: dict[str, str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        line = {"key": "images/[a].jpg", "attempt": 1, "cause": "Rekognition: down", "next_step": "wait for it"}
        self.log(logs, json.dumps(line))
        demo.show_unfinished(explain(["images/[a].jpg", "images/b.jpg"], outputs, logs, sqs), 7, outputs)
        said = capsys.readouterr().out
        assert "error: 2 of 7 photos have no labels" in said
        for words in ("images/[a].jpg", "Rekognition: down", "wait for it", "images/b.jpg", GROUP, "localstack.log"):
            assert words in said
        assert "image-labels status" in said
        assert "make down" in said
