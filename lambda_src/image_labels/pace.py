"""Client-side rate limit for a billed API: calls are spread over time instead of being throttled."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

# Unused seconds that are made up for at most: those between two batches of a burst, while Lambda answers for one batch
# and fetches the next.
CATCH_UP_SECONDS = 1.0
# A pause of more seconds ends the burst. The next burst starts with a single call. With saved calls, its first second
# could have twice the quota.
IDLE_SECONDS = 2.0


class Pace:
    """Lets callers through at `per_second`, first come, first served. Safe to use from many threads.

    `clock` gives seconds and never goes backwards; `sleep` takes seconds.
    """

    def __init__(
        self,
        per_second: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._interval = 1 / per_second
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._due = clock()  # when the next caller's turn is

    def wait(self) -> None:
        """Return when it is the caller's turn."""
        with self._lock:
            now = self._clock()
            unused = now - self._due
            turn = now if unused > IDLE_SECONDS else max(self._due, now - CATCH_UP_SECONDS)
            self._due = turn + self._interval
        if turn > now:
            self._sleep(turn - now)
