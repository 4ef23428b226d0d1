"""The two tables, on moto: their attributes, rows and conditional writes."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any, cast

import pytest
from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from image_labels.failures import TryAgain
from image_labels.model import Instance, Label, Labels, Photo, Rejected
from image_labels.tables.item_size import item_size
from image_labels.tables.items import Rows
from image_labels.tables.store import MAX_ITEM_BYTES, Conflict, Store
from support.fakes import BUCKET, LABELS_TABLE, TABLE
from support.replaced import Replaced
from support.tables import Tables

if TYPE_CHECKING:
    from image_labels.clients import Clients
    from mypy_boto3_dynamodb import DynamoDBClient

PHOTO = Photo(BUCKET, "images/Käse 🧀.jpg", "abc", "v1", 4711, "2026-11-17T08:00:00.000+00:00")
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
def store(clients: Clients, dynamodb: DynamoDBClient) -> Store:
    return Store(clients.dynamodb, TABLE, LABELS_TABLE, now=lambda: 1_795_000_000.25)


def rows(dynamodb: DynamoDBClient, term: str | None = None) -> list[dict[str, Any]]:
    """The rows of the labels table: those of the photos by term, or those of one partition."""
    found: list[dict[str, Any]] = []
    for page in dynamodb.get_paginator("scan").paginate(TableName=LABELS_TABLE):
        for row in page["Items"]:
            plain = {name: TypeDeserializer().deserialize(value) for name, value in row.items()}
            if plain["Term"] == term or (term is None and not plain["Term"].startswith("*")):
                found.append(plain)
    return found


def stored(dynamodb: DynamoDBClient, key: str = PHOTO.key) -> dict[str, Any]:
    item = dynamodb.get_item(TableName=TABLE, Key={"PK": {"S": key}})["Item"]
    return {name: TypeDeserializer().deserialize(value) for name, value in item.items()}


def test_labelled_item_describes_the_object_and_its_labels(store: Store, dynamodb: DynamoDBClient) -> None:
    store.put(PHOTO, LABELS, SETTINGS, replacing=None)
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
        "Uploaded": PHOTO.modified,
        "Rows": 7,
    }
    dog = detections[0]
    assert (dog["Name"], float(dog["Confidence"])) == ("Dog", 98.765)
    assert (dog["Parents"], dog["Aliases"], dog["Categories"]) == (["Animal", "Pet"], ["Hound"], ["Animals and Pets"])
    box = {name: float(value) for name, value in dog["Instances"][0].items()}
    assert box == {"Left": 0.1, "Top": 0.2, "Width": 0.3, "Height": 0.4, "Confidence": 97.5}


def test_photo_without_labels_has_an_item_without_the_set(store: Store, dynamodb: DynamoDBClient) -> None:
    store.put(PHOTO, Labels((), "3.0"), SETTINGS, replacing=None)
    item = stored(dynamodb)
    assert "Labels" not in item
    assert (item["Status"], item["Detections"]) == ("LABELLED", [])


def test_rejected_item_has_a_reason_and_no_labels(store: Store, dynamodb: DynamoDBClient) -> None:
    store.put(PHOTO, LABELS, SETTINGS, replacing=None)
    store.put(PHOTO, Rejected("ImageTooLargeException: 16 MB"), SETTINGS, replacing=store.get(PHOTO.key))
    item = stored(dynamodb)
    assert (item["Status"], item["Reason"]) == ("REJECTED", "ImageTooLargeException: 16 MB")
    assert not {"Labels", "Detections", "LabelModelVersion"} & item.keys()


def test_labels_that_the_settings_leave_out_are_stored_and_not_found(store: Store, dynamodb: DynamoDBClient) -> None:
    sky = Label("Sky", 60.0, instances=(Instance(0.1, 0.2, 0.3, 0.4, 60.0),))
    asked, at = "max_labels=10;min_confidence=55.0", "2026-11-01T00:00:00.000+00:00"
    store.put(PHOTO, Labels((DOG,), "3.0", (sky,), asked, at), SETTINGS, replacing=None)
    item = stored(dynamodb)
    assert (item["Labels"], item["Asked"], item["LabelledAt"]) == ({"Dog"}, asked, at)
    assert [other["Name"] for other in item["OtherDetections"]] == ["Sky"]
    assert "sky" not in {row["Term"] for row in rows(dynamodb)}
    read = store.get(PHOTO.key)
    assert read is not None
    assert isinstance(read.answer, Labels)
    assert [label.name for label in read.answer.labels] == ["Dog", "Sky"]
    assert read.answer.labels[1] == sky
    assert (read.answer.asked, read.answer.at) == (asked, at)
    rejected = Rejected("ImageTooLargeException: 16 MB", at)
    store.put(PHOTO, rejected, SETTINGS, replacing=read)
    read = store.get(PHOTO.key)
    assert read is not None
    assert read.answer == rejected


def test_item_is_read_as_it_was_written(store: Store) -> None:
    assert store.get(PHOTO.key) is None
    store.put(PHOTO, LABELS, SETTINGS, replacing=None)
    item = store.get(PHOTO.key)
    assert item is not None
    assert (item.bucket, item.etag, item.version_id, item.settings) == (BUCKET, "abc", "v1", SETTINGS)


def test_photo_has_a_row_for_each_term(store: Store, dynamodb: DynamoDBClient) -> None:
    store.put(PHOTO, LABELS, SETTINGS, replacing=None)
    assert {(row["Term"], row["Name"], row["Kind"], float(row["Confidence"])) for row in rows(dynamodb)} == {
        ("dog", "Dog", "label", 98.765),
        ("hound", "Hound", "alias", 98.765),
        ("animal", "Animal", "parent", 98.765),
        ("pet", "Pet", "parent", 98.765),
        ("animals and pets", "Animals and Pets", "category", 98.765),
        ("beach", "Beach", "label", 81.0),
    }
    for row in rows(dynamodb):
        assert (row["PK"], row["Uploaded"]) == (PHOTO.key, PHOTO.modified)
        assert row["Rank"] == f"{'019000' if row['Term'] == 'beach' else '001235'}#{PHOTO.key}"
        assert row["Terms"].keys() == {"dog", "hound", "animal", "pet", "animals and pets", "beach"}
        assert float(row["Terms"]["beach"]) == 81.0
    assert {row["Rank"]: row["Name"] for row in rows(dynamodb, "*")}["animals and pets"] == "Animals and Pets"


def test_photo_has_a_row_in_the_month_of_its_upload_with_the_newest_first(
    store: Store, dynamodb: DynamoDBClient
) -> None:
    later = replace(PHOTO, key="later", modified="2026-11-17T08:00:01.000+00:00")
    december = replace(PHOTO, key="december", modified="2026-12-01T00:00:00.000+00:00")
    for photo in (PHOTO, later, december):
        store.put(photo, LABELS, SETTINGS, replacing=None)
    store.put(replace(PHOTO, key="bare"), Labels((), "3.0"), SETTINGS, replacing=None)
    store.put(replace(PHOTO, key="rejected"), Rejected("no photo"), SETTINGS, replacing=None)
    found = rows(dynamodb, "*uploaded 2026-11")
    assert [(row["PK"], row["Uploaded"]) for row in found] == [
        ("later", later.modified),
        ("bare", PHOTO.modified),
        (PHOTO.key, PHOTO.modified),
    ]
    assert found[2]["Terms"].keys() == {"dog", "hound", "animal", "pet", "animals and pets", "beach"}
    assert {row["Rank"] for row in rows(dynamodb, "*uploaded")} == {"2026-11", "2026-12"}
    store.put(PHOTO, Rejected("no photo"), SETTINGS, replacing=store.get(PHOTO.key))
    read = store.get("later")
    assert read is not None
    store.delete(read)
    assert [row["PK"] for row in rows(dynamodb, "*uploaded 2026-11")] == ["bare"]


def test_rows_change_with_the_labels_of_the_photo(store: Store, dynamodb: DynamoDBClient) -> None:
    store.put(PHOTO, LABELS, SETTINGS, replacing=None)
    store.put(PHOTO, Labels((Label("Dog", 91.0),), "3.0"), SETTINGS, replacing=store.get(PHOTO.key))
    assert [(row["Term"], row["Rank"]) for row in rows(dynamodb)] == [("dog", f"009000#{PHOTO.key}")]
    store.put(PHOTO, Rejected("no photo"), SETTINGS, replacing=store.get(PHOTO.key))
    assert rows(dynamodb) == []
    store.put(PHOTO, LABELS, SETTINGS, replacing=store.get(PHOTO.key))
    item = store.get(PHOTO.key)
    assert item is not None
    store.delete(item)
    assert rows(dynamodb) == []


def test_photo_of_a_thousand_labels_is_stored_and_deleted() -> None:
    tables = Tables()  # moto takes half a minute
    store = Store(cast("DynamoDBClient", tables), "images", "labels")
    many = Labels(tuple(Label(f"Label {n}", 99 - n / 20, ("Parent",)) for n in range(1000)), "3.0")
    store.put(PHOTO, many, SETTINGS, replacing=None)
    assert len(tables.rows()) == 1001
    assert tables.counts() == {"parent": 1} | {f"label {n}": 1 for n in range(1000)}
    item = store.get(PHOTO.key)
    assert item is not None
    store.delete(item)
    assert (tables.rows(), tables.dated_rows(), tables.images(), tables.counts()) == ({}, {}, {}, {})


def test_more_rows_than_a_transaction_holds_and_more_terms_than_a_row(store: Store, dynamodb: DynamoDBClient) -> None:
    many = Labels(tuple(Label(f"Label {n}", 99 - n / 20, ("Parent",)) for n in range(260)), "3.0")
    store.put(PHOTO, many, SETTINGS, replacing=None)
    found = rows(dynamodb)
    assert len(found) == 261
    assert all(row["TermsCut"] and "Terms" not in row for row in found)
    item = store.get(PHOTO.key)
    assert item is not None
    assert item.rows is Rows.COMPLETE
    assert len(item.terms) == 261
    store.put(PHOTO, Labels((Label("Label 3", 98.85), Label("Dog", 91.0)), "3.0"), SETTINGS, replacing=item)
    assert {row["Term"] for row in rows(dynamodb)} == {"label 3", "dog"}
    assert all("Terms" in row for row in rows(dynamodb))


def test_interrupted_write_is_finished(clients: Clients, dynamodb: DynamoDBClient) -> None:
    photo = Labels(tuple(Label(f"Label {n}", 99.0) for n in range(30)), "3.0")

    def breaks_off_after(parts: int) -> None:
        calls = count()

        def write(**request: Any) -> Any:
            if next(calls) == parts:
                raise ConnectionError("the function was killed")
            return clients.dynamodb.transact_write_items(**request)

        client = cast("DynamoDBClient", Replaced(clients.dynamodb, transact_write_items=write))
        store = Store(client, TABLE, LABELS_TABLE, max_actions=10)
        store.put(PHOTO, photo, SETTINGS, replacing=store.get(PHOTO.key))

    with pytest.raises(ConnectionError):
        breaks_off_after(3)
    store = Store(clients.dynamodb, TABLE, LABELS_TABLE)
    item = store.get(PHOTO.key)
    assert item is not None
    assert item.rows is Rows.FILLING
    assert 0 < len(rows(dynamodb)) < 30
    store.index(item)
    assert len(rows(dynamodb)) == 30
    item = store.get(PHOTO.key)
    assert item is not None
    assert item.rows is Rows.COMPLETE


def test_photos_with_keys_of_1024_bytes_have_separate_rows(store: Store, dynamodb: DynamoDBClient) -> None:
    keys = [f"{'ä' * 500}{n:024d}" for n in range(2)]
    for key in keys:
        assert len(key.encode()) == 1024
        store.put(replace(PHOTO, key=key), LABELS, SETTINGS, replacing=None)
    beaches = [row for row in rows(dynamodb) if row["Term"] == "beach"]
    assert {row["PK"] for row in beaches} == set(keys)
    assert all(len(row["Rank"].encode()) <= 1024 for row in beaches)


@pytest.mark.parametrize(
    ("reasons", "error"),
    [
        (["None", "ConditionalCheckFailed"], Conflict),
        (["TransactionConflict", "None"], Conflict),
        (["ThrottlingError"], TryAgain),
        (["ProvisionedThroughputExceeded"], TryAgain),
        (["ValidationError"], ClientError),
    ],
)
def test_cancelled_transaction_is_a_conflict_a_retry_or_an_error(
    clients: Clients, reasons: list[str], error: type[Exception]
) -> None:
    store = Store(clients.dynamodb, TABLE, LABELS_TABLE, sleep=lambda _seconds: None)
    with Stubber(clients.dynamodb) as stub:
        for _ in range(6):
            stub.add_client_error(
                "transact_write_items",
                "TransactionCanceledException",
                "cancelled",
                modeled_fields={"CancellationReasons": [{"Code": code} for code in reasons]},
            )
        with pytest.raises(error):
            store.put(PHOTO, Rejected("no photo"), SETTINGS, replacing=None)


def test_throttled_write_is_retried_within_the_invocation(clients: Clients) -> None:
    pauses: list[float] = []
    store = Store(clients.dynamodb, TABLE, LABELS_TABLE, sleep=pauses.append)
    row: Any = {"PutRequest": {"Item": {"Term": {"S": "*"}, "Rank": {"S": "dog"}}}}
    with Stubber(clients.dynamodb) as stub:
        stub.add_response("batch_write_item", {"UnprocessedItems": {LABELS_TABLE: [row]}})
        stub.add_response("batch_write_item", {}, {"RequestItems": {LABELS_TABLE: [row]}})
        stub.add_client_error(
            "transact_write_items",
            "TransactionCanceledException",
            modeled_fields={"CancellationReasons": [{"Code": "ThrottlingError"}]},
        )
        stub.add_response("transact_write_items", {})
        store.put(PHOTO, Labels((Label("Dog", 99.0),), "3.0"), SETTINGS, replacing=None)
        stub.assert_no_pending_responses()
    assert len(pauses) == 2


def test_write_or_delete_after_another_write_is_a_conflict(store: Store) -> None:
    store.put(PHOTO, LABELS, SETTINGS, replacing=None)
    read = store.get(PHOTO.key)
    assert read is not None
    store.put(PHOTO, LABELS, SETTINGS, replacing=read)
    with pytest.raises(Conflict):
        store.put(PHOTO, LABELS, SETTINGS, replacing=read)
    with pytest.raises(Conflict):
        store.put(PHOTO, LABELS, SETTINGS, replacing=None)
    with pytest.raises(Conflict):
        store.delete(read)


def test_write_over_an_item_that_was_deleted_and_created_again_is_a_conflict(store: Store) -> None:
    store.put(PHOTO, LABELS, SETTINGS, replacing=None)
    read = store.get(PHOTO.key)
    assert read is not None
    store.delete(read)
    store.put(PHOTO, LABELS, SETTINGS, replacing=None)
    with pytest.raises(Conflict):
        store.put(PHOTO, LABELS, SETTINGS, replacing=read)


def test_item_of_another_program_is_replaced(store: Store, dynamodb: DynamoDBClient) -> None:
    lab = {"PK": {"S": PHOTO.key}, "Labels": {"SS": ["Dog"]}}
    dynamodb.put_item(TableName=TABLE, Item=lab)  # type: ignore[arg-type]
    store.put(PHOTO, LABELS, SETTINGS, replacing=store.get(PHOTO.key))
    assert stored(dynamodb)["Labels"] == {"Dog", "Beach"}


def test_boxes_of_the_least_certain_labels_are_left_out_of_a_large_item() -> None:
    tables = Tables()  # moto takes seconds
    store = Store(cast("DynamoDBClient", tables), "images", "labels")
    box = Instance(0.12345, 0.12345, 0.12345, 0.12345, 99.123)
    crowd = Labels(tuple(Label(f"Person {n}", 99 - n / 100, instances=(box,) * 100) for n in range(100)), "3.0")
    store.put(PHOTO, crowd, SETTINGS, replacing=None)
    item = tables.images()[PHOTO.key]
    assert item_size(item) <= MAX_ITEM_BYTES + 100
    boxes = [len(label["M"].get("Instances", {}).get("L", ())) for label in item["Detections"]["L"]]
    assert item["DetectionsCut"] == {"BOOL": True}
    assert len(item["Labels"]["SS"]) == len(boxes) == 100
    assert boxes[0] == 100  # the labels of highest confidence keep theirs
    assert boxes[-1] == 0
    assert boxes == sorted(boxes, reverse=True)
