"""Numbers of messages in a queue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_WAITING: Final = "ApproximateNumberOfMessages"
_IN_FLIGHT: Final = "ApproximateNumberOfMessagesNotVisible"


@dataclass(frozen=True)
class Depth:
    """Numbers of messages in a queue. SQS documents them as approximate."""

    waiting: int
    in_flight: int

    @property
    def total(self) -> int:
        return self.waiting + self.in_flight


def depth(client: SQSClient, url: str) -> Depth:
    """The numbers of messages in the queue with this URL."""
    answer = client.get_queue_attributes(QueueUrl=url, AttributeNames=[_WAITING, _IN_FLIGHT])["Attributes"]
    return Depth(int(answer[_WAITING]), int(answer[_IN_FLIGHT]))
