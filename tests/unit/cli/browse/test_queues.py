"""The numbers and dead letters of the status view, on moto."""

from __future__ import annotations

import boto3
import pytest
from image_labels_cli.browse import Queues


@pytest.mark.usefixtures("aws")
def test_status_counts_messages_and_leaves_dead_letters_in_the_queue() -> None:
    sqs = boto3.client("sqs")
    photos, dead, waiting = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("photos", "dead", "waiting"))
    queues = Queues(sqs, photos, dead, waiting, "image-labels redrive")
    assert queues.status()["letters"] == []
    for url in (photos, photos, waiting, dead):
        sqs.send_message(QueueUrl=url, MessageBody="this is no event")
    for _ in range(2):
        status = queues.status()
        assert (status["queue"]["waiting"], status["overLimit"], status["dead"]) == (2, 1, 1)
        [letter] = status["letters"]
        assert letter["cause"].startswith("unknown")
        assert "delete it" in letter["nextStep"]
        assert status["redrive"] == "image-labels redrive"


@pytest.mark.usefixtures("aws")
def test_deployment_may_have_no_daily_limit() -> None:
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName="photos")["QueueUrl"]
    assert Queues(sqs, url, url, "", "image-labels redrive").status()["overLimit"] == 0
