"""Which labels are stored, and when a stored answer is as good as another call of Rekognition."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_labels.model import Label, Labels, Rejected
from image_labels.selection import Criteria, from_stored

ANSWER = Labels(
    tuple(Label(f"Label {n}", n) for n in (99.0, 95.0, 90.0, 85.0)), "3.0", asked="max_labels=4;min_confidence=85.0"
)


def names(labels: Labels | Rejected | None) -> list[str]:
    assert isinstance(labels, Labels)
    return [label.name for label in labels.labels]


def test_criteria_are_read_from_their_text() -> None:
    criteria = Criteria(10, 80.5)
    assert criteria.text == "max_labels=10;min_confidence=80.5"
    assert Criteria.parse(criteria.text) == criteria


@pytest.mark.parametrize(
    "text", ["", "s", "max_labels=10", "max_labels=ten;min_confidence=80", "min_confidence=80.0;max_labels=10"]
)
def test_criteria_of_another_form_are_not_read(text: str) -> None:
    assert Criteria.parse(text) is None


def test_labels_below_the_threshold_and_over_the_number_are_kept_apart() -> None:
    chosen = Criteria(2, 90).choose(ANSWER)
    assert names(chosen) == ["Label 99.0", "Label 95.0"]
    assert [label.name for label in chosen.others] == ["Label 90.0", "Label 85.0"]
    assert Criteria(10, 50).choose(ANSWER) == ANSWER


def test_order_of_equal_confidences_is_that_of_the_names() -> None:
    """With the precision of the table, from which a stored answer is read."""
    answer = Labels((Label("Dog", 90.0001), Label("Cat", 90.0003), Label("Ant", 90.0)), "3.0")
    stored = Labels((Label("Cat", 90.0), Label("Dog", 90.0), Label("Ant", 90.0)), "3.0")
    assert names(Criteria(2, 80).choose(answer)) == names(Criteria(2, 80).choose(stored)) == ["Ant", "Cat"]


@pytest.mark.parametrize(
    ("asked", "wanted", "expected"),
    [
        (Criteria(10, 85), Criteria(10, 90), 3),  # raised
        (Criteria(10, 85), Criteria(10, 85), 4),
        (Criteria(10, 85), Criteria(10, 80), None),  # lowered below what was asked for
        (Criteria(10, 85), Criteria(2, 85), 2),
        (Criteria(10, 85), Criteria(20, 85), 4),  # Rekognition had no more than four
        (Criteria(4, 85), Criteria(20, 85), None),  # Rekognition may have had more
        (Criteria(4, 85), Criteria(3, 95), 2),
    ],
)
def test_stored_answer_is_used_if_it_has_all_that_is_wanted(
    asked: Criteria, wanted: Criteria, expected: int | None
) -> None:
    answer = Labels(ANSWER.labels, "3.0", asked=asked.text)
    found = from_stored(answer, wanted)
    assert (None if found is None else len(names(found))) == expected


def test_stored_rejection_holds_under_any_criteria() -> None:
    rejected = Rejected("InvalidImageFormatException: no", "2026-11-28T07:00:00.000+00:00")
    assert from_stored(rejected, Criteria(1, 99)) == rejected
    assert from_stored(None, Criteria(1, 99)) is None
    assert from_stored(Labels((), "3.0", asked="by hand"), Criteria(1, 99)) is None


confidences = st.lists(st.integers(0, 10).map(lambda n: n * 10.0), max_size=6)
criteria = st.builds(Criteria, st.integers(1, 6), st.integers(0, 10).map(lambda n: n * 10.0))


@given(confidences, criteria, criteria)
def test_stored_answer_gives_what_rekognition_would_answer(
    found: list[float], asked: Criteria, wanted: Criteria
) -> None:
    everything = [Label(f"L{n}", confidence) for n, confidence in enumerate(sorted(found, reverse=True))]

    def rekognition(request: Criteria) -> tuple[Label, ...]:
        return tuple(
            [label for label in everything if label.confidence >= request.min_confidence][: request.max_labels]
        )

    derived = from_stored(Labels(rekognition(asked), "3.0", asked=asked.text), wanted)
    if derived is not None:
        assert isinstance(derived, Labels)
        assert derived.labels == rekognition(wanted)
