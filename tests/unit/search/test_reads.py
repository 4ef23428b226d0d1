"""Photos with more terms than a row of the labels table holds: their terms come from the images table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from image_labels.model import Label
from image_labels.tables.rows import rows_of
from image_labels.tables.terms import terms_of
from support.fakes import LABELS_TABLE, TABLE
from support.searches import RecordingClient, keys
from support.seed import labels, write_photos

if TYPE_CHECKING:
    from image_labels.search.finder import Finder
    from mypy_boto3_dynamodb import DynamoDBClient


def test_photo_with_more_terms_than_a_row_holds_is_found_with_all_its_terms(
    dynamodb: DynamoDBClient, finder: Finder, client: RecordingClient
) -> None:
    many = tuple(Label(f"Thing {n}", 99 - n / 10, (f"Parent {n}",)) for n in range(130))
    write_photos(dynamodb, {"many.jpg": (*many, *labels(dog=70)), "dog.jpg": labels(dog=90), "deleted.jpg": many})
    dynamodb.delete_item(TableName=TABLE, Key={"PK": {"S": "deleted.jpg"}})  # its rows are deleted later
    [photo] = finder.find('"thing 1" AND "parent 99" AND dog<80 AND NOT cat').photos
    assert (photo.key, len(photo.terms)) == ("many.jpg", 261)
    assert keys(finder.find('dog AND NOT "thing 5"').photos) == ["dog.jpg"]
    assert keys(finder.find('"thing 5"').photos) == ["many.jpg"]
    assert any(call.name == "batch_get_item" for call in client.calls)


def test_outdated_row_of_such_a_photo_does_not_fail_the_search(dynamodb: DynamoDBClient, finder: Finder) -> None:
    """The function changes the rows of such a photo in several steps. BatchGetItem rejects duplicate keys."""
    many = tuple(Label(f"Thing {n}", 90) for n in range(260))
    write_photos(dynamodb, {"many.jpg": (*many, *labels(dog=70))})
    [old] = [row for (term, _), row in rows_of("many.jpg", terms_of((*many, *labels(dog=60)))).items() if term == "dog"]
    dynamodb.put_item(TableName=LABELS_TABLE, Item=old)
    assert set(keys(finder.find("dog").photos)) == {"many.jpg"}
