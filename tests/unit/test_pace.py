"""Calls are let through at a rate, with a second's worth at once."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from image_labels.pace import Pace


class Clock:
    """A clock that only moves when somebody sleeps on it, or says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def times(count: int, per_second: float, before: Callable[[int, Clock], None] = lambda _n, _clock: None) -> list[float]:
    """When each of so many calls, one after the other, was let through, in seconds from the start."""
    clock = Clock()
    pace = Pace(per_second, clock=lambda: clock.now, sleep=clock.sleep)
    let_through = []
    for n in range(count):
        before(n, clock)
        pace.wait()
        let_through.append(clock.now - 1000)
    return let_through


def test_a_seconds_worth_at_once_then_the_rate() -> None:
    assert times(8, 4) == pytest.approx([0, 0, 0, 0, 0.25, 0.5, 0.75, 1])


def test_less_than_one_a_second() -> None:
    assert times(3, 0.5) == pytest.approx([0, 2, 4])


def test_what_was_not_used_for_long_is_not_saved_up() -> None:
    def hour_before_the_fifth(n: int, clock: Clock) -> None:
        if n == 4:
            clock.now += 3600

    assert times(9, 4, hour_before_the_fifth)[4:] == pytest.approx([3600, 3600, 3600, 3600, 3600.25])


def test_what_was_not_used_for_a_moment_is_caught_up_with() -> None:
    def half_a_second_before_the_ninth(n: int, clock: Clock) -> None:
        if n == 8:
            clock.now += 0.5

    assert times(12, 4, half_a_second_before_the_ninth)[8:] == pytest.approx([1.5, 1.5, 1.75, 2])


def test_threads_that_come_together_are_spread() -> None:
    waits: list[float] = []
    pace = Pace(2, clock=lambda: 0.0, sleep=waits.append)
    threads = [threading.Thread(target=pace.wait) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(waits) == pytest.approx([0.5, 1, 1.5, 2])
