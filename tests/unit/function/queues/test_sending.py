"""Messages sent in batches, on moto's SQS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest
from image_labels.queues.sending import send
from support.replaced import Replaced

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class Queue:
    """A queue of moto, and how many messages each request to it had. Messages named in `refused` are not taken."""

    def __init__(self, *refused: str) -> None:
        self._sqs = boto3.client("sqs")
        self._refused = refused
        self.url = self._sqs.create_queue(QueueName="photos")["QueueUrl"]
        self.client = cast("SQSClient", Replaced(self._sqs, send_message_batch=self._send))
        self.batches: list[int] = []

    def _send(self, *, QueueUrl: str, Entries: Sequence[Any]) -> Any:  # noqa: N803
        self.batches.append(len(Entries))
        taken = [entry for entry in Entries if entry["MessageBody"] not in self._refused]
        answer: Any = self._sqs.send_message_batch(QueueUrl=QueueUrl, Entries=taken)
        failed = [
            {"Id": entry["Id"], "SenderFault": False, "Code": "InternalError"}
            for entry in Entries
            if entry not in taken
        ]
        return answer | {"Failed": failed}

    def bodies(self) -> list[str]:
        found: list[str] = []
        while messages := self._sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages"):
            found += [message["Body"] for message in messages]
        return sorted(found)


def test_messages_are_sent_in_as_few_requests_as_sqs_allows(aws: None) -> None:
    queue = Queue()
    bodies = [f"message {n:02}" for n in range(23)]
    assert send(queue.client, queue.url, bodies) == {}
    assert queue.batches == [10, 10, 3]
    assert queue.bodies() == bodies


def test_large_messages_are_sent_in_several_requests(aws: None) -> None:
    queue = Queue()
    bodies = [f"{n}" + "ü" * 60_000 for n in range(5)]  # 120 KB each, two in a request
    assert send(queue.client, queue.url, bodies) == {}
    assert queue.batches == [2, 2, 1]
    assert queue.bodies() == bodies


@pytest.mark.parametrize("place", [0, 11])
def test_refused_message_is_named_by_its_place(aws: None, place: int) -> None:
    bodies = [f"message {n:02}" for n in range(12)]
    queue = Queue(bodies[place])
    (refused,) = send(queue.client, queue.url, bodies).items()
    assert (refused[0], refused[1].cause) == (place, "SendMessageBatch: InternalError: ")
    assert queue.bodies() == [body for body in bodies if body != bodies[place]]
