"""Expressions as people type them: words without quotes, missing ANDs, singular and plural."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_labels.model import Label
from image_labels.search.expression import MAX_LENGTH, ExpressionError, parse
from image_labels.search.finder import Finder
from support.searches import RecordingClient, keys
from support.seed import Photos, labels, write_photos

PHOTOS: Photos = {
    "cup.jpg": labels(coffee_cup=99, coffee=90),
    "saucer.jpg": labels(cup=98, coffee=95),
    "dog.jpg": labels(dog=97),
    "street.jpg": (*labels(traffic_light=96, glasses=95), Label("Stop Sign", 94), Label("Red Traffic Light", 93)),
    "shop.jpg": (*labels(woman=92, knife=91, glass=90), Label("Men's", 89), Label('5" Pipe', 88), Label("And", 87)),
}


@pytest.fixture(autouse=True)
def _photos(dynamodb: Any) -> None:
    write_photos(dynamodb, PHOTOS)


@pytest.mark.parametrize(
    ("typed", "expression", "notes"),
    [
        ("dog", "dog", []),
        ("Dog OR  CAT", "Dog OR  CAT", []),
        ("coffee cup", '"coffee cup"', ['coffee cup: searched for the label "coffee cup"']),
        ("Coffee   CUP", '"coffee cup"', ['Coffee CUP: searched for the label "coffee cup"']),
        ("cup coffee", "cup AND coffee", ["cup coffee: no such label; searched for cup AND coffee"]),
        ("coffee dog", "coffee AND dog", ["coffee dog: no such label; searched for coffee AND dog"]),
        ("coffee xyz", "coffee AND xyz", ["coffee xyz: no such label; searched for coffee AND xyz"]),
        ('"coffee dog"', '"coffee dog"', []),
        ("dogs", "dog", ["dogs: no such label; searched for dog"]),
        ("NOT dogs AND cup", "NOT dog AND cup", ["dogs: no such label; searched for dog"]),
        ("women AND knives", "woman AND knife", None),
        ("glasses", "glasses", []),  # a label, although "glass" is one, too
        ("coffee cups", '"coffee cup"', ['coffee cups: no such label; searched for "coffee cup"']),
        ('"coffee cups"', '"coffee cup"', None),
        ("coffee cups>=95", '"coffee cup">=95', None),
        ("cup coffee >= 95", "cup AND coffee >= 95", None),
        ("coffee>=95 cup", "coffee>=95 AND cup", []),
        ("coffee cup OR dogs", '"coffee cup" OR dog', None),
        ("dog (cup OR coffee)", "dog AND (cup OR coffee)", []),
        ("(cup)dogs", "(cup) AND dog", ["dogs: no such label; searched for dog"]),
        ("cup(dog)", "cup AND (dog)", []),
        ("coffee NOT dog", "coffee AND NOT dog", []),
        ("coffee NOT traffic light", 'coffee AND NOT "traffic light"', None),
        ('"coffee" cup', '"coffee" AND cup', []),
        ("coff* cup", "coff* AND cup", []),
        ("*light* dogs", "*light* AND dog", ["dogs: no such label; searched for dog"]),
        ("dogs*", "dogs*", []),
        ("red traffic light dog", '"red traffic light" AND dog', None),
        ("dog red traffic light", 'dog AND "red traffic light"', None),
        ("traffic light stop sign", '"traffic light" AND "stop sign"', None),
        ("light stop sign", 'light AND "stop sign"', None),
        ('"men\'s" dogs', '"men\'s" AND dog', None),
        ("'5\" pipes'", "'5\" pipe'", None),
        ('"ands"', '"and"', None),
    ],
)
def test_words_become_an_expression(finder: Finder, typed: str, expression: str, notes: list[str] | None) -> None:
    resolved = finder.resolve(typed)
    assert resolved.expression == expression
    assert notes is None or list(map(str, resolved.notes)) == notes
    assert finder.resolve(resolved.expression).expression == resolved.expression


def test_resolved_expression_finds_the_photos(finder: Finder) -> None:
    assert keys(finder.find(finder.resolve("coffee cup").expression).photos) == ["cup.jpg"]
    assert keys(finder.find(finder.resolve("cups coffee").expression).photos) == ["saucer.jpg"]
    assert keys(finder.scan(finder.resolve("NOT dogs NOT coffee NOT glasses").expression).photos) == ["shop.jpg"]


@pytest.mark.parametrize(
    ("typed", "message", "position"),
    [
        (
            "NOT coffee dog",
            r"coffee dog is no label, so it is unclear what NOT excludes: write NOT \(coffee OR dog\)",
            4,
        ),
        ("dog NOT traffic light cup", "traffic light cup is no label", 8),
        ("coffee cup AND", "ends where a term is expected", 14),
        ("coffee cup)", "has no [(] before it", 10),
        ("coffee, cup", ", does not separate terms", 0),
        ("w " * 17, "more than 16 words stand side by side", 32),
    ],
)
def test_unclear_words_are_refused(
    finder: Finder, client: RecordingClient, typed: str, message: str, position: int
) -> None:
    with pytest.raises(ExpressionError, match=message) as info:
        finder.resolve(typed)
    assert info.value.expression[: info.value.position] == typed[:position]


def test_unclear_words_after_not_have_suggestions(finder: Finder) -> None:
    with pytest.raises(ExpressionError) as info:
        finder.resolve("cup AND NOT coffee dogs")
    assert info.value.suggestions == ("cup AND NOT (coffee OR dog)", "cup AND NOT (coffee AND dog)")


def test_known_terms_cost_one_request(finder: Finder, client: RecordingClient) -> None:
    resolved = finder.resolve("dog OR coffee AND NOT cup")
    assert len(client.calls) == resolved.requests == 1
    assert resolved.read_units > 0
    client.calls.clear()
    assert finder.resolve("traf*").requests == 0
    assert client.calls == []


def test_find_and_scan_take_terms_literally(finder: Finder) -> None:
    for search in (finder.find, finder.scan):
        assert search("dogs").photos == ()
        with pytest.raises(ExpressionError, match="stand side by side"):
            search("coffee cup")


@given(st.lists(st.sampled_from(["dogs", "coffee", "cup", '"and"', "NOT", "OR", "AND", "(", ")", ">=5", "*a", "-"])))
def test_any_words_are_resolved_or_refused_with_a_position(words: list[str]) -> None:
    finder = Finder(_NoTables(), labels_table="", images_table="")  # type: ignore[arg-type]
    text = " ".join(words)[:MAX_LENGTH]
    outcome = _resolved_or_error(finder, text)
    if isinstance(outcome, ExpressionError):
        assert 0 <= outcome.position <= len(text)
        assert re.search(r"\n *\^$", str(outcome))
    else:
        parse(outcome)


def _resolved_or_error(finder: Finder, text: str) -> str | ExpressionError:
    try:
        return finder.resolve(text).expression
    except ExpressionError as error:
        return error


class _NoTables:
    """A DynamoDB client of empty tables."""

    def batch_get_item(self, **_: object) -> dict[str, Any]:
        return {"Responses": {}, "UnprocessedKeys": {}}
