"""The events of the example stream-consumer, from the stream records of items that the function's Store wrote."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, Any

import photo_events
import pytest
from image_labels.model import Label, Labels, Photo, Rejected
from image_labels.tables.store import Store
from support.fakes import BUCKET, LABELS_TABLE, TABLE
from support.streams import enable_stream, stream_records

if TYPE_CHECKING:
    from image_labels.clients import Clients
    from mypy_boto3_dynamodb import DynamoDBClient

KEY = "images/Käse 🧀.jpg"
PHOTO = Photo(BUCKET, KEY, "abc", "v1", 4711)
DOG = Label("Dog", 98.765, ("Animal", "Pet"), ("Hound",), ("Animals and Pets",))
LABELS = Labels((DOG, Label("Beach", 81.0)), "3.0")


@dataclass
class FakeEventBridge:
    """An event bus with the limits of PutEvents. `refusing` has error codes by the number of the event, from 0."""

    received: list[dict[str, Any]] = field(default_factory=list)
    requests: int = 0
    tried: int = 0
    refusing: dict[int, str] = field(default_factory=dict)

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        assert 1 <= len(Entries) <= 10
        assert sum(len(entry["Detail"].encode()) for entry in Entries) <= 256 * 1024
        self.requests += 1
        results = []
        for entry in Entries:
            self.tried += 1
            if code := self.refusing.get(self.tried - 1):
                results.append({"ErrorCode": code, "ErrorMessage": "please try again"})
            else:
                results.append({"EventId": "1"})
                self.received.append(entry)
        return {"FailedEntryCount": sum("ErrorCode" in each for each in results), "Entries": results}

    def events(self) -> list[tuple[str, dict[str, Any]]]:
        """Type and detail of each event."""
        return [(entry["DetailType"], json.loads(entry["Detail"])) for entry in self.received]

    def types(self) -> list[str]:
        return [kind for kind, _ in self.events()]


@dataclass
class Deployment:
    """The images table with its stream, and the bus to which the consumer publishes."""

    dynamodb: DynamoDBClient
    store: Store
    bus: FakeEventBridge = field(default_factory=FakeEventBridge)

    def put(self, content: Labels | Rejected, photo: Photo = PHOTO, settings: str = "min_confidence=80") -> None:
        self.store.put(photo, content, settings, self.store.get(photo.key))

    def delete(self, key: str = KEY) -> None:
        item = self.store.get(key)
        assert item is not None
        self.store.delete(item)

    def change(self, **attributes: Any) -> None:
        """What another version of the module, or another program, makes of the photo's item. None removes."""
        item = self.dynamodb.get_item(TableName=TABLE, Key={"PK": {"S": KEY}}).get("Item", {"PK": {"S": KEY}})
        changed = {name: value for name, value in (item | attributes).items() if value is not None}
        self.dynamodb.put_item(TableName=TABLE, Item=changed)

    def consume(self, after: str = "0") -> str | None:
        """Publish all records after a sequence number, as one batch. Returns the first that was not published."""
        records = [record for record in stream_records(self.dynamodb) if record["dynamodb"]["SequenceNumber"] >= after]
        return photo_events.publish(records, self.bus, "photos")


@pytest.fixture
def deployment(clients: Clients, dynamodb: DynamoDBClient) -> Deployment:
    enable_stream(dynamodb)
    revisions = count(1_795_000_000_000_000_001)
    store = Store(
        clients.dynamodb, TABLE, LABELS_TABLE, now=lambda: 1_795_000_000.25, new_revision=lambda: next(revisions)
    )
    return Deployment(dynamodb, store)


def test_labelled_photo(deployment: Deployment) -> None:
    deployment.put(LABELS)
    assert deployment.consume() is None
    ((kind, detail),) = deployment.bus.events()
    assert kind == "Photo labelled"
    assert detail.pop("eventId")
    assert detail == {
        "key": KEY,
        "bucket": BUCKET,
        "etag": "abc",
        "versionId": "v1",
        "size": 4711,
        "labelledAt": "2026-11-18T11:06:40.250+00:00",
        "revision": "1795000000000000001",
        "status": "LABELLED",
        "labels": [{"name": "Dog", "confidence": 98.765}, {"name": "Beach", "confidence": 81}],
    }
    (entry,) = deployment.bus.received
    assert entry["EventBusName"] == "photos"
    assert entry["Source"] == "image-labels"
    assert entry["Resources"] == ["arn:aws:dynamodb:eu-central-1:123456789012:table/image-labels-images"]


