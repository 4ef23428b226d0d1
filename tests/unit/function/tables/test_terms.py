"""The terms of a photo, and their ranks."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_labels.model import Label
from image_labels.tables.terms import Kind, fold, rank, rank_bound, terms_of
from support.foreign import DOG


def found(*labels: Label) -> dict[str, tuple[str, Kind, float]]:
    return {term.text: (term.name, term.kind, term.confidence) for term in terms_of(labels)}


def test_names_aliases_parents_and_categories_have_the_confidence_of_their_label() -> None:
    phone = Label("Mobile Phone", 97.12345, ("Electronics", "Phone"), ("Cell Phone",), ("Technology and Computing",))
    assert found(phone) == {
        "mobile phone": ("Mobile Phone", Kind.LABEL, 97.123),
        "cell phone": ("Cell Phone", Kind.ALIAS, 97.123),
        "electronics": ("Electronics", Kind.PARENT, 97.123),
        "phone": ("Phone", Kind.PARENT, 97.123),
        "technology and computing": ("Technology and Computing", Kind.CATEGORY, 97.123),
    }


def test_label_takes_precedence_over_the_same_name_as_a_parent() -> None:
    dog, animal = Label("Dog", 99.0, ("Animal",)), Label("Animal", 85.0)
    assert found(dog, animal)["animal"] == ("Animal", Kind.LABEL, 85.0)
    assert found(animal, dog)["animal"] == ("Animal", Kind.LABEL, 85.0)


def test_parent_of_two_labels_has_the_higher_confidence() -> None:
    assert found(Label("Cat", 81.0, ("Pet",)), Label("Dog", 99.0, ("Pet",)))["pet"] == ("Pet", Kind.PARENT, 99.0)


def test_terms_are_in_order_of_confidence_then_text() -> None:
    assert [term.text for term in terms_of([Label("B", 81.0), Label("A", 81.0), Label("C", 99.0)])] == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("name", "folded"),
    [("Traffic Light", "traffic light"), ("  Traffic \t Light ", "traffic light"), ("Straße", "strasse"), ("É", "é")],
)
def test_case_and_spaces_do_not_matter(name: str, folded: str) -> None:
    assert fold(name) == folded


def test_label_without_a_name_is_no_term() -> None:
    assert terms_of([Label("", 99.0, (" ",))]) == ()


CONFIDENCE = st.integers(0, 100_000).map(lambda n: n / 1000)


@given(CONFIDENCE, CONFIDENCE, st.text(min_size=1), st.text(min_size=1))
def test_ranks_are_in_order_of_confidence_then_key(a: float, b: float, key: str, other: str) -> None:
    if a != b:
        assert (rank(a, key) < rank(b, other)) == (a > b)
    else:
        assert (rank(a, key) < rank(b, other)) == (key < other)


@given(CONFIDENCE, CONFIDENCE, st.text(min_size=1))
def test_rank_bound_follows_all_higher_confidences(limit: float, confidence: float, key: str) -> None:
    assert (rank(confidence, key) < rank_bound(limit)) == (confidence > limit)


@given(st.text(min_size=400, max_size=1024), st.text(min_size=400, max_size=1024))
def test_ranks_of_long_keys_fit_into_a_sort_key_and_differ(key: str, other: str) -> None:
    assert len(rank(99.5, key).encode()) <= 1024
    assert (rank(99.5, key) == rank(99.5, other)) == (key == other)


@pytest.mark.parametrize("name", ["*", "*usage", "x" * 2049, ""])
def test_name_that_cannot_be_a_partition_key_is_no_term(name: str) -> None:
    assert [term.text for term in terms_of([replace(DOG, name=name, parents=(), aliases=(), categories=("Dog",))])] == [
        "dog"
    ]
