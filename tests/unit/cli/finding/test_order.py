"""The order of photos, in memory and in files."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_labels_cli.finding.match import Match
from image_labels_cli.finding.order import Sort, first, in_order

DATES = ("", "2026-11-01T00:00:00.000+00:00", "2026-11-02T00:00:00.000+00:00")
some_matches = st.lists(
    st.builds(
        Match,
        st.text(max_size=3),
        st.sampled_from([99.5, 80.0]),
        st.just({"dog": 80.0}),
        st.just({"dog": 80.0}),
        st.sampled_from(DATES),
        st.just("b"),
    ),
    unique_by=lambda match: match.key,
)


@given(some_matches, st.sampled_from(Sort), st.integers(1, 5))
def test_order_is_the_same_in_files_and_in_memory(matches: list[Match], sort: Sort, room: int) -> None:
    whole = list(in_order(matches, sort))
    assert list(in_order(matches, sort, room)) == whole
    assert first(matches, sort, room) == whole[:room]
    assert sorted(whole, key=lambda match: match.key) == sorted(matches, key=lambda match: match.key)


@pytest.mark.parametrize(("sort", "keys"), [(Sort.KEY, "abcd"), (Sort.DATE, "bdac"), (Sort.CONFIDENCE, "cabd")])
def test_photos_are_sorted(sort: Sort, keys: str) -> None:
    matches = [
        Match("d", 70, uploaded=DATES[1]),
        Match("c", 90, uploaded=""),
        Match("a", 80, uploaded=""),
        Match("b", 80, uploaded=DATES[2]),
    ]
    assert "".join(match.key for match in in_order(matches, sort)) == keys


def test_at_most_room_and_one_page_of_photos_are_in_memory() -> None:
    alive = set[int]()
    highest = 0

    class Counted(Match):
        def __del__(self) -> None:
            alive.discard(id(self))

    def many() -> Iterator[Match]:
        nonlocal highest
        for n in range(2_000):
            match = Counted(f"{n * 7919 % 2_000:04}", 90.0)
            alive.add(id(match))
            highest = max(highest, len(alive))
            yield match

    keys = [match.key for match in in_order(many(), Sort.KEY, room=100)]
    assert keys == sorted(keys)
    assert len(keys) == 2_000
    assert highest <= 202  # those of a run, their sorted list, and the one that is read