def test_each_change_of_a_photo_is_one_event(deployment: Deployment) -> None:
    """Also if the item is written in several parts, because the photo has many terms."""
    deployment.store = Store(deployment.store._client, TABLE, LABELS_TABLE, max_actions=4)
    deployment.put(LABELS)
    deployment.put(replace(LABELS, labels=(DOG,)), settings="min_confidence=90")
    deployment.put(replace(LABELS, labels=(DOG,)), settings="min_confidence=95")  # the same labels
    deployment.put(LABELS, replace(PHOTO, etag="def", version_id="v2"))
    deployment.put(Rejected("InvalidImageFormatException: not an image"), replace(PHOTO, etag="ghi", version_id="v3"))
    deployment.put(LABELS, replace(PHOTO, etag="ghi", version_id="v3"))
    deployment.delete()
    deployment.consume()
    assert deployment.bus.types() == [
        *("Photo labelled", "Photo changed", "Photo labelled"),
        *("Photo rejected", "Photo labelled", "Photo removed"),
    ]
    details = [detail for _, detail in deployment.bus.events()]
    assert details[1]["changed"] == ["labels"]
    assert details[3]["reason"] == "InvalidImageFormatException: not an image"
    assert details[5]["status"] == "REMOVED"
    revisions = [int(detail["revision"]) for detail in details]
    assert revisions == sorted(revisions)


def test_text_faces_and_moderation_labels_are_in_the_event(deployment: Deployment) -> None:
    deployment.put(LABELS)
    line = {"M": {"Text": {"S": "SPEED LIMIT"}, "Confidence": {"N": "99.1"}}}
    text: Any = {"M": {"Asked": {"S": "min_confidence=80"}, "At": {"S": "1"}, "Lines": {"L": [line]}}}
    weapon = {"M": {"Name": {"S": "Weapons"}, "Parents": {"L": []}, "Confidence": {"N": "97"}}}
    deployment.change(
        Text=text, Faces={"M": {"Faces": {"L": [{"M": {}}, {"M": {}}]}}}, Moderation={"M": {"Labels": {"L": [weapon]}}}
    )
    deployment.change(Text={"M": text["M"] | {"At": {"S": "2"}}})  # asked again, with the same answer
    deployment.consume()
    assert deployment.bus.types() == ["Photo labelled", "Photo changed"]
    detail = deployment.bus.events()[1][1]
    assert detail["changed"] == ["text", "faces", "moderation"]
    assert detail["text"] == ["SPEED LIMIT"]
    assert detail["faces"] == 2
    assert detail["moderation"] == [{"name": "Weapons", "confidence": 97}]


def test_unwanted_photo_is_removed_once(deployment: Deployment) -> None:
    """First when it is moved, with the place of the copy, and not again with its item."""
    deployment.put(LABELS)
    match = {"M": {"Name": {"S": "Weapons"}, "Confidence": {"N": "97"}, "Kind": {"S": "moderation"}}}
    decision = {"Action": {"S": "quarantine"}, "State": {"S": "PENDING"}, "Matches": {"L": [match]}}
    deployment.change(Unwanted={"M": decision})
    done = decision | {"State": {"S": "DONE"}, "To": {"S": "s3://quarantine/dog.jpg"}}
    deployment.change(
        Unwanted={"M": done}, Status={"S": "REMOVED"}, Labels=None, Detections=None, OtherDetections={"L": []}
    )
    deployment.dynamodb.delete_item(TableName=TABLE, Key={"PK": {"S": KEY}})
    deployment.consume()
    assert deployment.bus.types() == ["Photo labelled", "Photo changed", "Photo removed"]
    detail = deployment.bus.events()[2][1]
    assert "labels" not in detail
    assert detail["unwanted"] == {
        "action": "quarantine",
        "state": "DONE",
        "dryRun": False,
        "matches": [{"name": "Weapons", "confidence": 97}],
        "to": "s3://quarantine/dog.jpg",
    }


