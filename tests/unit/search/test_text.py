"""Photos are found by the lines of text in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from image_labels.detectors.text import Line, Text, TextCriteria
from image_labels.model import Label, Labels, Photo
from image_labels.tables.store import Store
from support.fakes import BUCKET, LABELS_TABLE, TABLE

if TYPE_CHECKING:
    from image_labels.search.finder import Finder, Page
    from mypy_boto3_dynamodb import DynamoDBClient

STREET = (Label("Street", 95.0),)
# So many labels that the rows of a photo do not have its terms.
MANY = tuple(Label(f"Label {number}", 90.0) for number in range(260))


def put(store: Store, key: str, *lines: tuple[str, float], labels: tuple[Label, ...] = STREET) -> None:
    criteria = TextCriteria(80.0)
    found = tuple(Line(text, confidence, 0.1, 0.2, 0.3, 0.4) for text, confidence in lines)
    content = Labels(labels, "3.0", findings=(Text(asked=criteria.text, lines=found),))
    store.put(Photo(BUCKET, key, "e", None, 1), content, f"s{criteria.settings}", None)


@pytest.fixture(autouse=True)
def signs(dynamodb: DynamoDBClient) -> None:
    store = Store(dynamodb, TABLE, LABELS_TABLE)
    put(store, "limit.jpg", ("Speed  Limit", 99.1), ("55", 98.0))
    put(store, "stop.jpg", ("STOP", 97.0))
    put(store, "many.jpg", ("SPEED LIMIT", 85.0), labels=MANY)


def keys(page: Page) -> list[str]:
    return [photo.key for photo in page.photos]


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ('"speed limit"', ["limit.jpg", "many.jpg"]),
        ('"speed limit">=90', ["limit.jpg"]),
        ("street AND NOT stop", ["limit.jpg"]),
        ('"label 7" AND "speed limit"', ["many.jpg"]),
        ('"label 7" AND NOT "speed limit"', []),
        ("55 OR stop", ["limit.jpg", "stop.jpg"]),
        ("speed", []),
    ],
)
def test_line_of_text_is_a_term(finder: Finder, expression: str, found: list[str]) -> None:
    assert keys(finder.find(expression)) == found


def test_scan_knows_the_text(finder: Finder) -> None:
    assert keys(finder.scan('NOT "speed limit"')) == ["stop.jpg"]


def test_text_is_not_among_the_labels(finder: Finder) -> None:
    assert "stop" not in [term.text for term in finder.vocabulary()]
    assert finder.suggestions("stpo") == {"stpo": []}
