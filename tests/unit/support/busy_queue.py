"""A queue of photos that a function works off at a rate, on a clock that a test moves. SQS's counts lag behind."""

from __future__ import annotations

from collections import deque
from typing import Any


class BusyQueue:
    """`lag` is by how many seconds the counts are late. `depths` has the true number of messages at each step.

    `uploads` per second arrive besides what is sent. `served` counts messages that the function took, and `could` those
    that it had time for.
    """

    STEP = 0.25

    def __init__(self, rate: float, lag: float = 0.0, uploads: float = 0.0) -> None:
        self.now = 0.0
        self.depth = 0.0
        self.served = 0.0
        self.could = 0.0
        self.depths: list[tuple[float, float]] = []
        self.waits: list[float] = []
        self.uploads = uploads
        self._rate = rate
        self._lag = lag
        self._history: deque[tuple[float, float]] = deque([(-1e9, 0.0)])

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass, in which the function works."""
        until = self.now + seconds
        while self.now < until - 1e-9:
            step = min(self.STEP, until - self.now)
            taken = min(self.depth, self._rate * step)
            self.depth += self.uploads * step - taken
            self.served += taken
            self.could += self._rate * step
            self.now += step
            self.depths.append((self.now, self.depth))
            self._history.append((self.now, self.depth))

    def send(self, messages: int) -> None:
        self.depth += messages
        self._history.append((self.now, self.depth))

    def get_queue_attributes(self, **_: Any) -> Any:
        while len(self._history) > 1 and self._history[1][0] <= self.now - self._lag:
            self._history.popleft()
        known = self._history[0][1]
        counts = {"ApproximateNumberOfMessages": str(int(known)), "ApproximateNumberOfMessagesNotVisible": "0"}
        return {"Attributes": counts}

    def deepest(self, after: float = 0.0) -> float:
        """Seconds of work in the queue at its deepest."""
        return max(depth for at, depth in self.depths if at >= after) / self._rate
