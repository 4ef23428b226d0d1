"""Redelivery of failed messages: another attempt after a growing wait, or the dead-letter queue with the cause.

Without this module, SQS redelivers a message when the queue's visibility timeout is over, regardless of the number of
attempts, and records no cause when it moves the message to the dead-letter queue. SQS still does so with messages that
kill the function.

A message over the daily limit has not failed: it goes to the queue of waiting photos, from which
image_labels.queues.waiting moves it back. For a photo of a bare event, a message is created.
"""

from __future__ import annotations

import logging
import random
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from image_labels import logs
from image_labels.failures import OverDailyLimit, Permanent, TryAgain, failure_of
from image_labels.queues import sending

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef

    from image_labels.failures import Failed

logger = logging.getLogger(__name__)

# Each wait is four times the one before: with 20 s and five attempts, a fault of AWS may last 28 minutes.
GROWTH = 4
MAX_DELAY_SECONDS = 3600
# Spreads the retries of photos that failed together.
JITTER = 0.25
# Keeps the attributes far below a message's size limit.
MAX_TEXT = 1000
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
# Compiled at the first use, because it would lengthen the cold start by 10 ms.
_NOT_ALLOWED_IN_SQS = "[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"


class Redelivery:
    """Decides whether and when a failed message is redelivered.

    `make_client` is called at the first failure, since few invocations need an SQS client. `retry_delay` is the first
    wait in seconds, `max_receive_count` the number of attempts that the queue's redrive policy allows, and `jitter`
    gives a number from -1 to 1.
    """

    def __init__(
        self,
        make_client: Callable[[], SQSClient],
        *,
        queue_url: str,
        dead_letter_queue_url: str,
        waiting_queue_url: str,
        max_receive_count: int,
        retry_delay: float,
        jitter: Callable[[], float] = lambda: random.uniform(-1, 1),  # noqa: S311 - jitter, not cryptography
    ) -> None:
        self._make_client = make_client
        self._queue_url = queue_url
        self._dead_letter_queue_url = dead_letter_queue_url
        self._waiting_queue_url = waiting_queue_url
        self._max_receive_count = max_receive_count
        self._retry_delay = retry_delay
        self._jitter = jitter

    def hand_back(self, failed: Sequence[Failed]) -> list[str]:
        """Return the ids of the messages that SQS has to keep; all others are in another queue now.

        Messages over the daily limit are in the queue of waiting photos, at any attempt. Messages whose last
        attempt failed are in the dead-letter queue. Raises nothing: if SQS does not answer, it keeps the messages, and
        its own redelivery and redrive apply.
        """
        over_limit = [each for each in failed if isinstance(each.failure, OverDailyLimit)]
        sent = self.let_wait([(each.photo, each.message.body) for each in over_limit])
        waiting = [each for each, waits in zip(over_limit, sent, strict=True) if waits]
        kept = [
            each
            for each in failed
            if each not in waiting and not (self._is_last_attempt(each) and self._dead_lettered(each))
        ]
        later = [each for each in kept if not self._is_last_attempt(each)]
        if later:
            self._delay(later)
        return [each.message.id for each in kept]

    def let_wait(self, messages: Sequence[tuple[str, str]]) -> Sequence[bool]:
        """Send messages to the queue of waiting photos. Each is the address of a photo, for the log, and a body.

        Returns for each message whether it is in that queue now. Raises nothing.
        """
        if not messages:
            return ()
        try:
            bodies = [allowed_in_sqs(body) for _, body in messages]
            refused = sending.send(self._make_client(), self._waiting_queue_url, bodies)
        except Exception as error:
            refused = dict.fromkeys(range(len(messages)), failure_of(error))
        for n, failure in refused.items():
            self._warn(failure, f"the queue of waiting photos does not take {messages[n][0]}")
        return [n not in refused for n in range(len(messages))]

    def delay(self, attempt: int) -> int:
        """Seconds to wait after this attempt; `attempt` counts from 1."""
        # 4 ** 6 times the shortest delay is over an hour. A larger exponent would overflow a float.
        growth: int = GROWTH ** min(attempt - 1, 6)
        nominal = min(MAX_DELAY_SECONDS, self._retry_delay * growth)
        return min(MAX_DELAY_SECONDS, round(nominal * (1 + JITTER * self._jitter())))

    def _is_last_attempt(self, failed: Failed) -> bool:
        return isinstance(failed.failure, Permanent) or failed.message.attempt >= self._max_receive_count

    def _dead_lettered(self, failed: Failed) -> bool:
        """Send the message unchanged to the dead-letter queue, with its cause as attributes; False if SQS refuses."""
        next_step = failed.failure.next_step_for_dead_letter
        said = {
            "Photo": failed.photo,
            "Cause": failed.failure.cause,
            "NextStep": next_step,
            "Attempts": str(failed.message.attempt),
            "FailedAt": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        try:
            self._make_client().send_message(
                QueueUrl=self._dead_letter_queue_url,
                MessageBody=allowed_in_sqs(failed.message.body),
                MessageAttributes={name: _text(value) for name, value in said.items() if value},
            )
        except Exception as error:
            self._warn(error, "the dead-letter queue does not take the message; SQS will move it there by itself")
            return False
        fields: dict[str, logs.Field] = {
            "message_id": failed.message.id,
            "photo": failed.photo,
            "attempt": failed.message.attempt,
            "outcome": "dead-lettered",
            "cause": failed.failure.cause,
            "next_step": next_step,
        }
        logs.write(logger, logging.ERROR, "message dead-lettered", fields)
        return True

    def _delay(self, failed: Sequence[Failed]) -> None:
        try:
            client = self._make_client()
            # The API takes ten at a time, which is the largest batch that the module makes.
            for start in range(0, len(failed), 10):
                answer = client.change_message_visibility_batch(
                    QueueUrl=self._queue_url,
                    Entries=[
                        {
                            "Id": str(n),
                            "ReceiptHandle": each.message.receipt_handle,
                            "VisibilityTimeout": self.delay(each.message.attempt),
                        }
                        for n, each in enumerate(failed[start : start + 10])
                    ],
                )
                for refused in answer.get("Failed", ()):
                    cause = f"ChangeMessageVisibilityBatch: {refused['Code']}: {refused.get('Message', '')}"
                    self._warn(TryAgain(cause), "the next attempt comes when the queue's visibility time-out is over")
        except Exception as error:
            self._warn(error, "the next attempt comes only when the queue's visibility time-out is over")

    def _warn(self, error: Exception, consequence: str) -> None:
        failure = failure_of(error)
        fields = {"cause": failure.cause, "consequence": consequence, "next_step": failure.next_step}
        logs.write(logger, logging.WARNING, "queue did not answer as it should", fields)


def _text(value: str) -> MessageAttributeValueTypeDef:
    return {"DataType": "String", "StringValue": allowed_in_sqs(value)[:MAX_TEXT]}


def allowed_in_sqs(text: str) -> str:
    """The text with an escape for each character that SQS refuses. A body that came from SQS has none."""
    return re.sub(_NOT_ALLOWED_IN_SQS, lambda found: f"\\u{ord(found[0]):04x}", text)
