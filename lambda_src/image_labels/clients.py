"""The AWS clients, made in one place and passed in.

A botocore session instead of boto3's: the clients are the same. What boto3 adds (resources, converters, transfers)
costs import time, and the function does not use it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from botocore.config import Config
from botocore.loaders import Loader
from botocore.session import Session

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_rekognition import RekognitionClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

T = TypeVar("T")


class _FourServices(Loader):
    """Finds the service models of the clients made here.

    botocore's own loader lists the directories of all its 400 services twice, to report an unknown service: 2,600 calls
    of the file system, a twentieth of the cold start.
    """

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002
        return ["dynamodb", "rekognition", "s3", "sqs"]


class Clients(NamedTuple):
    """One client per service, for the lifetime of the execution environment. They are safe to share between threads.

    Those that are functions make their client at the first call, which is when something fails, because it would
    lengthen the cold start. `dynamodb_once` does not retry, for writes that must not happen twice if an answer is lost.
    """

    s3: S3Client
    rekognition: RekognitionClient
    dynamodb: DynamoDBClient
    sqs: Callable[[], SQSClient]
    dynamodb_once: Callable[[], DynamoDBClient]


def make_clients(concurrency: int) -> Clients:
    """Make the clients for `concurrency` photos at a time; Region and credentials come from the environment."""
    session = Session()
    session.register_component("data_loader", _FourServices())

    def client(service: str, read_seconds: int, attempts: int) -> Any:
        return session.create_client(
            service,
            config=Config(
                connect_timeout=2,
                read_timeout=read_seconds,
                retries={"mode": "standard", "total_max_attempts": attempts},
                max_pool_connections=max(10, concurrency),
            ),
        )

    # One for all: a session is not safe to share between threads, as clients are.
    lock = threading.Lock()
    return Clients(
        s3=cast("S3Client", client("s3", 5, 4)),
        # Labels of a large photo take seconds. One attempt, because image_labels.calls makes further ones: each
        # must keep the pace and the daily limit.
        rekognition=cast("RekognitionClient", client("rekognition", 15, 1)),
        dynamodb=cast("DynamoDBClient", client("dynamodb", 5, 4)),
        # Called when the function's time may be nearly over. If the call fails, SQS redelivers the messages anyway.
        sqs=_once(lambda: cast("SQSClient", client("sqs", 2, 2)), lock),
        dynamodb_once=_once(lambda: cast("DynamoDBClient", client("dynamodb", 5, 1)), lock),
    )


def _once(make: Callable[[], T], lock: threading.Lock) -> Callable[[], T]:
    """Make something at the first call, once for all threads; functools.cache may call `make` more than once."""
    made: list[T] = []

    def get() -> T:
        with lock:
            if not made:
                made.append(make())
            return made[0]

    return get
