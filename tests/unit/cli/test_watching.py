"""Rate and time left of the queue, and photos that nobody takes."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from image_labels_cli.queue_depth import Depth
from image_labels_cli.times import Time
from image_labels_cli.watching import Reading, is_stalled, watch


@dataclass
class Queue:
    """A queue with so many photos, of which the function labels some per second while the clock goes on."""

    photos: float
    rate: float
    in_flight: int = 0
    seconds: float = 0.0

    @property
    def time(self) -> Time:
        return Time(clock=lambda: self.seconds, sleep=self.sleep, now=lambda: self.seconds)

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        self.photos = max(0.0, self.photos - self.rate * seconds)

    def read(self) -> Reading:
        left = int(self.photos)
        flying = min(self.in_flight, left)
        return Reading(Depth(left - flying, flying), 0, 0)


def test_rate_and_time_left_follow_the_queue_until_it_is_empty() -> None:
    queue = Queue(photos=1000, rate=4, in_flight=10)
    seen = list(watch(queue.read, queue.time))
    assert (seen[0].rate, seen[0].seconds_left) == (None, None)
    assert (seen[10].rate, seen[10].seconds_left) == (4.0, 200.0)
    assert [each.reading.queue.total for each in seen[-2:]] == [0, 0]
    assert queue.seconds == 255


def test_rate_is_that_of_the_last_two_minutes() -> None:
    queue = Queue(photos=100_000, rate=50)
    for number, each in enumerate(watch(queue.read, queue.time)):
        if number == 60:
            queue.rate = 10
        if number == 90:
            assert each.rate == 10
            break


def test_queue_that_grows_has_no_time_left() -> None:
    queue = Queue(photos=10, rate=-2)
    seen = watch(queue.read, queue.time)
    next(seen)
    each = next(seen)
    assert (each.rate, each.seconds_left) == (-2.0, None)


@pytest.mark.parametrize(
    ("queue", "stalled"),
    [
        (Queue(photos=0, rate=0), False),
        (Queue(photos=10, rate=0), True),
        (Queue(photos=10, rate=-1), True),
        (Queue(photos=10, rate=1), False),
        (Queue(photos=10, rate=0, in_flight=1), False),
    ],
)
def test_photos_that_nobody_takes_for_a_minute_are_stalled(queue: Queue, stalled: bool) -> None:
    assert is_stalled(queue.read, queue.read(), queue.time) == stalled
    assert queue.seconds in ((60,) if stalled else (0, 5))
