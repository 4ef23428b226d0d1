"""The messages of moto's queues, hidden ones included, and an `Aws` whose SQS client has some methods replaced."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from image_labels_cli.aws import Aws
from moto.backends import get_backend
from support.replaced import Replaced

if TYPE_CHECKING:
    from image_labels_cli.deployment import Deployment
    from mypy_boto3_sqs import SQSClient


@cache
def sqs_client() -> SQSClient:
    """One client for all tests, because making it takes longer than most of them."""
    return boto3.client("sqs", region_name="eu-central-1")


def event(key: str) -> str:
    """The body of a message: an S3 notification for a photo."""
    s3 = {"bucket": {"name": "b"}, "object": {"key": key}}
    return json.dumps({"Records": [{"eventSource": "aws:s3", "s3": s3}]})


def bodies(name: str) -> Counter[str]:
    """The bodies of all messages of the queue with this name, and how often each is there."""
    return Counter(message.original_body for message in _messages(name))


def hidden(name: str) -> int:
    """The number of messages of the queue that cannot be received."""
    return sum(not message.visible for message in _messages(name))


def show_all(name: str) -> None:
    """Let the visibility timeouts of all messages pass."""
    for message in _messages(name):
        message.change_visibility(0)


def _messages(name: str) -> list[Any]:
    return list(get_backend("sqs")["123456789012"]["eu-central-1"].queues[name]._messages)


def aws_with(**methods: Callable[..., Any]) -> Callable[[Deployment], Aws]:
    """Makes an `Aws` whose SQS client has these methods."""

    def make_aws(deployment: Deployment) -> Aws:
        aws = Aws(deployment)
        vars(aws)["sqs"] = Replaced(sqs_client(), **methods)
        return aws

    return make_aws
