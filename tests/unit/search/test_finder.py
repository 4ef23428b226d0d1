"""Searches and scans: the photos that they find, and their order."""

from __future__ import annotations

import pytest
from image_labels.search.expression import NeedsScan
from image_labels.search.finder import Finder, Found
from support.searches import RecordingClient, keys


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("dog", ["a/dog.jpg", "a/dog and cat.jpg", "b/street.jpg"]),
        ("DOG", ["a/dog.jpg", "a/dog and cat.jpg", "b/street.jpg"]),
        ("hound", ["a/dog.jpg"]),
        ('animal AND "animals and pets"', ["a/dog.jpg"]),
        ('"traffic light"', ["b/street.jpg"]),
        ("traf*", ["b/street.jpg", "b/road.jpg"]),
        ('"traffic *"', ["b/street.jpg", "b/road.jpg"]),
        ("*light", ["b/street.jpg"]),
        ("*AF*", ["b/street.jpg", "b/road.jpg"]),
        ('"* light"', ["b/street.jpg"]),
        ("*ligh", []),
        ("*o* AND NOT *dog*", ["b/cat.jpg"]),
        ("dog AND NOT *light*", ["a/dog.jpg", "a/dog and cat.jpg"]),
        ("*og OR uni*", ["a/dog.jpg", "a/dog and cat.jpg", "b/street.jpg"]),
        ("car AND traf*>=95", ["b/street.jpg"]),
        ("dog>=91.25", ["a/dog.jpg", "a/dog and cat.jpg"]),
        ("dog>91.25", ["a/dog.jpg"]),
        ("dog<91.25", ["b/street.jpg"]),
        ("dog<=91.25", ["a/dog and cat.jpg", "b/street.jpg"]),
        ("dog>=90 AND dog<99", ["a/dog and cat.jpg"]),
        ("dog AND cat", ["a/dog and cat.jpg"]),
        ("dog AND cat>98", []),
        ("dog AND NOT cat", ["a/dog.jpg", "b/street.jpg"]),
        ("dog AND NOT cat>=98", ["a/dog.jpg", "a/dog and cat.jpg", "b/street.jpg"]),
        ("dog AND NOT cat<98", ["a/dog.jpg", "b/street.jpg"]),
        ("dog AND NOT traf*", ["a/dog.jpg", "a/dog and cat.jpg"]),
        ("dog AND NOT xyz*", ["a/dog.jpg", "a/dog and cat.jpg", "b/street.jpg"]),
        ("dog AND NOT (cat OR car)", ["a/dog.jpg"]),
        ("dog OR cat", ["b/cat.jpg", "a/dog.jpg", "a/dog and cat.jpg", "b/street.jpg"]),
        ("cat OR car AND NOT dog", ["b/cat.jpg", "a/dog and cat.jpg", "b/road.jpg"]),
        ("(dog OR cat) AND (car OR sofa)", ["b/street.jpg", "b/cat.jpg"]),
        ("dog AND NOT dog", []),
        ("unicorn", []),
        ("uni*", []),
        ("dog OR uni*", ["a/dog.jpg", "a/dog and cat.jpg", "b/street.jpg"]),
    ],
)
def test_search_finds_the_photos_that_match(zoo: None, finder: Finder, expression: str, found: list[str]) -> None:
    page = finder.find(expression)
    assert sorted(keys(page.photos)) == sorted(found)
    if " AND " not in expression:
        assert keys(page.photos) == found  # with AND, the rarer term gives the order
    assert page.next_token is None
    assert sorted(keys(finder.scan(expression).photos)) == sorted(found)


def test_photo_has_its_sort_confidence_and_all_terms(zoo: None, finder: Finder) -> None:
    page = finder.find("hound")
    assert page.photos == (
        Found("a/dog.jpg", 99.5, {"animal": 99.5, "animals and pets": 99.5, "dog": 99.5, "hound": 99.5, "pet": 80.0}),
    )
    assert page.requests == 1


def test_photo_of_several_conjunctions_appears_once_with_its_highest_confidence(zoo: None, finder: Finder) -> None:
    assert [(photo.key, photo.confidence) for photo in finder.find("dog OR cat OR car").photos] == [
        ("b/cat.jpg", 99.9),
        ("a/dog.jpg", 99.5),
        ("b/street.jpg", 99.0),
        ("a/dog and cat.jpg", 97.5),
        ("b/road.jpg", 95.5),
    ]


def test_key_prefix_is_case_sensitive(zoo: None, finder: Finder) -> None:
    assert keys(finder.find("dog", key_prefix="a/").photos) == ["a/dog.jpg", "a/dog and cat.jpg"]
    assert keys(finder.find("dog OR cat", key_prefix="b/").photos) == ["b/cat.jpg", "b/street.jpg"]
    assert keys(finder.find("dog", key_prefix="a/dog.").photos) == ["a/dog.jpg"]
    assert keys(finder.scan("NOT dog", key_prefix="b/").photos) == ["b/cat.jpg", "b/road.jpg"]
    assert finder.find("dog", key_prefix="A/").photos == ()


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_limit_is_1_to_1000(finder: Finder, limit: int) -> None:
    with pytest.raises(ValueError, match=f"limit is {limit}; a page has 1 to 1,000 photos"):
        finder.find("dog", limit=limit)


def test_not_alone_is_refused_without_a_request(finder: Finder, client: RecordingClient) -> None:
    with pytest.raises(NeedsScan, match="--scan"):
        finder.find("dog OR NOT cat")
    assert client.calls == []


def test_page_reports_its_cost(zoo: None, finder: Finder, client: RecordingClient) -> None:
    for search, expression in ((finder.find, "dog OR traf*"), (finder.scan, "NOT dog")):
        page = search(expression)
        assert page.requests == len(client.calls)
        assert page.read_units > 0
        assert all(call.request["ReturnConsumedCapacity"] == "TOTAL" for call in client.calls)
        client.calls.clear()


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("NOT dog", ["b/cat.jpg", "b/road.jpg", "c/nothing.jpg"]),
        ("NOT hound", ["a/dog and cat.jpg", "b/cat.jpg", "b/road.jpg", "b/street.jpg", "c/nothing.jpg"]),
        ("NOT dog>=90", ["b/cat.jpg", "b/road.jpg", "b/street.jpg", "c/nothing.jpg"]),
        ("NOT *raf*", ["a/dog and cat.jpg", "a/dog.jpg", "b/cat.jpg", "c/nothing.jpg"]),
        ("NOT traf*", ["a/dog and cat.jpg", "a/dog.jpg", "b/cat.jpg", "c/nothing.jpg"]),
        ("NOT (cat OR car)", ["a/dog.jpg", "c/nothing.jpg"]),
        ("NOT dog AND NOT cat OR hound", ["a/dog.jpg", "b/road.jpg", "c/nothing.jpg"]),
        ("NOT unicorn AND sofa", ["b/cat.jpg"]),
        ("dog AND NOT dog", []),
    ],
)
def test_scan_finds_the_photos_that_match_any_expression(
    zoo: None, finder: Finder, expression: str, found: list[str]
) -> None:
    page = finder.scan(expression)
    assert sorted(keys(page.photos)) == found  # without the rejected photo, whose labels are unknown
    assert page.next_token is None


def test_scan_is_sorted_by_the_confidence_of_requested_terms(zoo: None, finder: Finder) -> None:
    assert [(photo.key, photo.confidence) for photo in finder.scan("cat OR NOT dog AND NOT car").photos] == [
        ("b/cat.jpg", 99.9),
        ("a/dog and cat.jpg", 97.5),
        ("c/nothing.jpg", 0.0),
    ]
