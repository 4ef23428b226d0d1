"""The applied module as its users see it: the bucket, the tables, the queues and the log."""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import boto3
import pytest
from boto3.dynamodb.types import TypeDeserializer
from localstack_client.session import Session

from tools.terraform import LOCAL

if TYPE_CHECKING:
    from image_labels_emulator.server import Server
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_rekognition import RekognitionClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

T = TypeVar("T")
SECONDS = 60.0
# Concurrent runs, such as those of make terraform-versions, need separate directories.
DIRECTORY = LOCAL / os.environ.get("E2E_DIRECTORY", "e2e")

# Uploaded first (conftest.py) and checked last (test_retries.py).
NEVER = "images/down/never.jpg"
THROTTLED = [f"images/throttled/{n}.jpg" for n in range(8)]


def wait_for(what: str, look: Callable[[], T | None], seconds: float = SECONDS) -> T:
    """Call `look` until it returns something, and return that. Fails with `what` after the timeout."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.1)


@dataclass(frozen=True)
class DeadLetter:
    """A message of the dead-letter queue: the original event, and the message attributes that explain it."""

    body: str
    why: dict[str, str]


@dataclass
class Stack:
    """The module's outputs and clients for the services behind them."""

    server: Server
    outputs: dict[str, str]

    def __post_init__(self) -> None:
        session = Session(localstack_host=urlsplit(self.server.url).netloc, aws_access_key_id="test")
        self.s3: S3Client = session.client("s3")
        self.sqs: SQSClient = session.client("sqs")
        self.dynamodb: DynamoDBClient = session.client("dynamodb")
        self.lambda_: LambdaClient = session.client("lambda")
        self.logs: CloudWatchLogsClient = session.client("logs")
        # localstack-client knows only the services that LocalStack has.
        self.rekognition: RekognitionClient = boto3.client("rekognition")

    @property
    def bucket(self) -> str:
        return self.outputs["bucket_name"]

    # -- photos

    def upload(self, key: str, body: bytes, labels: str | None = None, text: str | None = None) -> str:
        """Put an object with the labels and the text that the emulator is to return. Returns its version, or ""."""
        given = {"labels": labels, "text": text}
        metadata = {name: value for name, value in given.items() if value is not None}
        return self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, Metadata=metadata).get("VersionId", "")

    def keys(self, prefix: str) -> set[str]:
        """The keys of all objects under a prefix."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return {found["Key"] for page in pages for found in page.get("Contents", [])}

    def item(self, key: str) -> dict[str, Any] | None:
        """The item of a photo as plain values, or None."""
        answer = self.dynamodb.get_item(
            TableName=self.outputs["images_table_name"], Key={"PK": {"S": key}}, ConsistentRead=True
        )
        item = answer.get("Item")
        return {n: TypeDeserializer().deserialize(v) for n, v in item.items()} if item else None

    def labelled(self, key: str, version: str, seconds: float = SECONDS) -> dict[str, Any]:
        """Wait for the item of this version of a photo."""

        def look() -> dict[str, Any] | None:
            item = self.item(key)
            return item if item and item.get("VersionId", "") == version else None

        return wait_for(f"item of {key!r}", look, seconds)

    def labelled_keys(self) -> set[str]:
        """All keys with an item."""
        pages = self.dynamodb.get_paginator("scan").paginate(
            TableName=self.outputs["images_table_name"], ProjectionExpression="PK", ConsistentRead=True
        )
        return {item["PK"]["S"] for page in pages for item in page["Items"]}

    # -- queues

    def in_queue(self, url: str) -> int:
        """Number of messages in a queue, including those in flight."""
        attributes = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        waiting = attributes["ApproximateNumberOfMessages"]
        return int(waiting) + int(attributes["ApproximateNumberOfMessagesNotVisible"])

    def dead_letters(self) -> list[DeadLetter]:
        """All messages of the dead-letter queue, which stay visible."""
        url = self.outputs["dead_letter_queue_url"]
        found = []
        while messages := self.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=5, WaitTimeSeconds=0
        ).get("Messages"):
            found += messages
        for message in found:
            self.sqs.change_message_visibility(
                QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
            )
        return [
            DeadLetter(m["Body"], {n: v["StringValue"] for n, v in m.get("MessageAttributes", {}).items()})
            for m in found
        ]

    def send(self, body: object) -> None:
        """Send a message to the queue, as S3 does."""
        self.sqs.send_message(QueueUrl=self.outputs["queue_url"], MessageBody=json.dumps(body))

    def invoke(self, event: object) -> dict[str, Any]:
        """Invoke the function with an event, as the Lambda console does. Returns its answer."""
        answer = self.lambda_.invoke(
            FunctionName=self.outputs["lambda_function_name"], Payload=json.dumps(event).encode()
        )
        result: dict[str, Any] = json.loads(answer["Payload"].read())
        assert not answer.get("FunctionError"), result
        return result

    # -- logs, calls and faults

    def log(self, key: str, message: str) -> list[dict[str, Any]]:
        """The function's log lines with this message and this key, oldest first."""
        return [line for line in self.log_lines(message) if line.get("key") == key]

    def log_lines(self, message: str) -> list[dict[str, Any]]:
        """The function's log lines with this message, oldest first."""
        return [line for line in self.all_lines() if line.get("message") == message]

    def platform_lines(self, type_: str) -> list[dict[str, Any]]:
        """Lambda's own lines of this type, oldest first."""
        return [line for line in self.all_lines() if line.get("type") == type_]

    def all_lines(self) -> list[dict[str, Any]]:
        """All lines of the log group, oldest first: the function's and Lambda's."""
        pages = self.logs.get_paginator("filter_log_events").paginate(logGroupName=self.outputs["log_group_name"])
        return [json.loads(event["message"]) for page in pages for event in page["events"]]

    def rekognition_calls(self, key: str) -> int:
        """Number of DetectLabels calls for a photo."""
        photos = self.emulator("GET")["counters"]["photos"]
        return int(photos.get(self.bucket, {}).get(key, 0))

    def all_rekognition_calls(self) -> int:
        """Number of DetectLabels calls for all photos of the bucket."""
        return sum(self.emulator("GET")["counters"]["photos"].get(self.bucket, {}).values())

    def emulator(self, method: str, path: str = "", body: object = None) -> dict[str, Any]:
        """Call the administrative routes of the emulated Rekognition."""
        return self._emulator(method, f"rekognition{path}", body)

    def fail(self, rules: list[dict[str, Any]]) -> None:
        """Make AWS calls fail by these rules: see image_labels_emulator.faults_admin."""
        self._emulator("POST", "faults", rules)

    def heal(self) -> None:
        """Delete the rules of `fail`."""
        self._emulator("DELETE", "faults")

    def faults(self) -> list[dict[str, Any]]:
        """The rules of `fail`, with the number of calls that each has affected."""
        return list(self._emulator("GET", "faults")["rules"])

    def strike_function(self, how: str) -> None:
        """Kill or freeze the function's process."""
        self._emulator("POST", f"functions/{self.outputs['lambda_function_name']}/{how}")

    def _emulator(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        url = f"{self.server.url}/_emulator/{path}"
        request = urllib.request.Request(url, data, method=method, headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                result: dict[str, Any] = json.loads(answer.read())
        except urllib.error.HTTPError as error:
            pytest.fail(f"{method} {url}: {error.read().decode()}")
        return result


def stack_of(server: Server, outputs: dict[str, Any]) -> Stack:
    """The applied module with these outputs."""
    return Stack(server, {n: v if isinstance(v, str) else json.dumps(v) for n, v in outputs.items()})


def notification(bucket: str, key: str, event: str = "ObjectCreated:Put") -> dict[str, Any]:
    """An S3 notification. `key` is form-encoded, as in S3's events."""
    s3 = {"s3SchemaVersion": "1.0", "bucket": {"name": bucket}, "object": {"key": key}}
    return {"Records": [{"eventVersion": "2.1", "eventSource": "aws:s3", "eventName": event, "s3": s3}]}
