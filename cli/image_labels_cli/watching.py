"""Queues over time: the rate at which photos are labelled, the time left, and whether photos are taken at all."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from image_labels_cli.queue_depth import Depth
    from image_labels_cli.times import Time

# Seconds between two readings. SQS's counts may be a minute late, so a shorter time shows nothing more.
INTERVAL_SECONDS = 5.0
# The rate is that of the last readings of so many seconds.
WINDOW_SECONDS = 120.0
# A queue whose photos nobody takes is read again for so long: the counts may be late.
STALL_SECONDS = 60.0


@dataclass(frozen=True)
class Reading:
    """The queues at a time. `over_limit` is the number of photos over the daily limit, which wait for the next day."""

    queue: Depth
    over_limit: int
    dead_letters: int


@dataclass(frozen=True)
class Watched:
    """A reading, the photos per second that left the queue, and the seconds until it is empty at this rate.

    The rate is None before the second reading, and negative while more photos arrive than leave. The time is None if
    the rate does not give one.
    """

    reading: Reading
    rate: float | None
    seconds_left: float | None


def watch(read: Callable[[], Reading], time: Time, interval: float = INTERVAL_SECONDS) -> Iterator[Watched]:
    """Read the queues again and again, until two readings have no photo in the queue."""
    seen: deque[tuple[float, int]] = deque()
    empty = 0
    while True:
        reading = read()
        now = time.clock()
        seen.append((now, reading.queue.total))
        while len(seen) > 2 and now - seen[1][0] >= WINDOW_SECONDS:
            seen.popleft()
        (then, before), left = seen[0], reading.queue.total
        rate = (before - left) / (now - then) if now > then else None
        yield Watched(reading, rate, left / rate if rate and rate > 0 else None)
        empty = 0 if left else empty + 1
        if empty == 2:
            return
        time.sleep(interval)


def is_stalled(read: Callable[[], Reading], first: Reading, time: Time, interval: float = INTERVAL_SECONDS) -> bool:
    """Whether photos wait and the function takes none of them for STALL_SECONDS.

    A photo that the function is at, or that waits for its next try, is in flight.
    """
    until = time.clock() + STALL_SECONDS
    reading = first
    while reading.queue.waiting and not reading.queue.in_flight and reading.queue.waiting >= first.queue.waiting:
        if time.clock() >= until:
            return True
        time.sleep(interval)
        reading = read()
    return False
