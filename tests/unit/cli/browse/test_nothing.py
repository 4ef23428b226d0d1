"""Why a search found nothing, with the real Finder on moto."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from image_labels.model import Label, Labels, Photo
from image_labels.search.expression import parse
from image_labels.search.finder import Finder, Page
from image_labels.tables.store import Store
from image_labels_cli.browse import nothing
from image_labels_cli.browse.nothing import Instead, diagnose, written
from support.fakes import LABELS_TABLE, TABLE

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PHOTOS = {
    "images/cat.jpg": (Label("Cat", 97.5), Label("Pet", 97.5), Label("Traffic Light", 60.0)),
    "images/dog.jpg": (Label("Dog", 99.0), Label("Pet", 99.0)),
}


@pytest.fixture
def finder(dynamodb: DynamoDBClient) -> Finder:
    store = Store(dynamodb, TABLE, LABELS_TABLE)
    for key, labels in PHOTOS.items():
        store.put(Photo("photos", key, "etag", None, 1), Labels(labels, "3.0"), "settings", None)
    return Finder(dynamodb, labels_table=LABELS_TABLE, images_table=TABLE)


@pytest.mark.parametrize(
    ("expression", "none", "instead"),
    [
        ("bird", ("bird",), ()),
        ("bird AND cat", ("bird",), (Instead("cat", "without bird"),)),
        ("dog AND cat", (), (Instead("dog", "without cat"), Instead("cat", "without dog"))),
        ("cat AND NOT pet", (), (Instead("cat", "without NOT pet"),)),
        ("cat>=99", ("cat>=99",), (Instead("cat>=97", "cat>=97 instead of cat>=99"),)),
        (
            '"traffic light">70 AND pet',
            ('"traffic light">=70.001',),
            (
                Instead('pet AND "traffic light">=60', '"traffic light">=60 instead of "traffic light">=70.001'),
                Instead("pet", 'without "traffic light">=70.001'),
            ),
        ),
        ("bi* OR cat<50", ("bi*", "cat<=49.999"), ()),
    ],
)
def test_part_without_photos_is_named(
    finder: Finder, expression: str, none: tuple[str, ...], instead: tuple[Instead, ...]
) -> None:
    found = diagnose(finder, expression, "")
    assert set(found.none) == set(none)
    assert set(found.instead) == set(instead)
    assert found.complete
    for each in found.instead:
        assert finder.find(each.expression).photos


def test_photos_may_have_other_keys(finder: Finder) -> None:
    assert diagnose(finder, "cat", "videos/").elsewhere
    assert not diagnose(finder, "bird", "videos/").elsewhere


def test_questions_stop_at_a_limit(finder: Finder, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    find = finder.find

    def count(expression: str, *, limit: int) -> Page:
        asked.append(expression)
        return find(expression, limit=limit)

    monkeypatch.setattr(finder, "find", count)
    monkeypatch.setattr(nothing, "MAX_READ_UNITS", 1)
    found = diagnose(finder, "dog AND cat AND pet", "")
    assert not found.complete
    assert len(asked) <= 2


@pytest.mark.parametrize("text", ["cat", '"traffic light"', "traf*", '"traffic l*"', "cat>=90", "cat<=50.5", '"and"'])
def test_part_is_written_as_an_expression(text: str) -> None:
    [atom] = parse(text).positive()
    assert written(atom) == text
