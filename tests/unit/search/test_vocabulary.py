"""The vocabulary, the terms of a prefix, and suggestions for unknown terms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from image_labels.model import Label
from image_labels.search.expression import ExpressionError
from image_labels.search.vocabulary import distance, near
from support.searches import RecordingClient, keys
from support.seed import write_photos

if TYPE_CHECKING:
    from image_labels.search.finder import Finder
    from mypy_boto3_dynamodb import DynamoDBClient


def test_vocabulary_is_in_alphabetical_order(zoo: None, finder: Finder) -> None:
    assert [term.text for term in finder.vocabulary()] == [
        "animal",
        "animals and pets",
        "car",
        "cat",
        "dog",
        "hound",
        "pet",
        "sofa",
        "traffic light",
        "traffic sign",
    ]
    assert [(term.text, term.name, term.kind) for term in finder.vocabulary("ANIMALS")] == [
        ("animals and pets", "Animals and Pets", "category")
    ]


def test_prefix_with_too_many_terms_is_refused(dynamodb: DynamoDBClient, finder: Finder) -> None:
    write_photos(dynamodb, {"a.jpg": tuple(Label(f"Traffic {n}", 90) for n in range(51))})
    for expression in ("traf*", "dog AND traf*", "dog AND NOT traf*"):
        with pytest.raises(
            ExpressionError, match=r"traf\* matches 51 labels, and a search can have at most 50"
        ) as info:
            finder.find(expression)
        assert expression[info.value.position :] in ("traf*", "NOT traf*")
    with pytest.raises(ExpressionError, match=r"\*affic\* matches 51 labels, .* use a longer text"):
        finder.find("dog AND *affic*")
    assert keys(finder.find('"traffic 1*" AND *1').photos) == ["a.jpg"]
    assert keys(finder.scan("NOT traf* OR traf*").photos) == ["a.jpg"]


def test_vocabulary_is_read_once_for_all_patterns_that_begin_with_an_asterisk(
    zoo: None, finder: Finder, client: RecordingClient
) -> None:
    assert keys(finder.find("*light AND *ca*").photos) == ["b/street.jpg"]
    assert len([call for call in client.calls if call not in client.queries()]) == 1


def test_unknown_terms_have_similar_ones_as_suggestions(zoo: None, finder: Finder, client: RecordingClient) -> None:
    assert finder.suggestions("dog AND traf* AND NOT dgo") == {}
    assert finder.suggestions("dgo") == {"dgo": ["dog"]}
    assert finder.suggestions('(DGO OR "trafic lihgt") AND cats AND zzz AND light') == {
        "dgo": ["dog"],
        "trafic lihgt": ["traffic light"],
        "cats": ["cat"],
        "zzz": [],
        "light": ["traffic light"],
    }
    assert finder.suggestions("trfa*") == {"trfa*": ["traffic light", "traffic sign"]}
    assert finder.suggestions("*dgo OR *light OR *o*") == {"*dgo": ["dog"]}
    client.calls.clear()
    assert finder.suggestions("dog AND cat") == {}
    assert len(client.calls) == 1  # known terms need no read of the whole vocabulary


@pytest.mark.parametrize(
    ("one", "other", "typos"),
    [("dog", "dog", 0), ("dgo", "dog", 1), ("dg", "dog", 1), ("dogg", "dog", 1), ("dag", "dog", 1), ("cat", "dog", 3)],
)
def test_distance_counts_typos(one: str, other: str, typos: int) -> None:
    assert distance(one, other, 3) == distance(other, one, 3) == typos


def test_three_nearest_terms_are_suggested() -> None:
    assert near("boat", ["boa", "bat", "coat", "goat", "boating", "dog"]) == ["bat", "boa", "coat"]
