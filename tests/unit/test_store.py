"""The images table, in moto: what an operator sees in it, and the lock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
from boto3.dynamodb.types import TypeDeserializer
from fakes import BUCKET, TABLE
from image_labels.item_size import item_size
from image_labels.photos import Photo
from image_labels.rekognition import Instance, Label, Labels, Rejected
from image_labels.store import MAX_ITEM_BYTES, Conflict, ImagesTable

if TYPE_CHECKING:
    from image_labels.clients import Clients
    from mypy_boto3_dynamodb import DynamoDBClient

PHOTO = Photo(BUCKET, "images/Käse 🧀.jpg", "abc", "v1", 4711)
DOG = Label(
    "Dog",
    98.76543426513672,
    ("Animal", "Pet"),
    ("Hound",),
    ("Animals and Pets",),
    (Instance(0.1, 0.2, 0.3, 0.4, 97.5),),
)
LABELS = Labels((DOG, Label("Beach", 81.0)), "3.0")
SETTINGS = "max_labels=10;min_confidence=80"


@pytest.fixture
def table(clients: Clients, dynamodb: DynamoDBClient) -> ImagesTable:
    return ImagesTable(clients.dynamodb, TABLE, now=lambda: 1_795_000_000.25)


def stored(dynamodb: DynamoDBClient, key: str = PHOTO.key) -> dict[str, Any]:
    item = dynamodb.get_item(TableName=TABLE, Key={"PK": {"S": key}})["Item"]
    return {name: TypeDeserializer().deserialize(value) for name, value in item.items()}


def test_labelled_item_holds_what_was_labelled_and_what_was_seen(table: ImagesTable, dynamodb: DynamoDBClient) -> None:
    table.put(PHOTO, LABELS, SETTINGS, replacing=None)
    item = stored(dynamodb)
    assert item.pop("Revision") > 0
    detections = item.pop("Detections")
    assert item == {
        "PK": PHOTO.key,
        "Labels": {"Dog", "Beach"},
        "Status": "LABELLED",
        "Bucket": BUCKET,
        "ETag": "abc",
        "VersionId": "v1",
        "Size": 4711,
        "LabelModelVersion": "3.0",
        "Settings": SETTINGS,
        "LabelledAt": "2026-11-18T11:06:40.250+00:00",
    }
    dog = detections[0]
    assert (dog["Name"], float(dog["Confidence"])) == ("Dog", 98.765)
    assert (dog["Parents"], dog["Aliases"], dog["Categories"]) == (["Animal", "Pet"], ["Hound"], ["Animals and Pets"])
    box = {name: float(value) for name, value in dog["Instances"][0].items()}
    assert box == {"Left": 0.1, "Top": 0.2, "Width": 0.3, "Height": 0.4, "Confidence": 97.5}


def test_photo_without_labels_has_an_item_without_the_set(table: ImagesTable, dynamodb: DynamoDBClient) -> None:
    table.put(PHOTO, Labels((), "3.0"), SETTINGS, replacing=None)
    item = stored(dynamodb)
    assert "Labels" not in item
    assert (item["Status"], item["Detections"]) == ("LABELLED", [])


def test_rejected_item_says_why_and_replaces_the_labels(table: ImagesTable, dynamodb: DynamoDBClient) -> None:
    table.put(PHOTO, LABELS, SETTINGS, replacing=None)
    table.put(PHOTO, Rejected("ImageTooLargeException: 16 MB"), SETTINGS, replacing=table.get(PHOTO.key))
    item = stored(dynamodb)
    assert (item["Status"], item["Reason"]) == ("REJECTED", "ImageTooLargeException: 16 MB")
    assert not {"Labels", "Detections", "LabelModelVersion"} & item.keys()


def test_what_is_read_back_is_what_was_labelled(table: ImagesTable) -> None:
    assert table.get(PHOTO.key) is None
    table.put(PHOTO, LABELS, SETTINGS, replacing=None)
    item = table.get(PHOTO.key)
    assert item is not None
    assert (item.bucket, item.etag, item.version_id, item.settings) == (BUCKET, "abc", "v1", SETTINGS)


def test_write_or_delete_after_somebody_elses_write_is_a_conflict(table: ImagesTable) -> None:
    table.put(PHOTO, LABELS, SETTINGS, replacing=None)
    read = table.get(PHOTO.key)
    assert read is not None
    table.put(PHOTO, LABELS, SETTINGS, replacing=read)
    with pytest.raises(Conflict):
        table.put(PHOTO, LABELS, SETTINGS, replacing=read)
    with pytest.raises(Conflict):
        table.put(PHOTO, LABELS, SETTINGS, replacing=None)
    with pytest.raises(Conflict):
        table.delete(read)


def test_item_made_again_is_not_taken_for_the_one_that_was_read(table: ImagesTable) -> None:
    table.put(PHOTO, LABELS, SETTINGS, replacing=None)
    read = table.get(PHOTO.key)
    assert read is not None
    table.delete(read)
    table.put(PHOTO, LABELS, SETTINGS, replacing=None)
    with pytest.raises(Conflict):
        table.put(PHOTO, LABELS, SETTINGS, replacing=read)


def test_item_of_another_program_is_replaced_by_ours(table: ImagesTable, dynamodb: DynamoDBClient) -> None:
    lab = {"PK": {"S": PHOTO.key}, "Labels": {"SS": ["Dog"]}}
    dynamodb.put_item(TableName=TABLE, Item=lab)  # type: ignore[arg-type]
    table.put(PHOTO, LABELS, SETTINGS, replacing=table.get(PHOTO.key))
    assert stored(dynamodb)["Labels"] == {"Dog", "Beach"}


def test_thousands_of_boxes_are_cut_not_failed(table: ImagesTable, dynamodb: DynamoDBClient) -> None:
    box = Instance(0.12345, 0.12345, 0.12345, 0.12345, 99.123)
    crowd = Labels(tuple(Label(f"Person {n}", 99 - n / 100, instances=(box,) * 100) for n in range(100)), "3.0")
    table.put(PHOTO, crowd, SETTINGS, replacing=None)
    item = dynamodb.get_item(TableName=TABLE, Key={"PK": {"S": PHOTO.key}})["Item"]
    assert item_size(cast("dict[str, dict[str, Any]]", item)) <= MAX_ITEM_BYTES + 100
    boxes = [len(label["M"].get("Instances", {}).get("L", ())) for label in item["Detections"]["L"]]
    assert item["DetectionsCut"] == {"BOOL": True}
    assert len(item["Labels"]["SS"]) == len(boxes) == 100
    assert boxes[0] == 100  # the most certain keep theirs
    assert boxes[-1] == 0
    assert boxes == sorted(boxes, reverse=True)


@pytest.mark.parametrize(
    ("item", "size"),
    [
        ({"PK": {"S": "abc"}}, 5),
        ({"K": {"S": "ä"}}, 3),
        ({"N": {"N": "1"}}, 3),
        ({"N": {"N": "12345"}}, 5),
        ({"N": {"N": "-1000"}}, 4),
        ({"B": {"BOOL": True}}, 2),
        ({"L": {"L": []}}, 4),
        ({"L": {"L": [{"S": "ab"}]}}, 7),
        ({"M": {"M": {"x": {"S": "ab"}}}}, 8),
        ({"S": {"SS": ["a", "bc"]}}, 4),
    ],
)
def test_item_size_by_the_published_rules(item: dict[str, dict[str, Any]], size: int) -> None:
    assert item_size(item) == size
