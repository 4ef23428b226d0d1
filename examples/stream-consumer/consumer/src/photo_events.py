"""Publishes an event to EventBridge for each photo that was labelled, changed, rejected or removed.

Lambda invokes `handler` with records of the DynamoDB stream of the images table, which must have the view type
NEW_AND_OLD_IMAGES. Writes that change nothing about the photo, such as those of its rows in several parts, publish no
event.

Records and events arrive at least once. `eventId` is the same for each delivery of a change. EventBridge keeps no
order: of two events of a photo, the one with the higher `revision` is the later one.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, Protocol

import boto3
from botocore.exceptions import BotoCoreError, ClientError

logger = logging.getLogger(__name__)
logger.setLevel(logging.INFO)

SOURCE = "image-labels"
LABELLED, CHANGED, REJECTED, REMOVED = "Photo labelled", "Photo changed", "Photo rejected", "Photo removed"

# Labels, lines of text and so on in an event. The item has all of them.
MAX_LISTED = 100
# https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html: 10 events and 256 KB per request. The
# margin is for the members that MAX_BYTES does not count.
MAX_ENTRIES = 10
MAX_BYTES = 240_000

# What identifies the object that was labelled.
OBJECT = ("Bucket", "ETag", "VersionId")
# Attributes that describe the photo, by their name in the event.
CONTENT = {
    "labels": "Detections",
    "text": "Text",
    "faces": "Faces",
    "moderation": "Moderation",
    "unwanted": "Unwanted",
    "reason": "Reason",
}
# Members of these attributes that differ after each request to Rekognition, even if it finds the same.
CIRCUMSTANCES = {"Asked", "At", "ModelVersion", "Call"}
STATUSES = {"LABELLED", "REJECTED", "REMOVED"}

Image = dict[str, Any]
# An entry of PutEvents.
Entry = dict[str, Any]


class EventBridge(Protocol):
    """The part of the client that is used here."""

    def put_events(self, *, Entries: list[Entry]) -> Mapping[str, Any]: ...  # noqa: N803


class WrongStreamError(Exception):
    """The stream does not record the old and the new image of an item."""


@cache
def _client() -> EventBridge:
    client: EventBridge = boto3.client("events")
    return client


def handler(event: Mapping[str, Any], _context: object) -> dict[str, list[dict[str, str]]]:
    """Publish the events of a batch. Lambda retries from the record on that is in the answer."""
    unsent = publish(event["Records"], _client(), os.environ["EVENT_BUS_NAME"])
    return {"batchItemFailures": [] if unsent is None else [{"itemIdentifier": unsent}]}


def publish(records: Sequence[Mapping[str, Any]], client: EventBridge, bus: str) -> str | None:
    """Publish the events of these records in their order.

    Returns the sequence number of the first record whose event was not published, or None. Raises WrongStreamError.
    """
    entries = [
        (record["dynamodb"]["SequenceNumber"], entry)
        for record in records
        if (entry := entry_of(record, bus)) is not None
    ]
    for some in _requests(entries):
        try:
            results = client.put_events(Entries=[entry for _, entry in some])["Entries"]
        except (ClientError, BotoCoreError) as error:
            logger.error("events not published", extra={"cause": str(error)})
            return some[0][0]
        for (sequence_number, _), result in zip(some, results, strict=True):
            if "ErrorCode" in result:
                cause = f"{result['ErrorCode']}: {result.get('ErrorMessage', '')}"
                logger.error("event not published", extra={"cause": cause})
                return sequence_number
    logger.info("events published", extra={"records": len(records), "events": len(entries)})
    return None


def entry_of(record: Mapping[str, Any], bus: str) -> Entry | None:
    """The event of a stream record as PutEvents takes it; None if nothing about the photo changed."""
    change = record["dynamodb"]
    if change.get("StreamViewType") != "NEW_AND_OLD_IMAGES":
        raise WrongStreamError(f"stream_view_type must be NEW_AND_OLD_IMAGES, not {change.get('StreamViewType')}")
    old, new = _item(change.get("OldImage")), _item(change.get("NewImage"))
    detail_type, changed = kind_of(old, new)
    image = new or old
    if detail_type is None or image is None:
        return None
    detail = {"eventId": record["eventID"]} | _detail(image, gone=new is None)
    if changed:
        detail["changed"] = changed
    return {
        "EventBusName": bus,
        "Source": SOURCE,
        "DetailType": detail_type,
        "Detail": json.dumps(detail, ensure_ascii=False),
        "Resources": [record["eventSourceARN"].partition("/stream/")[0]],
        "Time": datetime.fromtimestamp(change["ApproximateCreationDateTime"], UTC),
    }


def kind_of(old: Image | None, new: Image | None) -> tuple[str | None, list[str]]:
    """The type of the event, or None, and what changed, if the type is CHANGED."""
    if new is None:
        # Of a photo that was removed as unwanted, an event was published then.
        return (REMOVED if old is not None and old["Status"] != "REMOVED" else None), []
    if old is None or any(old.get(name) != new.get(name) for name in (*OBJECT, "Status")):
        return {"LABELLED": LABELLED, "REJECTED": REJECTED, "REMOVED": REMOVED}[new["Status"]], []
    changed = [name for name, attribute in CONTENT.items() if _content(old, attribute) != _content(new, attribute)]
    return (CHANGED if changed else None), changed


def _content(item: Image, attribute: str) -> Any:
    value = item.get(attribute)
    if isinstance(value, dict):
        return {name: each for name, each in value.items() if name not in CIRCUMSTANCES}
    return value


def _detail(item: Image, *, gone: bool) -> dict[str, Any]:
    """The event's detail. Members without a value are left out."""
    text, moderation, unwanted = (_map(item, name) for name in ("Text", "Moderation", "Unwanted"))
    detail: dict[str, Any] = {
        "key": item["PK"],
        "bucket": item.get("Bucket"),
        "etag": item.get("ETag"),
        "versionId": item.get("VersionId"),
        "size": item.get("Size"),
        "uploaded": item.get("Uploaded"),
        "labelledAt": item.get("LabelledAt"),
        # As a string: JavaScript rounds numbers of this size.
        "revision": str(item.get("Revision", 0)),
        "status": "REMOVED" if gone else item["Status"],
    }
    if not gone:
        detail |= {
            "reason": item.get("Reason"),
            "labels": _named(item.get("Detections")) or None,
            "text": [line.get("Text") for line in _entries(text.get("Lines"))] or None,
            "faces": len(_entries(_map(item, "Faces").get("Faces"))) if "Faces" in item else None,
            "moderation": _named(moderation.get("Labels")) or None,
        }
    if unwanted:
        detail["unwanted"] = {
            "action": unwanted.get("Action"),
            "state": unwanted.get("State"),
            "dryRun": "DryRun" in unwanted,
            "matches": _named(unwanted.get("Matches")),
        } | ({"to": unwanted["To"]} if "To" in unwanted else {})
    return {name: value for name, value in detail.items() if value is not None}


