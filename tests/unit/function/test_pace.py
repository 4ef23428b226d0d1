"""Calls are let through at a rate; only a short pause is made up for."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_labels.pace import CATCH_UP_SECONDS, Pace


class Clock:
    """A clock that moves only when `sleep` is called or `now` is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def times(count: int, per_second: float, before: Callable[[int, Clock], None] = lambda _n, _clock: None) -> list[float]:
    """The times at which `count` consecutive calls were let through, in seconds from the start."""
    clock = Clock()
    pace = Pace(per_second, clock=lambda: clock.now, sleep=clock.sleep)
    let_through = []
    for n in range(count):
        before(n, clock)
        pace.wait()
        let_through.append(clock.now - 1000)
    return let_through


def test_burst_starts_with_one_call() -> None:
    assert times(4, 4) == pytest.approx([0, 0.25, 0.5, 0.75])


def test_rate_may_be_below_one_per_second() -> None:
    assert times(3, 0.5) == pytest.approx([0, 2, 4])


@pytest.mark.parametrize("idle", [2.6, 3600])
def test_burst_after_a_pause_starts_with_one_call(idle: float) -> None:
    def pause_before_the_fifth(n: int, clock: Clock) -> None:
        if n == 4:
            clock.now += idle

    assert times(7, 4, pause_before_the_fifth)[4:] == pytest.approx([0.75 + idle + n * 0.25 for n in range(3)])


def test_short_pause_between_batches_is_made_up_for() -> None:
    def pause_before_the_ninth(n: int, clock: Clock) -> None:
        if n == 8:
            clock.now += 0.75  # half a second after the ninth's turn

    assert times(12, 4, pause_before_the_ninth)[8:] == pytest.approx([2.5, 2.5, 2.5, 2.75])


def test_at_most_one_second_is_made_up_for() -> None:
    def pause_before_the_ninth(n: int, clock: Clock) -> None:
        if n == 8:
            clock.now += 2

    assert times(14, 4, pause_before_the_ninth)[8:] == pytest.approx([3.75] * 5 + [4])


@given(
    per_second=st.sampled_from([0.5, 2.5, 6.25, 10]),
    pauses=st.lists(st.sampled_from([0, 0, 0, 0.1, 0.7, 1.5, 2.5, 60]), min_size=1, max_size=60),
)
def test_rate_is_exceeded_by_at_most_one_second_of_calls(per_second: float, pauses: list[float]) -> None:
    def pause(n: int, clock: Clock) -> None:
        clock.now += pauses[n]

    let_through = times(len(pauses), per_second, pause)
    for n, start in enumerate(let_through):
        for seconds in (1, 2, 5):
            calls = sum(start <= each < start + seconds - 1e-6 for each in let_through[n:])
            assert calls <= (seconds + CATCH_UP_SECONDS) * per_second + 1


def test_concurrent_callers_are_spread() -> None:
    waits: list[float] = []
    pace = Pace(2, clock=lambda: 0.0, sleep=waits.append)
    threads = [threading.Thread(target=pace.wait) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(waits) == pytest.approx([0.5, 1, 1.5, 2, 2.5])
