"""The `images` table: one item per photo. The only file that knows its attributes.

    PK                 S     the object key
    Labels             SS    label names; absent when there are none
    Detections         L/M   Name, Confidence (N, percent), Parents, Aliases, Categories, Instances (boxes as ratios)
    DetectionsCut      BOOL  true when boxes were left out to fit the item into DynamoDB's 400 KB; else absent
    Status             S     LABELLED or REJECTED
    Reason             S     why it was rejected
    Bucket ETag VersionId Size   S S S N   what was labelled
    LabelModelVersion  S     Rekognition's
    Settings           S     the fingerprint of the settings it was labelled under
    LabelledAt         S     ISO 8601, UTC
    Revision           N     the optimistic lock

The low-level client and its typed JSON are used as they are: boto3's own converters would import all of boto3,
which the cold start pays for, and would want Decimal for every number.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from image_labels.item_size import item_size
from image_labels.rekognition import Label, Labels, Rejected

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from image_labels.photos import Photo

    Value = dict[str, Any]

# An item has 400 KB (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html), counted by
# rules of which DynamoDB itself says that they are approximate for numbers: hence the room.
MAX_ITEM_BYTES = 360_000


class Conflict(Exception):  # noqa: N818 - expected, and answered by looking again
    """Somebody else changed the item since it was read."""


@dataclass(frozen=True)
class Item:
    """What the table knows of a photo, as far as it decides whether the photo has to be looked at again."""

    key: str
    bucket: str
    etag: str
    version_id: str | None
    settings: str
    revision: int


class ImagesTable:
    """Reads and writes items, each write on condition that the item is still as it was read.

    `now` gives seconds since the epoch and `new_revision` a number that is not given twice.
    """

    def __init__(
        self,
        client: DynamoDBClient,
        table: str,
        *,
        now: Callable[[], float] = time.time,
        new_revision: Callable[[], int] = time.time_ns,
    ) -> None:
        self._client = client
        self._table = table
        self._now = now
        # Not a count from 1: an item that is deleted and made again must not look like the one that was read before.
        self._new_revision = new_revision

    def get(self, key: str) -> Item | None:
        """The item of this key, read consistently, or None."""
        answer = self._client.get_item(
            TableName=self._table,
            Key={"PK": {"S": key}},
            ConsistentRead=True,
            ProjectionExpression="#bucket, ETag, VersionId, Settings, Revision",
            ExpressionAttributeNames={"#bucket": "Bucket"},
        )
        item = answer.get("Item")
        if item is None:
            return None
        return Item(
            key=key,
            # Items of another program in this table are no reason to stop: they disagree, and are written anew.
            bucket=item.get("Bucket", {}).get("S", ""),
            etag=item.get("ETag", {}).get("S", ""),
            version_id=item.get("VersionId", {}).get("S"),
            settings=item.get("Settings", {}).get("S", ""),
            revision=int(item.get("Revision", {}).get("N", "0")),
        )

    def put(self, photo: Photo, content: Labels | Rejected, settings: str, replacing: Item | None) -> None:
        """Store what Rekognition said of the photo in place of the item that was read, or where there was none.

        Raises Conflict if the item is no longer as it was read.
        """
        item = _photo_attributes(photo)
        item |= {
            "Settings": {"S": settings},
            "LabelledAt": {"S": datetime.fromtimestamp(self._now(), UTC).isoformat(timespec="milliseconds")},
            "Revision": {"N": str(self._new_revision())},
        }
        if isinstance(content, Rejected):
            item |= {"Status": {"S": "REJECTED"}, "Reason": {"S": content.reason}}
        else:
            item |= {"Status": {"S": "LABELLED"}, "LabelModelVersion": {"S": content.model_version}}
            if names := sorted({label.name for label in content.labels}):
                item["Labels"] = {"SS": names}
            item |= _detections(content.labels, room=MAX_ITEM_BYTES - item_size(item))
        self._conditionally(
            lambda condition: self._client.put_item(TableName=self._table, Item=item, **condition), replacing
        )

    def delete(self, item: Item) -> None:
        """Delete the item that was read. Raises Conflict if it is no longer as it was read."""
        self._conditionally(
            lambda condition: self._client.delete_item(TableName=self._table, Key={"PK": {"S": item.key}}, **condition),
            item,
        )

    def _conditionally(self, write: Callable[[dict[str, Any]], object], read: Item | None) -> None:
        if read is None:
            condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(PK)"}
        elif read.revision:
            condition = {
                "ConditionExpression": "Revision = :read",
                "ExpressionAttributeValues": {":read": {"N": str(read.revision)}},
            }
        else:
            condition = {"ConditionExpression": "attribute_not_exists(Revision)"}
        try:
            write(condition)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "ConditionalCheckFailedException":
                raise Conflict from error
            raise


def _photo_attributes(photo: Photo) -> dict[str, Value]:
    attributes: dict[str, Value] = {
        "PK": {"S": photo.key},
        "Bucket": {"S": photo.bucket},
        "ETag": {"S": photo.etag},
        "Size": {"N": str(photo.size)},
    }
    if photo.version_id is not None:
        attributes["VersionId"] = {"S": photo.version_id}
    return attributes


def _detections(labels: tuple[Label, ...], room: int) -> dict[str, Value]:
    """The Detections attribute in at most `room` bytes: boxes go first, those of the least certain label before all."""
    detections = [_detection(label) for label in labels]
    size = item_size({"Detections": {"L": detections}})
    cut = size > room
    for detection in reversed(detections):
        if size <= room:
            break
        size -= item_size({"Instances": detection["M"].pop("Instances")})
    return {"Detections": {"L": detections}} | ({"DetectionsCut": {"BOOL": True}} if cut else {})


def _detection(label: Label) -> Value:
    return {
        "M": {
            "Name": {"S": label.name},
            "Confidence": _number(label.confidence, 3),
            "Parents": _strings(label.parents),
            "Aliases": _strings(label.aliases),
            "Categories": _strings(label.categories),
            "Instances": {
                "L": [
                    {
                        "M": {
                            "Left": _number(box.left, 5),
                            "Top": _number(box.top, 5),
                            "Width": _number(box.width, 5),
                            "Height": _number(box.height, 5),
                            "Confidence": _number(box.confidence, 3),
                        }
                    }
                    for box in label.instances
                ]
            },
        }
    }


def _number(value: float, digits: int) -> Value:
    """Rekognition's single-precision noise is not worth its bytes: 5 digits of a ratio are 0.1 pixels of 10,000."""
    return {"N": f"{value:.{digits}f}"}


def _strings(values: tuple[str, ...]) -> Value:
    return {"L": [{"S": value} for value in values]}
