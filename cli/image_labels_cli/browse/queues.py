"""The status view: photos that wait, and dead letters with their causes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from image_labels_cli.dead_letters import MAX_DEAD_LETTERS, peek
from image_labels_cli.queue_depth import depth

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

Json = dict[str, Any]


@dataclass(frozen=True)
class Queues:
    """The queues of a deployment, and the command that sends dead letters back. `waiting_queue` may be ""."""

    sqs: SQSClient
    queue: str
    dead_letter_queue: str
    waiting_queue: str
    redrive: str

    def status(self) -> Json:
        """Numbers of messages, which SQS documents as approximate, and up to ten dead letters, which stay there."""
        dead = depth(self.sqs, self.dead_letter_queue)
        letters = peek(self.sqs, self.dead_letter_queue, MAX_DEAD_LETTERS) if dead.total else []
        return {
            "queue": asdict(depth(self.sqs, self.queue)),
            "overLimit": depth(self.sqs, self.waiting_queue).total if self.waiting_queue else 0,
            "dead": dead.total,
            "letters": [
                {
                    "photo": letter.photo,
                    "cause": letter.known_cause,
                    "nextStep": letter.known_next_step,
                    "attempts": letter.attempts,
                    "failedAt": letter.failed_at,
                }
                for letter in letters
            ],
            "redrive": self.redrive,
        }
