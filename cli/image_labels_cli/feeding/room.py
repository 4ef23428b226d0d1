"""The room in the queue of photos: how many messages a command may send, so that new uploads do not wait behind them.

The commands use the queue of the uploads. A second queue would need an event source mapping, alarms and a dead-letter
path of its own, would share Rekognition's quota with the first without knowing of it, and photos over the daily limit
would have to return to the queue that they came from.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from image_labels_cli.queue_depth import depth

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from image_labels_cli.stop import Stop

# Nothing is sent while the queue holds more than the function processes in this time. Half of it is the aim.
AHEAD_SECONDS = 10
LOOK_SECONDS = 1.0
# By what share of the pace messages are sent faster if the queue is empty, and slower if it holds twice the aim. SQS
# documents that its counts may lag by a minute. A stronger correction would overshoot by what they do not show yet:
# with 0.25 and a lag of a minute, the function would be idle for a third of the time.
CORRECTION = 0.1


class Room:
    """How many messages the queue of photos has room for. `pace` is in calls of Rekognition per second.

    The function takes messages at the pace, so sending at the pace keeps the queue at the same length, whatever SQS's
    counts say. The counts correct it, and stop it while uploads fill the queue.
    """

    def __init__(
        self,
        client: SQSClient,
        url: str,
        pace: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.waiting = 0
        self._client = client
        self._url = url
        self._pace = pace
        self._ahead = max(1, int(AHEAD_SECONDS * pace))
        self._aim = max(1.0, self._ahead / 2)
        self._clock = clock
        self._sleep = sleep
        self._allowed = self._aim
        self._at = clock()
        self._looked: float | None = None
        self._sent = 0  # since the last look

    @property
    def is_full(self) -> bool:
        """Whether nothing is sent, because uploads fill the queue or the function is slow."""
        return self.waiting >= self._ahead

    def free(self) -> int:
        """How many messages may be sent now. Raises botocore's errors."""
        now = self._clock()
        if self._looked is None or now - self._looked >= LOOK_SECONDS:
            self.waiting = depth(self._client, self._url).waiting
            self._looked, self._sent = now, 0
        faster = CORRECTION * max(-1.0, 1 - self.waiting / self._aim)
        # Not more than the aim, however long nothing was sent: the counts will show it too late.
        self._allowed = min(self._aim, self._allowed + (now - self._at) * self._pace * (1 + faster))
        self._at = now
        return max(0, int(min(self._allowed, self._ahead - self.waiting - self._sent)))

    def wait(self, stop: Stop, waits: Callable[[int], None]) -> int:
        """Wait for room. Returns how much there is, 0 if stopped. `waits` gets the number of messages in the queue."""
        while not stop.requested:
            if free := self.free():
                return free
            waits(self.waiting)
            self._sleep(LOOK_SECONDS)
        return 0

    def take(self, messages: int) -> None:
        self._allowed -= messages
        self._sent += messages
