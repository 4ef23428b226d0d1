"""The photo queue and its dead-letter queue on LocalStack, and their messages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote_plus, unquote_plus

import boto3

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from bench.module import Sizing

BUCKET = "photos"
COUNTS: tuple[
    Literal["ApproximateNumberOfMessages"],
    Literal["ApproximateNumberOfMessagesNotVisible"],
    Literal["ApproximateNumberOfMessagesDelayed"],
] = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


@dataclass(frozen=True)
class Queues:
    """Both queues, with an SQS client."""

    sqs: SQSClient
    photos: str
    photos_arn: str
    dead_letters: str

    def fill(self, keys: Sequence[str]) -> None:
        """Send one message per photo, as S3 does."""
        for start in range(0, len(keys), 10):
            self.sqs.send_message_batch(
                QueueUrl=self.photos,
                Entries=[
                    {"Id": str(n), "MessageBody": json.dumps(s3_event(key))}
                    for n, key in enumerate(keys[start : start + 10])
                ],
            )

    def waiting(self) -> int:
        """Messages in the photo queue: visible, in flight and delayed."""
        answer = self.sqs.get_queue_attributes(QueueUrl=self.photos, AttributeNames=COUNTS)
        return sum(int(answer["Attributes"][name]) for name in COUNTS)

    def dead(self) -> set[str]:
        """Receive the messages of the dead-letter queue, and return their keys."""
        keys: set[str] = set()
        while messages := self.sqs.receive_message(
            QueueUrl=self.dead_letters, MaxNumberOfMessages=10, VisibilityTimeout=600
        ).get("Messages"):
            keys |= {unquote_plus(json.loads(each["Body"])["Records"][0]["s3"]["object"]["key"]) for each in messages}
        return keys


def make(name: str, sizing: Sizing) -> Queues:
    """Create two queues as the module does, at this process's AWS endpoint."""
    sqs = boto3.client("sqs")
    dead_letters = sqs.create_queue(QueueName=f"{name}-dead-letters")["QueueUrl"]
    redrive = {"deadLetterTargetArn": _arn(sqs, dead_letters), "maxReceiveCount": sizing.max_receive_count}
    photos = sqs.create_queue(
        QueueName=f"{name}-photos",
        Attributes={"VisibilityTimeout": str(sizing.visibility_timeout), "RedrivePolicy": json.dumps(redrive)},
    )["QueueUrl"]
    return Queues(sqs, photos, _arn(sqs, photos), dead_letters)


def _arn(sqs: SQSClient, url: str) -> str:
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def s3_event(key: str) -> dict[str, object]:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html"""
    return {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "awsRegion": "us-east-1",
                "eventTime": "2026-01-01T00:00:00.000Z",
                "eventName": "ObjectCreated:Put",
                "userIdentity": {"principalId": "AWS:AIDAEXAMPLE"},
                "requestParameters": {"sourceIPAddress": "192.0.2.1"},
                "responseElements": {"x-amz-request-id": "C3D13FE58DE4C810", "x-amz-id-2": "FMyUVURIY8/IgAtTv8xRjskZQ"},
                "s3": {
                    "s3SchemaVersion": "1.0",
                    "configurationId": "image-labels.jpg",
                    "bucket": {
                        "name": BUCKET,
                        "ownerIdentity": {"principalId": "A3NL1KOZZKExample"},
                        "arn": f"arn:aws:s3:::{BUCKET}",
                    },
                    "object": {
                        "key": quote_plus(key, safe="/"),
                        "size": 2_000_000,
                        "eTag": "d41d8cd98f00b204e9800998ecf8427e",
                        "versionId": "096fKKXTRTtl3on89fVO.nfljtsv6qko",
                        "sequencer": "0055AED6DCD90281E5",
                    },
                },
            }
        ]
    }
