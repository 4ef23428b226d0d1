"""Messages of the dead-letter queue, with their causes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from image_labels import events

if TYPE_CHECKING:
    from image_labels.events import Task
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

# The message attributes that the function adds to a dead letter (image_labels.queues.redelivery), in the order of the
# fields of DeadLetter.
_ATTRIBUTES = ("Photo", "Cause", "NextStep", "Attempts", "FailedAt")
# The message attributes that EventBridge adds to an event that it cannot deliver:
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
_ERROR_CODE, _ERROR_MESSAGE = "ERROR_CODE", "ERROR_MESSAGE"
# The message attributes to receive.
ATTRIBUTES = (*_ATTRIBUTES, _ERROR_CODE, _ERROR_MESSAGE)
# The most that one ReceiveMessage returns.
MAX_DEAD_LETTERS = 10


@dataclass(frozen=True)
class DeadLetter:
    """A photo that failed all attempts. A field is None if the message does not have it.

    If not `readable`, the message is no event: the function cannot process it.
    """

    photo: str | None
    cause: str | None
    next_step: str | None
    attempts: str | None
    failed_at: str | None
    readable: bool = field(default=True, kw_only=True)

    @property
    def known_cause(self) -> str:
        """The cause, or that it is unknown."""
        return self.cause or "unknown: SQS moved the message and records no reason"

    @property
    def known_next_step(self) -> str:
        """The next step, or the one for an unknown cause."""
        if self.readable:
            return self.next_step or "read the function's log, then run `image-labels redrive`"
        return self.next_step or "find the sender of the message; then delete it from the dead-letter queue"


def peek(client: SQSClient, url: str, limit: int) -> list[DeadLetter]:
    """Up to `limit` dead letters, which stay in the queue.

    They are visible again at once. Their receive count increases, without effect: this queue has no dead-letter queue.
    """
    answer = client.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=min(limit, MAX_DEAD_LETTERS),
        MessageAttributeNames=ATTRIBUTES,
        VisibilityTimeout=0,
        WaitTimeSeconds=1,  # with 0, SQS asks only some of its servers
    )
    return [parse(message) for message in answer.get("Messages", [])]


def parse(message: MessageTypeDef) -> DeadLetter:
    """A message that was received with `ATTRIBUTES`, whether the function, SQS or EventBridge put it into the queue."""
    attributes = message.get("MessageAttributes", {})
    task = _as_the_function_reads(message["Body"])
    texts = (_string(attributes, name) for name in _ATTRIBUTES)
    letter = DeadLetter(*texts, readable=bool(task.objects or not task.error))
    if letter.photo is None and task.objects:
        letter = replace(letter, photo=f"s3://{task.objects[0].bucket}/{task.objects[0].key}")
    if letter.cause is None and (code := _string(attributes, _ERROR_CODE)):
        cause = f"EventBridge could not deliver it: {code}: {_string(attributes, _ERROR_MESSAGE) or ''}"
        next_step = "correct the policies of the queue and the KMS key, then run `image-labels redrive`"
        return replace(letter, cause=cause, next_step=next_step)
    return letter


def _as_the_function_reads(body: str) -> Task:
    """A message with this body in the queue of photos, as the function reads it."""
    return events.read({"Records": [{"eventSource": "aws:sqs", "messageId": "-", "body": body}]}).tasks[0]


def _string(attributes: Mapping[str, Any], name: str) -> str | None:
    value: str | None = attributes.get(name, {}).get("StringValue")
    return value
