"""The deployment that the command finds in its environment, on moto."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from image_labels.model import Instance, Label, Labels, Photo
from image_labels.tables.store import Store
from support.fakes import BUCKET, LABELS_TABLE, TABLE, UPLOADED
from support.messages import sqs_client

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DOG = Label(
    "Dog",
    98.765,
    parents=("Animal", "Pet"),
    aliases=("Hound",),
    categories=("Animals and Pets",),
    instances=(Instance(0.1, 0.2, 0.3, 0.4, 97.5), Instance(0.5, 0.5, 0.1, 0.1, 90.0)),
)


@pytest.fixture
def deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Environment variables for the tables and the bucket, and for queues that do not exist."""
    monkeypatch.setenv("IMAGE_LABELS_IMAGES_TABLE", TABLE)
    monkeypatch.setenv("IMAGE_LABELS_LABELS_TABLE", LABELS_TABLE)
    monkeypatch.setenv("IMAGE_LABELS_BUCKET", BUCKET)
    monkeypatch.setenv("IMAGE_LABELS_REGION", "eu-central-1")
    for name in ("IMAGE_LABELS_QUEUE_URL", "IMAGE_LABELS_DEAD_LETTER_QUEUE_URL"):
        monkeypatch.setenv(name, "https://sqs.eu-central-1.amazonaws.com/123456789012/none")
    monkeypatch.delenv("IMAGE_LABELS_WAITING_QUEUE_URL", raising=False)


@pytest.fixture
def store(dynamodb: DynamoDBClient) -> Store:
    """The tables, with the photo of a dog."""
    store = Store(dynamodb, TABLE, LABELS_TABLE, now=lambda: 1_795_000_000)
    store.put(Photo(BUCKET, "images/dog.jpg", "e", "v1", 4711, UPLOADED), Labels((DOG,), "3.0"), "s", None)
    return store


@pytest.fixture
def queues(aws: None, deployment: None, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The URLs of the queues of photos and of dead letters."""
    sqs = sqs_client()
    urls = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("photos", "dead-letters")}
    monkeypatch.setenv("IMAGE_LABELS_QUEUE_URL", urls["photos"])
    monkeypatch.setenv("IMAGE_LABELS_DEAD_LETTER_QUEUE_URL", urls["dead-letters"])
    return urls


@pytest.fixture
def waiting_queue(queues: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of the queue of photos over the daily limit. It has three messages, and one of them is in flight."""
    sqs = sqs_client()
    url = sqs.create_queue(QueueName="waiting")["QueueUrl"]
    monkeypatch.setenv("IMAGE_LABELS_WAITING_QUEUE_URL", url)
    for _ in range(3):
        sqs.send_message(QueueUrl=url, MessageBody="{}")
    sqs.receive_message(QueueUrl=url)
    return url
