"""Sends messages to a queue in batches that are as large as SQS allows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from image_labels.failures import Failure, TryAgain

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html. The size is the
# smaller of the two limits that SQS has had.
BATCH = 10
MAX_BATCH_BYTES = 262_144


def send(client: SQSClient, url: str, bodies: Sequence[str]) -> Mapping[int, Failure]:
    """Send messages to the queue. Returns the failures of those that SQS refused, by their place in `bodies`.

    Raises botocore's errors if a request fails. Some messages may have been sent by then.
    """
    refused: dict[int, Failure] = {}
    for batch in _batches(bodies):
        answer = client.send_message_batch(
            QueueUrl=url, Entries=[{"Id": str(n), "MessageBody": bodies[n]} for n in batch]
        )
        sent = {int(each["Id"]) for each in answer.get("Successful", ())}
        causes = {int(each["Id"]): f"{each['Code']}: {each.get('Message', '')}" for each in answer.get("Failed", ())}
        refused |= {
            n: TryAgain(f"SendMessageBatch: {causes.get(n, 'no answer for this message')}")
            for n in batch
            if n not in sent
        }
    return refused


def _batches(bodies: Sequence[str]) -> Iterator[Sequence[int]]:
    """The places of messages that fit into one request."""
    batch: list[int] = []
    room = MAX_BATCH_BYTES
    for n, body in enumerate(bodies):
        size = len(body.encode())
        if batch and (len(batch) == BATCH or size > room):
            yield batch
            batch, room = [], MAX_BATCH_BYTES
        batch.append(n)
        room -= size
    if batch:
        yield batch
