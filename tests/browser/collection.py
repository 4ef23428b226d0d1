"""Photos in a bucket, and their items and rows in the tables, written as the function writes them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any

from image_labels.detectors.text import Line, Text, TextCriteria
from image_labels.model import Instance, Label, Labels, Photo, Rejected, iso_time
from image_labels.tables.items import detections, photo_attributes
from image_labels.tables.rows import rows_of
from image_labels.tables.store import MAX_ITEM_BYTES, Store
from image_labels.tables.terms import terms_of
from image_labels_cli.browse import Access, Queues
from image_labels_cli.emulated import labels_by
from image_labels_cli.inventory.keys import KeyFilter
from turned import TURNED

from tools import photographs
from tools.photographs import SUFFIXES

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

BUCKET, IMAGES, LABELS = "browse-photos", "browse-images", "browse-labels"
CROWD = 10_000
FIRST_UPLOAD, DAY = 1_790_000_000.0, 24 * 3600  # in September 2026; each photo is uploaded a day after the one before
MARKUP = "images/<img src=x onerror=alert(1)>\"'&amp;<script>alert(2)</script>.png"
# Characters that reverse the text after them, end the isolation around them, or are invisible.
REORDERING = "images/שלום \u2069\u202e/photo\u2067\u202egpj.exe\u200b\x1b.png"
GONE = "images/2023/gone.jpg"
NOT_A_PHOTO = "images/notes.jpg"
REDRIVE = "image-labels redrive"
# As the function writes it: image_labels.queues.redelivery.
DEAD_LETTER = {
    "Photo": f"s3://{BUCKET}/images/2024/<i>beach.jpg",
    "Cause": "DetectLabels: AccessDeniedException: not allowed",
    "NextStep": "allow the function's role rekognition:DetectLabels",
    "Attempts": "5",
    "FailedAt": "2026-11-28T06:00:00+00:00",
}


def _label(name: str, confidence: float, *boxes: tuple[float, float, float, float], **names: Any) -> Label:
    return Label(name, confidence, instances=tuple(Instance(*box, confidence) for box in boxes), **names)


_PERSON = {"aliases": ("Human",), "categories": ("Person Description",)}
# Labels of some photographs of tools/photographs.py by file name, with boxes measured by hand. They do not depend on
# models.
SEEN: dict[str, tuple[Label, ...]] = {
    "NASA/Eileen Collins.PNG": (
        _label("Person", 99.7, (0.06, 0.0, 0.9, 0.99), **_PERSON),
        _label("Astronaut", 99.6, parents=("Person",), categories=("Person Description",)),
        _label("Woman", 98.9, (0.06, 0.0, 0.9, 0.99), parents=("Person",), aliases=("Lady",)),
        _label("Smile", 97.1, parents=("Face",), categories=("Expressions and Emotions",)),
        _label("Flag", 93.4, (0.0, 0.0, 0.3, 0.85), categories=("Symbols and Flags",)),
        _label("Portrait", 92.8, parents=("Photography",)),
        _label("Rocket", 71.2, (0.62, 0.02, 0.22, 0.6), parents=("Vehicle",), categories=("Vehicles and Automotive",)),
    ),
    "rocket launch + smoke.jpg": (
        _label("Rocket", 99.2, (0.45, 0.18, 0.07, 0.56), parents=("Vehicle",), categories=("Vehicles and Automotive",)),
        _label("Launch", 98.7),
        _label("Night", 84.2, parents=("Nature", "Outdoors"), categories=("Nature and Outdoors",)),
        _label("Smoke", 81.9),
        _label("Traffic Light", 55.4, (0.23, 0.25, 0.02, 0.5), categories=("Transport and Logistics",)),
    ),
    "Chelsea (my cat).png": (
        _label("Cat", 99.8, (0.12, 0.02, 0.76, 0.97), parents=("Animal", "Mammal", "Pet"), aliases=("Feline",)),
        _label("Pet", 99.8, parents=("Animal",), categories=("Animals and Pets",)),
        _label("Animal", 99.8, categories=("Animals and Pets",)),
        _label("Kitten", 91.3, (0.12, 0.02, 0.76, 0.97), parents=("Animal", "Cat", "Pet")),
    ),
    "café & spoon 100%.png": (
        _label("Coffee Cup", 99.4, (0.285, 0.03, 0.4, 0.74), parents=("Cup",), categories=("Food and Beverage",)),
        _label("Cup", 99.4),
        _label("Coffee", 99.1, parents=("Beverage",), categories=("Food and Beverage",)),
        _label("Spoon", 95.7, (0.54, 0.23, 0.2, 0.6), parents=("Cutlery",), categories=("Kitchen and Dining",)),
        _label("Saucer", 90.2, (0.1, 0.06, 0.71, 0.91), categories=("Kitchen and Dining",)),
    ),
    "hubble_deep_field.jpg": (
        _label("Astronomy", 99.9),
        _label("Outer Space", 99.9, parents=("Astronomy",), aliases=("Space",)),
        _label("Galaxy", 96.4, (0.83, 0.05, 0.12, 0.13), (0.3, 0.72, 0.14, 0.12), parents=("Astronomy", "Outer Space")),
        _label("Nature", 88.0, categories=("Nature and Outdoors",)),
    ),
    "🎥 cameraman.png": (
        _label("Person", 98.2, (0.19, 0.12, 0.42, 0.86), **_PERSON),
        _label("Photographer", 98.2, (0.19, 0.12, 0.42, 0.86), parents=("Person",)),
        _label("Tripod", 97.6, (0.5, 0.33, 0.28, 0.62)),
        _label("Man", 95.8, (0.19, 0.12, 0.42, 0.86), parents=("Person",), aliases=("Male",)),
        _label("Camera", 95.5, (0.4, 0.21, 0.24, 0.19), parents=("Electronics",)),
    ),
}


# A line of text in MARKUP.
SIGN = Line("SPEED LIMIT", 99.1, 0.1, 0.2, 0.3, 0.1)


class Collection:
    """Creates a bucket, both tables, and the queues."""

    def __init__(self, dynamodb: DynamoDBClient, s3: S3Client, sqs: SQSClient) -> None:
        photos, dead, waiting = (
            sqs.create_queue(QueueName=f"browse-{name}")["QueueUrl"] for name in ("photos", "dead", "waiting")
        )
        queues = Queues(sqs, photos, dead, waiting, REDRIVE)
        emulated = labels_by(dynamodb.meta.endpoint_url)
        self.access = Access(dynamodb, s3, IMAGES, LABELS, BUCKET, emulated, queues, KeyFilter("images/", SUFFIXES))
        self._store = Store(dynamodb, IMAGES, LABELS)
        self._numbers = count()
        s3.create_bucket(Bucket=BUCKET)
        _create_table(dynamodb, IMAGES, "PK")
        _create_table(dynamodb, LABELS, "Term", "Rank")

    def fill(self) -> None:
        """Add the photographs (some of them twice), one photo for each kind of problem, and the crowd."""
        for turned in TURNED:
            self.add(turned.key, turned.body(), turned.content_type, (_label("Brick", 99.0, turned.box()),))
        chosen = {photo.name: photo for photo in photographs.shipped()}
        for name, labels in SEEN.items():
            photo = chosen[name]
            self.add(f"images/2024/{name}", photo.path.read_bytes(), photo.content_type, labels)
        for name in ("Chelsea (my cat).png", "🎥 cameraman.png", "rocket launch + smoke.jpg"):
            less = tuple(_less_sure(label) for label in SEEN[name])
            self.add(f"images/2023/{name}", chosen[name].path.read_bytes(), chosen[name].content_type, less)
        cat = chosen["Chelsea (my cat).png"]
        labels = (_label("Markup", 90.0), _label("<b>Bold</b>", 80.0))
        self.add(MARKUP, cat.path.read_bytes(), cat.content_type, labels, (SIGN,))
        self.add(REORDERING, cat.path.read_bytes(), cat.content_type, (_label("Reordered", 90.0),))
        self.add(GONE, b"", "image/jpeg", (_label("Ghost", 77.0),))
        self.access.s3.delete_object(Bucket=BUCKET, Key=GONE)
        self.reject(NOT_A_PHOTO, b"This is a text.\n", "it is not a JPEG or PNG that can be decoded")
        self._add_crowd()

    def send_dead_letter(self) -> None:
        """Send a photo to the dead-letter queue, as the function does after the last attempt."""
        assert self.access.queues
        attributes: Any = {name: {"DataType": "String", "StringValue": value} for name, value in DEAD_LETTER.items()}
        key = DEAD_LETTER["Photo"].removeprefix(f"s3://{BUCKET}/")
        records = {"Records": [{"eventSource": "aws:s3", "s3": {"bucket": {"name": BUCKET}, "object": {"key": key}}}]}
        self.access.queues.sqs.send_message(
            QueueUrl=self.access.queues.dead_letter_queue, MessageBody=json.dumps(records), MessageAttributes=attributes
        )

    def empty_queues(self) -> None:
        assert self.access.queues
        self.access.queues.sqs.purge_queue(QueueUrl=self.access.queues.dead_letter_queue)

    def add(
        self, key: str, body: bytes, content_type: str, labels: tuple[Label, ...], lines: tuple[Line, ...] = ()
    ) -> None:
        """Upload a photo and store its labels, and its lines of text if there are any."""
        self.access.s3.put_object(Bucket=BUCKET, Key=key, Body=body, ContentType=content_type)
        criteria = TextCriteria(80.0)
        findings = (Text(asked=criteria.text, lines=lines),) if lines else ()
        settings = "settings" + (criteria.settings if lines else "")
        uploaded = iso_time(FIRST_UPLOAD + DAY * next(self._numbers))
        photo = replace(_photo(key, body), modified=uploaded)
        self._store.put(photo, Labels(labels, "3.0", findings=findings), settings, None)

    def reject(self, key: str, body: bytes, words: str) -> None:
        """Upload an object that is not a photo, and store the reason of its rejection."""
        self.access.s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        self._store.put(_photo(key, body), Rejected(f"InvalidImageFormatException: {words}"), "settings", None)

    def finish(self, key: str, content: Labels | Rejected) -> None:
        """Store labels, or the reason of a rejection, for the object that is in the bucket now."""
        body = self.access.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        self._store.put(_photo(key, body), content, "settings", self._store.get(key))

    def remove(self, prefix: str) -> None:
        """Delete photos with their items and rows."""
        for found in self.access.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", []):
            self.access.s3.delete_object(Bucket=BUCKET, Key=found["Key"])
            if item := self._store.get(found["Key"]):
                self._store.delete(item)

    def _add_crowd(self) -> None:
        """Add 10,000 photos with one label: rows for all, items only for the first and the last ones, and no objects.

        Items and objects for all would take minutes.
        """
        items: list[dict[str, Any]] = []
        rows: list[dict[str, Any]] = []
        for number in range(CROWD):
            key = f"crowd/{number:05d}.jpg"
            labels = (_label("Crowd", 99.9 - number * 0.004, (0.2, 0.2, 0.5, 0.5)),)
            if not 300 <= number < CROWD - 100:
                photo = replace(_photo(key, key.encode()), size=4_000_000)
                item = photo_attributes(photo) | detections(Labels(labels, "3.0"), MAX_ITEM_BYTES)
                items.append(item | {"Status": {"S": "LABELLED"}})
            rows += rows_of(key, terms_of(labels)).values()
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(self._write, _batches(IMAGES, items)))
            list(pool.map(self._write, _batches(LABELS, rows)))
        word = {"Term": {"S": "*"}, "Rank": {"S": "crowd"}, "Name": {"S": "Crowd"}, "Kind": {"S": "label"}}
        self._write({LABELS: [{"PutRequest": {"Item": word}}]})

    def _write(self, requests: Any) -> None:
        assert not self.access.dynamodb.batch_write_item(RequestItems=requests)["UnprocessedItems"]


def _batches(table: str, items: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for start in range(0, len(items), 25):
        yield {table: [{"PutRequest": {"Item": item}} for item in items[start : start + 25]]}


def _less_sure(label: Label) -> Label:
    boxes = tuple(box._replace(confidence=box.confidence - 4) for box in label.instances)
    return replace(label, confidence=label.confidence - 4, instances=boxes)


def _photo(key: str, body: bytes) -> Photo:
    return Photo(BUCKET, key, hashlib.md5(body).hexdigest(), None, len(body))  # noqa: S324 - an ETag is one


def _create_table(dynamodb: DynamoDBClient, name: str, partition: str, sort: str | None = None) -> None:
    keys: Any = [{"AttributeName": partition, "KeyType": "HASH"}]
    keys += [{"AttributeName": sort, "KeyType": "RANGE"}] if sort else []
    dynamodb.create_table(
        TableName=name,
        KeySchema=keys,
        AttributeDefinitions=[{"AttributeName": key["AttributeName"], "AttributeType": "S"} for key in keys],
        BillingMode="PAY_PER_REQUEST",
    )
