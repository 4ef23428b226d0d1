"""The deployment that the command finds in its environment."""

from __future__ import annotations

import boto3
import pytest
from support.fakes import BUCKET, LABELS_TABLE, TABLE


@pytest.fixture
def deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGE_LABELS_IMAGES_TABLE", TABLE)
    monkeypatch.setenv("IMAGE_LABELS_LABELS_TABLE", LABELS_TABLE)
    monkeypatch.setenv("IMAGE_LABELS_BUCKET", BUCKET)
    monkeypatch.setenv("IMAGE_LABELS_REGION", "eu-central-1")
    for name in ("IMAGE_LABELS_QUEUE_URL", "IMAGE_LABELS_DEAD_LETTER_QUEUE_URL"):
        monkeypatch.setenv(name, "https://sqs.eu-central-1.amazonaws.com/123456789012/none")


@pytest.fixture
def queues(aws: None, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    sqs = boto3.client("sqs")
    urls = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("photos", "dead-letters")}
    monkeypatch.setenv("IMAGE_LABELS_QUEUE_URL", urls["photos"])
    monkeypatch.setenv("IMAGE_LABELS_DEAD_LETTER_QUEUE_URL", urls["dead-letters"])
    monkeypatch.delenv("IMAGE_LABELS_WAITING_QUEUE_URL", raising=False)
    return urls
