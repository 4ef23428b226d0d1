"""Searches by upload date."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from image_labels.search.finder import Dates, Finder, TokenError
from support.searches import RecordingClient, keys
from support.seed import Photos, labels, write_photos

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PHOTOS: Photos = {f"{n}.jpg": labels(dog=90 + n, pet=80) for n in range(6)}
# 0.jpg was labelled by an earlier version, and another program wrote the time of 5.jpg.
DATES = {f"{n}.jpg": f"2026-11-0{n}T12:00:00.000+00:00" for n in range(1, 5)} | {"5.jpg": "yesterday"}
SINCE, UNTIL = "2026-11-02T12:00:00.000+00:00", "2026-11-04T00:00:00.000+00:00"


@pytest.fixture(autouse=True, params=[None, 1], ids=["", "terms in the item"])
def _photos(dynamodb: DynamoDBClient, request: pytest.FixtureRequest) -> None:
    write_photos(dynamodb, PHOTOS, uploaded=DATES, terms_in_row=request.param)


@pytest.mark.parametrize(
    ("dates", "found"),
    [
        (Dates(SINCE), ["4.jpg", "3.jpg", "2.jpg"]),
        (Dates(until=UNTIL), ["3.jpg", "2.jpg", "1.jpg"]),
        (Dates(SINCE, UNTIL), ["3.jpg", "2.jpg"]),
        (Dates(UNTIL, SINCE), []),
    ],
)
@pytest.mark.parametrize("expression", ["dog", "do*", "dog AND pet", "dog OR pet"])
def test_photos_of_the_dates_are_found(finder: Finder, expression: str, dates: Dates, found: list[str]) -> None:
    page = finder.find(expression, dates=dates)
    assert keys(page.photos) == found
    assert [photo.uploaded for photo in page.photos] == [DATES[key] for key in found]
    assert "0.jpg" in page.undated
    assert not page.undated & DATES.keys() - {"5.jpg"}
    scanned = finder.scan(f"{expression} OR NOT cat", dates=dates)
    assert sorted(keys(scanned.photos)) == sorted(found)
    assert "0.jpg" in scanned.undated


def test_without_dates_all_photos_are_found(finder: Finder) -> None:
    page = finder.find("dog")
    assert [photo.uploaded for photo in page.photos] == ["", *(DATES[f"{n}.jpg"] for n in (4, 3, 2, 1)), ""]
    assert page.undated == frozenset()


def test_dynamodb_filters_by_date(finder: Finder, client: RecordingClient) -> None:
    finder.find("dog", key_prefix="1", dates=Dates(SINCE, UNTIL))
    [query] = client.queries()
    assert (query.scanned, query.returned) == (6, 0)


def test_token_belongs_to_the_dates(finder: Finder) -> None:
    dates = Dates(SINCE)
    first = finder.find("dog", limit=2, dates=dates)
    second = finder.find("dog", limit=2, dates=dates, token=first.next_token)
    assert keys([*first.photos, *second.photos]) == ["4.jpg", "3.jpg", "2.jpg"]
    for other in (Dates(), Dates(SINCE, UNTIL)):
        with pytest.raises(TokenError, match="another expression, key prefix or date"):
            finder.find("dog", limit=2, dates=other, token=first.next_token)
