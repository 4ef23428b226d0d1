"""Expressions in the notations of other search engines and languages: their messages and suggestions."""
# ruff: noqa: RUF001 - some tests are about quotes and dashes that resemble others

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_labels.search.expression import ExpressionError, parse
from support.searches import parse_or_error

OTHER_NOTATIONS = [
    # text, position of the mistake, words of the message, suggestions
    ("“traffic light”", 0, "“ is a typographic quote", ['"traffic light"']),
    ("dog AND „traffic light“", 8, "„ is a typographic quote", ['dog AND "traffic light"']),
    ("«traffic light» OR ‘hot dog’", 0, "« is a typographic quote", ['"traffic light" OR "hot dog"']),
    ("‘traffic light’", 0, "‘ is a typographic quote", ['"traffic light"']),
    ("”traffic light”", 0, "” is a typographic quote", ['"traffic light"']),
    ("“women’s clothing”", 0, "typographic", ['"women’s clothing"']),
    ("“dog” AND “cat”", 0, "typographic", ["dog AND cat"]),
    ("“traffic light", 0, "typographic", ['"traffic light"']),
    ("“traf*”", 0, "typographic", ["traf*"]),
    (r"\"traffic light\" AND dog", 0, "no \\ before it", ['"traffic light" AND dog']),
    ("dog && cat", 4, "to require both labels, use AND", ["dog AND cat"]),
    ("dog&&cat", 0, "&& is not an operator", ["dog AND cat"]),
    ("dog & cat", 4, "& is not an operator", ["dog AND cat"]),
    ("dog || cat", 4, "to accept either label, use OR", ["dog OR cat"]),
    ("(dog|cat) && !bird", 1, "| is not an operator", ["(dog OR cat) AND NOT bird"]),
    ("!dog", 0, "! is not an operator", ["NOT dog"]),
    ("dog AND !(cat OR bird)", 8, "! is not an operator", ["dog AND NOT (cat OR bird)"]),
    ("-dog", 0, "- is not an operator", ["NOT dog"]),
    ("beach -dog", 6, "put NOT before it", ["beach AND NOT dog"]),
    ('beach -"traffic light"', 6, "put NOT before it", ['beach AND NOT "traffic light"']),
    ("beach –dog", 6, "put NOT before it", ["beach AND NOT dog"]),
    ("+dog", 0, "to require all labels", ["dog"]),
    ("+dog +beach -cat", 0, "to require all labels", ["dog AND beach AND NOT cat"]),
    ("dog, cat", 0, "AND requires both, OR accepts either", ["dog AND cat", "dog OR cat"]),
    ("dog,cat;bird", 0, "does not separate", ["dog AND cat AND bird", "dog OR cat OR bird"]),
    ("dog, AND cat", 0, "does not separate", ["dog AND cat"]),
    ("dog,", 0, "does not separate", ["dog"]),
    ("dog = 95", 4, "= is not a comparison", ["dog>=95"]),
    ("dog==95%", 3, "== is not a comparison", ["dog>=95%"]),
    ("dog=>95", 3, "=> is not a comparison", ["dog>=95"]),
    ("dog=<95", 3, "=< is not a comparison", ["dog<=95"]),
    ("dog!=95", 0, "NOT excludes", ["(dog<95 OR dog>95)"]),
    ("dog:95", 0, ": is not a comparison", ["dog>=95"]),
    ("dog: 95 AND cat", 0, ": is not a comparison", ["dog>=95 AND cat"]),
    ("dog:>95", 0, ": is not a comparison", ["dog>95"]),
    ("dog≥95", 0, "≥ is not a comparison", ["dog>=95"]),
    ("label:dog", 0, "is not needed", ["dog"]),
    ('label="traffic light"', 5, "= is not a comparison", ['"traffic light"']),
    (
        "“traffic light” && -dog, cat",
        0,
        "typographic",
        ['"traffic light" AND NOT dog AND cat', '"traffic light" AND NOT dog OR cat'],
    ),
    ("traffic light", 8, "stand side by side", ['"traffic light"', "traffic AND light", "traffic OR light"]),
]


@pytest.mark.parametrize(("text", "position", "message", "suggestions"), OTHER_NOTATIONS)
def test_other_notations_are_explained_and_translated(
    text: str, position: int, message: str, suggestions: list[str]
) -> None:
    with pytest.raises(ExpressionError) as info:
        parse(text)
    assert message in info.value.message
    assert info.value.position == position
    assert list(info.value.suggestions) == suggestions
    for each in suggestions:
        parse(each)
        assert each in info.value.message or len(suggestions) == 3


@pytest.mark.parametrize("text", ["&&", "-", "dog | | cat", "dog=cat", "dog AND “"])
def test_text_without_a_clear_meaning_has_no_suggestions(text: str) -> None:
    with pytest.raises(ExpressionError) as info:
        parse(text)
    assert info.value.suggestions == ()


@pytest.mark.parametrize(
    "text",
    [
        "hot-dog",
        "women’s",
        "a:b",
        "dog and not cat",
        "dog AnD CaT",
        '"dog, cat"',
        '"-dog" OR "a && b"',
        "'“dog”'",
        "1/2",
    ],
)
def test_terms_that_resemble_another_notation_are_accepted(text: str) -> None:
    assert parse(text)


@given(st.text(alphabet="ab “”‘’«»„&|!-+,;:=<>≥95%()\"'\\*\x1b\u202e ANDORT", max_size=25))
def test_every_suggestion_is_a_valid_expression(text: str) -> None:
    outcome = parse_or_error(text)
    if isinstance(outcome, ExpressionError):
        for each in outcome.suggestions:
            assert parse(each)
        assert re.search(r"\n *\^$", str(outcome))
