"""The two passes over the dead-letter queue: the survey of the causes, and the move."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError
from image_labels.aws_errors import code_of, message_of
from image_labels.queues.sending import MAX_BATCH_BYTES, send

from image_labels_cli.dead_letters import DeadLetter, parse
from image_labels_cli.redrive.causes import Causes
from image_labels_cli.redrive.queues import BATCH, HIDDEN_SECONDS, Pass

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

    from image_labels_cli.feeding.room import Room
    from image_labels_cli.stop import Stop

# The survey stops this long before its first message is visible again, because it would count it twice.
MARGIN_SECONDS = 120
# Errors about the messages of a request, not about the request as such: a message may be too large, for example.
_OF_MESSAGE = {
    "BatchRequestTooLong",
    "InvalidMessageContents",
    "InvalidParameterValue",
    "InvalidParameterValueException",
}


@dataclass
class Survey:
    """The causes of the dead letters. `newest` is the time at which SQS got the last one, in milliseconds.

    If not `complete`, there are more dead letters than SQS or the time allows to hide at once.
    """

    causes: Causes
    count: int = 0
    newest: int = 0
    complete: bool = True


def survey(
    queue: Pass, stop: Stop, counted: Callable[[int], None], *, clock: Callable[[], float] = time.monotonic
) -> Survey:
    """Count all dead letters by cause. The caller releases the queue."""
    found = Survey(Causes())
    end = clock() + HIDDEN_SECONDS - MARGIN_SECONDS
    while not stop.requested and (messages := queue.receive(BATCH)):
        for message in messages:
            found.causes.add(parse(message))
            found.newest = max(found.newest, _sent_at(message))
        found.count += len(messages)
        counted(len(messages))
        if clock() > end:
            found.complete = False
            break
    return found


@dataclass
class Moved:
    """What happened to the dead letters. It is complete at any point at which the move ends.

    `sent` are in the queue of photos, and `in_both` of these still in the dead-letter queue, too. `unconfirmed` may be
    in the queue of photos: the request had no answer. All others are in the dead-letter queue only: `refused` by SQS,
    with the first `refusal`; `unreadable`; and `newer` than the survey, such as those that failed again meanwhile.
    """

    sent: int = 0
    in_both: int = 0
    unconfirmed: int = 0
    refused: int = 0
    refusal: str | None = None
    unreadable: int = 0
    newer: int = 0
    not_released: int = 0
    stopped: bool = False


class Mover:
    """Moves the dead letters that `chosen` accepts, none that came after `newest`, and at most `limit`."""

    def __init__(
        self,
        client: SQSClient,
        queue: Pass,
        url: str,
        *,
        chosen: Callable[[DeadLetter], bool],
        include_unreadable: bool,
        newest: int,
        limit: int | None,
    ) -> None:
        self.moved = Moved()
        self._client = client
        self._queue = queue
        self._url = url
        self._chosen = chosen
        self._include_unreadable = include_unreadable
        self._newest = newest
        self._left = limit

    def move(self, room: Room, stop: Stop, progress: Callable[[int], None], waits: Callable[[int], None]) -> None:
        """Move until the queue is empty or `stop`. The caller releases the queue. Raises botocore's errors."""
        while self._left is None or self._left > 0:
            most = min(BATCH, BATCH if self._left is None else self._left, room.wait(stop, waits))
            messages = self._queue.receive(most) if most else []
            if not messages:
                break
            chosen = [message for message in messages if self._is_chosen(message)]
            for batch in _requests(chosen):
                sent = self._send(batch)
                room.take(len(sent))
                self._delete(sent)
                progress(len(batch))
            if self._left is not None:
                self._left -= len(chosen)
        self.moved.stopped = stop.requested

    def release(self) -> None:
        """Make the dead letters visible again that were not moved."""
        self._queue.release()
        self.moved.not_released = self._queue.not_released

    @property
    def release_error(self) -> ClientError | BotoCoreError | None:
        """The error that kept dead letters hidden."""
        return self._queue.release_error

    def _is_chosen(self, message: MessageTypeDef) -> bool:
        letter = parse(message)
        if not self._chosen(letter):
            return False
        if _sent_at(message) > self._newest:
            self.moved.newer += 1
            return False
        if not letter.readable and not self._include_unreadable:
            self.moved.unreadable += 1
            return False
        return True

    def _send(self, batch: Sequence[MessageTypeDef]) -> Sequence[MessageTypeDef]:
        """Send the messages of one request. Returns those that SQS confirmed."""
        self.moved.unconfirmed += len(batch)
        try:
            refused = {n: failure.cause for n, failure in send(self._client, self._url, _bodies(batch)).items()}
        except ClientError as error:
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400) < 500:
                self.moved.unconfirmed -= len(batch)  # nothing was sent
            if code_of(error).rpartition(".")[2] not in _OF_MESSAGE:
                raise
            if len(batch) > 1:
                return [message for each in batch for message in self._send([each])]
            refused = {0: f"SendMessageBatch: {code_of(error)}: {message_of(error)}"}
        else:
            self.moved.unconfirmed -= len(batch)
        for cause in refused.values():
            self.moved.refused += 1
            self.moved.refusal = self.moved.refusal or cause
        sent = [message for n, message in enumerate(batch) if n not in refused]
        self.moved.sent += len(sent)
        return sent

    def _delete(self, sent: Sequence[MessageTypeDef]) -> None:
        self.moved.in_both += len(sent)  # until SQS has deleted them
        self.moved.in_both -= len(sent) - self._queue.delete(sent)


def _requests(messages: Sequence[MessageTypeDef]) -> list[Sequence[MessageTypeDef]]:
    """The messages by request: an error of a request says nothing about messages that another one has sent."""
    if sum(len(body.encode()) for body in _bodies(messages)) <= MAX_BATCH_BYTES:
        return [messages] if messages else []
    return [[message] for message in messages]


def _bodies(messages: Sequence[MessageTypeDef]) -> list[str]:
    return [message["Body"] for message in messages]


def _sent_at(message: MessageTypeDef) -> int:
    return int(message["Attributes"]["SentTimestamp"])
