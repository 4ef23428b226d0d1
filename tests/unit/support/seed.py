"""Fills the tables and queues of a test with what the function writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from image_labels.model import Label, Labels, Photo, Rejected, is_iso_time
from image_labels.tables.items import detections
from image_labels.tables.rows import rows_of, vocabulary_row
from image_labels.tables.terms import terms_of
from image_labels.unwanted.decision import Action, Match, Unwanted
from support.fakes import BUCKET, LABELS_TABLE, TABLE
from support.messages import sqs_client

if TYPE_CHECKING:
    from image_labels.tables.store import Store
    from mypy_boto3_dynamodb import DynamoDBClient

# The labels of each photo by its key.
Photos = Mapping[str, tuple[Label, ...]]


def labels(**confidences: float) -> tuple[Label, ...]:
    """`dog=95` is the label Dog, and `traffic_light=91` is Traffic Light."""
    return tuple(Label(name.replace("_", " ").title(), confidence) for name, confidence in confidences.items())


def write_photos(
    dynamodb: DynamoDBClient,
    photos: Photos,
    *,
    images_table: str = TABLE,
    labels_table: str = LABELS_TABLE,
    terms_in_row: int | None = None,
    uploaded: Mapping[str, str] | None = None,
) -> None:
    """Write the items and rows of labelled photos in batches, which is faster than the function's transactions.

    `uploaded` has the upload times of some photos.

    The rows of a photo with more than `terms_in_row` terms refer to its item. None is the function's own limit.
    """
    items: list[tuple[str, dict[str, Any]]] = []
    times = {key: {"Uploaded": {"S": time}} for key, time in (uploaded or {}).items()}
    vocabulary: dict[str, dict[str, Any]] = {}
    for key, found in photos.items():
        names = {"Labels": {"SS": sorted({label.name for label in found})}} if found else {}
        item = {"PK": {"S": key}, "Status": {"S": "LABELLED"}, **names, **detections(Labels(found, ""), room=300_000)}
        item |= times.get(key, {})
        items.append((images_table, item))
        terms = terms_of(found)
        cut = terms_in_row is not None and len(terms) > terms_in_row
        time = (uploaded or {}).get(key, "")
        rows = rows_of(key, terms, time if is_iso_time(time) else "").values()
        items += ((labels_table, (_cut(row) if cut else row) | times.get(key, {})) for row in rows)
        vocabulary |= {term.text: vocabulary_row(term) for term in terms}
    items += ((labels_table, row) for row in vocabulary.values())
    for start in range(0, len(items), 25):
        requests: dict[str, list[Any]] = {}
        for table, item in items[start : start + 25]:
            requests.setdefault(table, []).append({"PutRequest": {"Item": item}})
        dynamodb.batch_write_item(RequestItems=requests)


def _cut(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "Terms"} | {"TermsCut": {"BOOL": True}}


def put_photo(store: Store, key: str, content: Labels | Rejected) -> None:
    """Store the result for a photo as the function does."""
    store.put(Photo(BUCKET, key, "e", "v1", 1), content, "s", None)


def put_unwanted(store: Store, key: str, *, done: bool, photo: Photo | None = None, settings: str = "s") -> None:
    """Store an unwanted photo that is to be moved to quarantine, or that was moved there."""
    photo = photo or Photo(BUCKET, key, "e", "v1", 4711)
    at, to = "2026-11-28T10:00:00.000+00:00", f"s3://q/v1/{key}"
    decision = Unwanted(Action.QUARANTINE, (Match("Rifle", 95.0, "label"),), at, to=to)
    store.put(photo, Labels(labels(dog=98, rifle=95), "3.0", unwanted=decision), settings, None)
    if done:
        item = store.get(key)
        assert item is not None
        store.remove(item, replace(decision, done=True))


def send_dead_letter(url: str, body: str = "{}", **attributes: str) -> None:
    """Send a message with this body and these attributes to the queue."""
    values: Any = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
    sqs_client().send_message(QueueUrl=url, MessageBody=body, MessageAttributes=values)
