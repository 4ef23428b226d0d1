"""The choice of the driver, measured by the number of rows that a search reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from image_labels.search.finder import MAX_PAGE, Finder
from support.searches import RecordingClient, pages
from support.seed import labels, write_photos

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def test_page_of_one_term_reads_at_most_two_more_rows_than_photos(
    dynamodb: DynamoDBClient, finder: Finder, client: RecordingClient
) -> None:
    write_photos(dynamodb, {f"{n:03}.jpg": labels(dog=90 + n / 100) for n in range(300)})
    page = finder.find("dog", limit=25)
    assert (len(page.photos), client.rows_read(), page.requests) == (25, 26, 1)
    client.calls.clear()
    finder.find("dog", limit=25, token=page.next_token)
    assert client.rows_read() == 27


def test_bounds_of_the_driver_are_key_conditions(
    dynamodb: DynamoDBClient, finder: Finder, client: RecordingClient
) -> None:
    write_photos(dynamodb, {f"{n:03}.jpg": labels(dog=n) for n in range(100)})
    assert len(finder.find("dog>=40 AND dog<50", limit=MAX_PAGE).photos) == 10
    assert client.rows_read() == 10


def test_rarer_term_becomes_the_driver(dynamodb: DynamoDBClient, finder: Finder, client: RecordingClient) -> None:
    photos = {f"{n:03}.jpg": labels(person=99 - n / 10) for n in range(400)}
    photos |= {f"rare {n}.jpg": labels(zither=80 + n) for n in range(10)}  # without a person
    write_photos(dynamodb, photos)
    for expression in ("person AND zither", "zither AND person AND zi*", "person AND zi*"):
        client.calls.clear()
        page = finder.find(expression)
        assert (page.photos, page.next_token) == ((), None)
        assert client.rows_read("zither") <= 20
        assert client.rows_read("person") <= 24


def test_term_with_the_higher_share_of_matches_becomes_the_driver(
    dynamodb: DynamoDBClient, finder: Finder, client: RecordingClient
) -> None:
    photos = {f"{n:03}.jpg": labels(person=99 - n / 10, **({"dog": 90} if n % 20 == 0 else {})) for n in range(800)}
    write_photos(dynamodb, photos)
    page = finder.find("person AND dog")
    assert len(page.photos) == 25
    assert {photo.confidence for photo in page.photos} == {90.0}
    assert client.rows_read("dog") <= 36
    assert client.rows_read("person") <= 12


def test_driver_that_starts_well_does_not_read_all_its_rows(
    dynamodb: DynamoDBClient, finder: Finder, client: RecordingClient
) -> None:
    """The photos with both terms are the first rows of the common term, and no later row matches."""
    photos = {f"{n:04}.jpg": labels(person=99 - n / 100, **({"zither": 60} if n < 30 else {})) for n in range(1500)}
    photos |= {f"rare {n}.jpg": labels(zither=80) for n in range(60)}
    write_photos(dynamodb, photos)
    first, second, *more = pages(finder, "person AND zither", 25)
    assert (len(first.photos), len(second.photos), more) == (25, 5, [])
    assert client.rows_read("zither") <= 200
    assert client.rows_read("person") <= 500
    assert [photo.confidence for page in (first, second) for photo in page.photos] == [
        99 - n / 100 for n in range(30)
    ]  # sorted by person, although the rows of zither show the end


def test_conjunction_whose_photos_come_later_is_read_little(
    dynamodb: DynamoDBClient, finder: Finder, client: RecordingClient
) -> None:
    photos = {f"{n:03}.jpg": labels(dog=99 - n / 100) for n in range(300)}
    photos |= {f"cat {n:03}.jpg": labels(cat=89 - n / 100) for n in range(300)}
    write_photos(dynamodb, photos)
    page = finder.find("dog OR cat")
    assert all("dog" in photo.terms for photo in page.photos)
    assert client.rows_read("dog") <= 39
    assert client.rows_read("cat") <= 13
