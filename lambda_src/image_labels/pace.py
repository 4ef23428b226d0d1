"""The pace of calls: so many a second and no more, so that a burst of photos is not spent on being throttled."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Pace:
    """A token bucket that makes callers wait for their turn, first come, first served. Safe to use from many threads.

    It refills with `per_second` and holds a second's worth, at least one: what was not used for up to a second, while
    the last photos of one batch are answered and the next batch is fetched, is caught up with at once.
    """

    def __init__(
        self,
        per_second: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._per_second = per_second
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._capacity = max(1.0, per_second)
        self._tokens = self._capacity
        self._refilled = clock()

    def wait(self) -> None:
        """Return when it is the caller's turn."""
        with self._lock:
            now = self._clock()
            self._tokens = min(self._capacity, self._tokens + (now - self._refilled) * self._per_second)
            self._refilled = now
            # A token that is not there yet is taken all the same, and waited for: whoever comes next waits longer.
            self._tokens -= 1
            seconds = max(0.0, -self._tokens / self._per_second)
        if seconds:
            self._sleep(seconds)
