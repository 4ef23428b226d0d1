"""Numbers of photos by term, and the photos that were uploaded last, on moto."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from image_labels.model import Label, Labels, Photo, iso_time
from image_labels.search import counts as module
from image_labels.search.reads import Reads
from image_labels.tables.counts import Counts
from image_labels.tables.store import Store
from support.fakes import BUCKET, LABELS_TABLE, TABLE
from support.replaced import Replaced

if TYPE_CHECKING:
    from image_labels.search.finder import Finder
    from mypy_boto3_dynamodb import DynamoDBClient
    from support.searches import RecordingClient

JANUARY_30 = 1_769_731_200.0
DAY = 24 * 3600


@pytest.fixture
def store(dynamodb: DynamoDBClient) -> Store:
    return Store(dynamodb, TABLE, LABELS_TABLE)


def put(store: Store, key: str, *names: str, day: float = 0) -> None:
    labels = Labels(tuple(Label(name, 99.0) for name in names), "3.0")
    store.put(Photo(BUCKET, key, "e", None, 1, iso_time(JANUARY_30 + day * DAY)), labels, "s", store.get(key))


def photos(finder: Finder, prefix: str = "") -> dict[str, int]:
    return {each.term.text: each.photos for each in finder.counts(prefix).terms}


def test_counts_are_exact_before_and_after_the_changes_are_added(
    store: Store, finder: Finder, dynamodb: DynamoDBClient
) -> None:
    for number in range(3):
        put(store, f"{number}.jpg", "Dog", "Dogma" if number else "Cat")
    expected = {"cat": 1, "dog": 3, "dogma": 2}
    assert photos(finder) == expected
    assert (finder.counts().exact, finder.counts().changes) == (True, 3)
    Counts(dynamodb, LABELS_TABLE).fold(float("inf"))
    put(store, "0.jpg", "Cat")
    assert photos(finder) == expected | {"dog": 2}
    assert photos(finder, "DOG") == {"dog": 2, "dogma": 2}
    assert (finder.counts().exact, finder.counts().changes, finder.counts().since) == (True, 1, "")
    assert [each.term.name for each in finder.counts().most_frequent(2)] == ["Dog", "Dogma"]


def test_more_changes_than_are_read_are_reported(store: Store, finder: Finder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_DELTAS", 2)
    for number in range(3):
        put(store, f"{number}.jpg", "Dog")
    counts = finder.counts()
    assert (counts.exact, counts.changes) == (False, 2)


def test_counts_that_change_while_they_are_read_are_read_again(store: Store, dynamodb: DynamoDBClient) -> None:
    """The function adds the changes to the counts between two requests: at each attempt, or only at the first."""

    def totals(disturbed: int) -> tuple[module.Totals, int]:
        attempts: list[float] = []

        def query(**request: Any) -> Any:
            if request["ExpressionAttributeValues"][":term"] == {"S": "*delta"} and len(attempts) < disturbed:
                put(store, "cat.jpg", f"Cat {next(numbers)}")
                Counts(dynamodb, LABELS_TABLE).fold(float("inf"))
            return dynamodb.query(**request)

        client: Any = Replaced(dynamodb, query=query)
        reads = Reads(client, labels_table=LABELS_TABLE, images_table=TABLE)
        return module.read_totals(reads, sleep=attempts.append), len(attempts)

    numbers = count()
    once, pauses = totals(disturbed=1)
    assert (once.exact, pauses, +once.photos) == (True, 1, {"cat 0": 1})
    often, pauses = totals(disturbed=9)
    assert (often.exact, pauses) == (False, 3)


def test_recent_photos_are_read_from_the_last_month_on(
    store: Store, finder: Finder, client: RecordingClient, dynamodb: DynamoDBClient
) -> None:
    for number, day in enumerate((0, 1, 3, 3, -200)):
        put(store, f"{number}.jpg", "Dog", day=day)
    item = store.get("4.jpg")
    assert item is not None
    store.delete(item)
    foreign: Any = {"Term": {"S": "*uploaded 2026-02"}, "Rank": {"S": "0#x"}, "PK": {"S": "x"}}
    dynamodb.put_item(TableName=LABELS_TABLE, Item=foreign)
    assert [photo.key for photo in finder.recent(10)] == ["2.jpg", "3.jpg", "1.jpg", "0.jpg"]
    assert finder.recent(1)[0].uploaded == "2026-02-02T00:00:00.000+00:00"
    client.calls.clear()
    assert [photo.key for photo in finder.recent(2)] == ["2.jpg", "3.jpg"]
    assert len(client.calls) == 3  # the months, and one month twice because of the foreign row


def test_empty_table_has_no_counts_and_no_photos(finder: Finder, aws: None) -> None:
    assert (photos(finder), finder.counts().exact, finder.recent(5)) == ({}, True, ())