@pytest.mark.parametrize(
    "attributes",
    [
        {"Status": {"S": "SEEN"}},
        {"Status": {"N": "1"}},
        {},
    ],
)
def test_items_of_other_programs_have_no_event(deployment: Deployment, attributes: dict[str, Any]) -> None:
    deployment.change(**attributes)
    deployment.dynamodb.delete_item(TableName=TABLE, Key={"PK": {"S": KEY}})
    assert deployment.consume() is None
    assert deployment.bus.received == []


def test_garbage_in_an_item_does_not_block_the_stream(deployment: Deployment) -> None:
    deployment.put(LABELS)
    garbage: Any = {"M": {"Lines": {"S": "?"}, "Faces": {"L": [{"S": "?"}]}, "Labels": {"L": [{"M": {}}]}}}
    deployment.change(
        **dict.fromkeys(("Text", "Faces", "Moderation"), garbage), Detections={"NULL": True}, Unwanted={"BOOL": True}
    )
    deployment.put(LABELS, replace(PHOTO, key="images/next.jpg"))
    assert deployment.consume() is None
    assert deployment.bus.types() == ["Photo labelled", "Photo changed", "Photo labelled"]


def test_retry_publishes_the_failed_event_and_those_after_it(deployment: Deployment) -> None:
    """A second delivery of a record has the same eventId, by which a subscriber recognizes it."""
    keys = [f"images/{n:02}.jpg" for n in range(25)]
    for key in keys:
        deployment.put(LABELS, replace(PHOTO, key=key))
    deployment.bus.refusing = {12: "ThrottlingException"}
    unsent = deployment.consume()
    assert unsent is not None
    assert deployment.bus.requests == 2
    assert deployment.consume(unsent) is None
    by_id: dict[str, set[str]] = {}
    for _, detail in deployment.bus.events():
        by_id.setdefault(detail["eventId"], set()).add(detail["key"])
    assert sorted(by_id.values(), key=min) == [{key} for key in keys]


def test_photo_with_many_labels_fits_into_an_event(deployment: Deployment) -> None:
    labels = Labels(tuple(Label("🦓" * 250 + f"{n:03}", 99.0) for n in range(300)), "3.0")
    item: Any = {"PK": {"S": KEY}, "Status": {"S": "LABELLED"}}
    detections = [{"M": {"Name": {"S": each.name}, "Confidence": {"N": "99"}}} for each in labels.labels]
    for n in range(5):
        deployment.dynamodb.put_item(
            TableName=TABLE, Item=item | {"PK": {"S": f"{n}"}, "Detections": {"L": detections}}
        )
    assert deployment.consume() is None
    assert [len(detail["labels"]) for _, detail in deployment.bus.events()] == [100] * 5
    assert deployment.bus.requests > 1


def test_stream_without_old_images_is_refused(deployment: Deployment, dynamodb: DynamoDBClient) -> None:
    deployment.put(LABELS)
    records = stream_records(dynamodb)
    records[0]["dynamodb"]["StreamViewType"] = "NEW_IMAGE"
    with pytest.raises(photo_events.WrongStreamError, match="stream_view_type must be NEW_AND_OLD_IMAGES"):
        photo_events.publish(records, deployment.bus, "photos")


def test_handler_tells_lambda_where_to_retry(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photo_events, "_client", lambda: deployment.bus)
    monkeypatch.setenv("EVENT_BUS_NAME", "photos")
    deployment.put(LABELS)
    deployment.put(LABELS, replace(PHOTO, key="images/next.jpg"))
    records = stream_records(deployment.dynamodb)
    deployment.bus.refusing = {1: "InternalFailure"}
    answer = photo_events.handler({"Records": records}, None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": records[1]["dynamodb"]["SequenceNumber"]}]}
    assert photo_events.handler({"Records": records[1:]}, None) == {"batchItemFailures": []}
    assert [detail["key"] for _, detail in deployment.bus.events()] == [KEY, "images/next.jpg"]