def _named(value: Any) -> list[dict[str, Any]]:
    return [{"name": each.get("Name"), "confidence": each.get("Confidence")} for each in _entries(value)]


def _entries(value: Any) -> list[Image]:
    """The maps of a list, at most MAX_LISTED; none if another program wrote something else."""
    return [each for each in value if isinstance(each, dict)][:MAX_LISTED] if isinstance(value, list) else []


def _map(item: Image, name: str) -> Image:
    value = item.get(name)
    return value if isinstance(value, dict) else {}


def _item(image: Mapping[str, Any] | None) -> Image | None:
    """An item of the module without DynamoDB's types; None if there is none, or if another program wrote it."""
    item = {name: _plain(value) for name, value in (image or {}).items()}
    status = item.get("Status")
    return item if isinstance(status, str) and status in STATUSES else None


def _plain(value: Mapping[str, Any]) -> Any:
    ((kind, content),) = value.items()
    if kind == "N":
        return int(content) if content.lstrip("-").isdecimal() else float(content)
    if kind == "L":
        return [_plain(each) for each in content]
    if kind == "M":
        return {name: _plain(each) for name, each in content.items()}
    if kind in ("SS", "NS"):
        return sorted(content)
    return content


def _requests(entries: Iterable[tuple[str, Entry]]) -> Iterator[list[tuple[str, Entry]]]:
    """The entries in parts that fit into one request each."""
    part: list[tuple[str, Entry]] = []
    size = 0
    for sequence_number, entry in entries:
        bytes_ = sum(len(part.encode()) for part in (entry["Detail"], entry["DetailType"], *entry["Resources"]))
        if part and (len(part) == MAX_ENTRIES or size + bytes_ > MAX_BYTES):
            yield part
            part, size = [], 0
        part.append((sequence_number, entry))
        size += bytes_
    if part:
        yield part
