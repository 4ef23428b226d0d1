"""The benchmark of the backfill: its figures at small sizes, and mistakes that it finds."""

from __future__ import annotations

import tracemalloc

import pytest

from bench.backfill import measure


def test_all_photos_are_labelled_and_the_function_is_busy() -> None:
    measured = measure(2_000)
    assert (measured.photos, measured.labelled) == (2_000, 1_500)
    assert measured.feed_share >= 0.95
    assert measured.clock_seconds == pytest.approx(1_500 / 50, rel=0.1)
    assert measured.deepest_queue_seconds <= 10
    assert 10e6 < measured.peak_bytes < 2e9


def test_slow_feeding_is_measured() -> None:
    assert measure(4_000, tps=10.0).feed_share < 0.3


def test_memory_does_not_grow_with_the_number_of_photos() -> None:
    def peak(photos: int) -> int:
        tracemalloc.start()
        try:
            measure(photos, quota=500.0)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(300)  # the first run also fills caches
    assert peak(9_000) <= 1.2 * peak(5_500)
