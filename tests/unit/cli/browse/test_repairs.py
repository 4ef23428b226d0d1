"""Expressions with a slip, and the ones that the user may have meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_labels.search.expression import parse
from image_labels_cli.browse.repairs import repairs


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(cat", ("(cat)",)),
        ("cat)", ("cat",)),
        ("cat AND", ("cat",)),
        ("cat AND NOT", ("cat",)),
        ("OR cat", ("cat",)),
        ("cat AND (", ("cat",)),
        ("cat AND OR dog", ("cat OR dog",)),
        ('"traffic light', ('"traffic light"',)),
        ('dog OR (cat AND "x y', ('dog OR (cat AND "x y")',)),
        ("dog>=200 AND cat>=90", ("dog AND cat>=90",)),
        ("dog >", ("dog",)),
        ("NOT cat", ()),
        ("()", ()),
        ("", ()),
    ],
)
def test_slip_is_repaired(text: str, expected: tuple[str, ...]) -> None:
    assert repairs(text) == expected


@given(st.text(st.sampled_from("ab()\"'<>=9 ANDORT"), max_size=30))
def test_repairs_are_valid_searches(text: str) -> None:
    for repaired in repairs(text):
        parse(repaired).refuse_not_alone()
