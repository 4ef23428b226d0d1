"""The memory of a survey of a large queue."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from image_labels_cli.redrive.move import survey
from image_labels_cli.redrive.queues import BATCH, Pass
from image_labels_cli.stop import Stop
from support.messages import event

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class LargeQueue:
    """A dead-letter queue that receives each of its messages once."""

    def __init__(self, count: int) -> None:
        self._messages = self._made(count)

    def _made(self, count: int) -> Iterator[dict[str, Any]]:
        for n in range(count):
            cause = f"PutItem: InternalServerError: no (Request ID: {n:040})"
            texts = {"Photo": f"s3://b/images/{n}.jpg", "Cause": cause, "NextStep": "wait"}
            yield {
                "Body": event(f"images/{n}.jpg"),
                "ReceiptHandle": f"{n:0400}",
                "Attributes": {"SentTimestamp": str(n)},
                "MessageAttributes": {name: {"StringValue": text} for name, text in texts.items()},
            }

    def receive_message(self, **_: object) -> dict[str, Any]:
        return {"Messages": [message for _, message in zip(range(BATCH), self._messages, strict=False)]}

    def get_queue_attributes(self, **_: object) -> dict[str, Any]:
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        return {"Attributes": dict.fromkeys(names, "0")}

    def change_message_visibility_batch(self, **_: object) -> dict[str, Any]:
        return {}


def test_memory_of_a_survey_does_not_grow_with_the_queue() -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        try:
            queue = Pass(cast("SQSClient", LargeQueue(count)), "url")
            found = survey(queue, Stop(), lambda _: None)
            queue.release()
            assert (found.count, len(found.causes.ranked()), queue.not_released) == (count, 1, 0)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(3_000)  # the first run also fills caches
    assert peak(9_000) < 1.2 * peak(3_000)
