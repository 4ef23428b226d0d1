"""Photos over the daily limit: moves as many back to the queue of photos as the day allows.

They wait in a separate queue. In the queue of photos, each receive would count as an attempt. Pausing the event source
mapping would delay deletions, so that searches would find deleted photos.

A message is deleted only after SQS has confirmed that it was sent. A failure between the two duplicates it, which is
harmless to the reconciler, and never loses it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from image_labels import logs
from image_labels.failures import TryAgain, failure_of
from image_labels.queues.sending import BATCH, send

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

    from image_labels.calls import Allowance

logger = logging.getLogger(__name__)

# Seconds for which a message that is being moved is hidden from other movers. A message that is received only to check
# its age is hidden for less, because there may be room for it soon, but long enough to be received once per move.
HIDDEN_SECONDS = 120
GLANCE_SECONDS = 60
# SQS deletes a message after the queue's retention period, at most 14 days, and a backlog may take longer. A message
# that is older than this is sent to the queue of waiting photos again.
OLD_SECONDS = 7 * 24 * 3600
# Requests per move to find such messages. SQS delivers messages in no order, so old ones are found by receiving many.
# 200 requests every five minutes are 58,000 a day, which cost $0.02 and receive 576,000 messages. With 100,000 waiting,
# each is received 40 times in the seven days that it has left; with 300,000, 13 times.
MAX_LOOKS = 200

NEXT_TIME = "nothing: it is tried again within minutes"


class WaitingPhotos:
    """Moves messages from the queue of waiting photos to the queue of photos.

    `make_client` is called by the first move. No message is moved while the queue of photos has `max_backlog` messages
    or more. `now` gives seconds since the epoch, and `clock` seconds that never go backwards.
    """

    def __init__(
        self,
        make_client: Callable[[], SQSClient],
        allowance: Allowance,
        *,
        queue_url: str,
        waiting_queue_url: str,
        max_backlog: int,
        glance_seconds: int = GLANCE_SECONDS,
        max_looks: int = MAX_LOOKS,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make_client = make_client
        self._allowance = allowance
        self._queue_url = queue_url
        self._waiting_queue_url = waiting_queue_url
        self._max_backlog = max_backlog
        self._glance_seconds = glance_seconds
        self._max_looks = max_looks
        self._now = now
        self._clock = clock

    def move(self, until: float) -> Mapping[str, int]:
        """Move as many messages as there is room for, none after `until` (of `clock`).

        Room is what the day has left, at most `max_backlog`, less the messages in the queue of photos, each of which
        may need it. More would delay the events of new uploads and deletions. If there is no room, or none any more,
        the mover looks for messages that would expire.

        Returns how many messages were moved and how many wait; the counts of SQS are approximate. If SQS or DynamoDB
        fails, the messages moved until then stay moved, and the others wait. Raises a Failure if a retry does not help.
        """
        moved = waiting = looks = 0
        try:
            waiting = self._messages(self._waiting_queue_url)
            room = min(self._allowance.left(), self._max_backlog) - self._messages(self._queue_url) if waiting else 0
            while waiting and self._clock() < until and looks < self._max_looks:
                if room > 0:
                    messages = self._receive(int(min(room, BATCH)), HIDDEN_SECONDS)
                    passed = self._pass_on(messages, self._queue_url)
                    moved += passed
                    room -= passed
                    if not passed:
                        break
                else:
                    looks += 1
                    messages = self._receive(BATCH, self._glance_seconds)
                    if not messages:
                        break
                    self._pass_on(list(filter(self._is_old, messages)), self._waiting_queue_url)
        except (ClientError, BotoCoreError) as error:
            failure = failure_of(error)
            serious = not isinstance(failure, TryAgain)
            fields = {"cause": failure.cause, "next_step": failure.next_step if serious else NEXT_TIME}
            level = logging.ERROR if serious else logging.WARNING
            logs.write(logger, level, "waiting photos not moved", fields)
            if serious:
                raise failure from error
        finally:
            waiting = max(0, waiting - moved)
            if moved:
                logs.write(logger, logging.INFO, "waiting photos moved", {"moved": moved, "waiting": waiting})
        return {"moved": moved, "waiting": waiting}

    def _messages(self, url: str) -> int:
        """The number of messages of a queue, including those in flight and delayed ones."""
        answer = self._make_client().get_queue_attributes(
            QueueUrl=url,
            AttributeNames=[
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesNotVisible",
                "ApproximateNumberOfMessagesDelayed",
            ],
        )
        return sum(map(int, answer["Attributes"].values()))

    def _receive(self, most: int, hidden: int) -> Sequence[MessageTypeDef]:
        answer = self._make_client().receive_message(
            QueueUrl=self._waiting_queue_url,
            MaxNumberOfMessages=most,
            AttributeNames=["SentTimestamp"],
            VisibilityTimeout=hidden,
            WaitTimeSeconds=1,  # else SQS asks only some of its servers
        )
        return answer.get("Messages", [])

    def _is_old(self, message: MessageTypeDef) -> bool:
        return self._now() - int(message["Attributes"]["SentTimestamp"]) / 1000 > OLD_SECONDS

    def _pass_on(self, messages: Sequence[MessageTypeDef], url: str) -> int:
        """Send messages to the queue, delete those that were sent, and return how many these were."""
        client = self._make_client()
        refused = send(client, url, [message["Body"] for message in messages])
        for failure in refused.values():
            self._warn(failure.cause, "the message goes on waiting")
        sent = [message for n, message in enumerate(messages) if n not in refused]
        if sent:
            answer = client.delete_message_batch(
                QueueUrl=self._waiting_queue_url,
                Entries=[{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(sent)],
            )
            for each in answer.get("Failed", ()):
                cause = f"DeleteMessageBatch: {each['Code']}: {each.get('Message', '')}"
                self._warn(cause, "the message is moved again, which does no harm")
        return len(sent)

    def _warn(self, cause: str, consequence: str) -> None:
        fields = {"cause": cause, "consequence": consequence, "next_step": NEXT_TIME}
        logs.write(logger, logging.WARNING, "queue did not answer as it should", fields)
