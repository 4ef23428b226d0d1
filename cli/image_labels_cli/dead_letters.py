"""Messages of the dead-letter queue, with their causes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from image_labels import events

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# The message attributes that the function adds to a dead letter (image_labels.queues.redelivery), and the fields here.
_ATTRIBUTES = {
    "Photo": "photo",
    "Cause": "cause",
    "NextStep": "next_step",
    "Attempts": "attempts",
    "FailedAt": "failed_at",
}
# The message attributes that EventBridge adds to an event that it cannot deliver:
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
_ERROR_CODE, _ERROR_MESSAGE = "ERROR_CODE", "ERROR_MESSAGE"
# The most that one ReceiveMessage returns.
MAX_DEAD_LETTERS = 10


@dataclass(frozen=True)
class DeadLetter:
    """A photo that failed all attempts. A field is None if the message does not have it."""

    photo: str | None
    cause: str | None
    next_step: str | None
    attempts: str | None
    failed_at: str | None


def peek(client: SQSClient, url: str, limit: int) -> list[DeadLetter]:
    """Up to `limit` dead letters, which stay in the queue.

    They are visible again at once. Their receive count increases, without effect: this queue has no dead-letter queue.
    """
    answer = client.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=min(limit, MAX_DEAD_LETTERS),
        MessageAttributeNames=[*_ATTRIBUTES, _ERROR_CODE, _ERROR_MESSAGE],
        VisibilityTimeout=0,
        WaitTimeSeconds=1,  # with 0, SQS asks only some of its servers
    )
    return [_parse(message["Body"], message.get("MessageAttributes", {})) for message in answer.get("Messages", [])]


def _parse(body: str, attributes: Mapping[str, Any]) -> DeadLetter:
    letter = DeadLetter(**{name: _string(attributes, attribute) for attribute, name in _ATTRIBUTES.items()})
    if letter.photo is None:
        letter = replace(letter, photo=_photo(body))
    if letter.cause is None and (code := _string(attributes, _ERROR_CODE)):
        cause = f"EventBridge could not deliver it: {code}: {_string(attributes, _ERROR_MESSAGE) or ''}"
        next_step = "correct the policies of the queue and the KMS key, then redrive the message"
        return replace(letter, cause=cause, next_step=next_step)
    return letter


def _photo(body: str) -> str | None:
    """The first photo of the event, for messages that SQS or EventBridge moved; None if the body is not an event."""
    try:
        objects = events.read(json.loads(body)).tasks[0].objects
    except (ValueError, RecursionError, IndexError, TypeError):
        return None
    return f"s3://{objects[0].bucket}/{objects[0].key}" if objects else None


def _string(attributes: Mapping[str, Any], name: str) -> str | None:
    value: str | None = attributes.get(name, {}).get("StringValue")
    return value
