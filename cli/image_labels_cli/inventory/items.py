"""Items of the images table as the command needs them: without their labels, and by key."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from image_labels.backoff import waits
from image_labels.failures import TryAgain
from image_labels.tables.items import (
    FINDINGS,
    FINDINGS_NAMES,
    ITEM_SCALARS,
    has_foreign_scalars,
    text_of,
    unclaimed_of,
    whole,
)
from image_labels.tables.unwanted import unwanted_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
MAX_KEYS = 100
_OTHERS = (
    *("LabelModelVersion", "LabelledAt", "Labels", "Asked", "Answered", "DetectionsCut", "UnclaimedFaces", "Unwanted"),
)
_NAMES = {f"#{n}": name for n, name in enumerate(("PK", *ITEM_SCALARS, *_OTHERS))}
# What `known` needs of an item.
_OF_FINDINGS = [f"{name}.{field}" for name in FINDINGS_NAMES for field in ("Asked", "Reason")]
PROJECTION: dict[str, Any] = {
    "ProjectionExpression": ", ".join([*_NAMES, *_OF_FINDINGS, "#faces.Faces"]),
    "ExpressionAttributeNames": _NAMES | FINDINGS_NAMES,
}


@dataclass(frozen=True, slots=True)
class KnownItem:
    """What an item of the images table says about the object that was labelled.

    `complete` says whether all of the photo's rows are in the labels table. `foreign` says whether another program
    wrote or changed the item, as far as its attributes other than Detections show; then the other fields are empty.
    `revision` changes each time the function writes the item. `labelled_at` is the time of Rekognition's answer,
    `asked` the criteria of the request, and `answered` how many labels it had. `whole` says whether the item has all,
    and `dated` whether it has the time of the upload, as those of earlier versions do not.
    `pending` says that an unwanted photo is still to be tagged, moved or deleted. The status REMOVED says that it was
    moved or deleted.
    `findings` has the criteria of the requests to detectors in the form of `settings`, empty for one that was refused.
    `face_ids` are the photo's faces in the face collection, and `unclaimed` the faces and calls whose faces are to be
    deleted from it; there are spaces between their IDs.
    """

    key: str
    bucket: str = ""
    etag: str = ""
    settings: str = ""
    status: str = ""
    model_version: str = ""
    complete: bool = False
    foreign: bool = False
    revision: str = ""
    labelled_at: str = ""
    asked: str = ""
    answered: int = 0
    whole: bool = False
    dated: bool = False
    pending: bool = False
    findings: str = ""
    face_ids: str = ""
    unclaimed: str = ""

    @property
    def removed(self) -> bool:
        """Whether it is the item of an unwanted photo that was moved to quarantine or deleted."""
        return self.status == "REMOVED"


def known(item: Mapping[str, Any]) -> KnownItem:
    """An item that was read with PROJECTION."""
    key = item["PK"]["S"]
    face_ids, unclaimed = " ".join(_face_ids(item)), " ".join(_unclaimed(item))
    if has_foreign_scalars(item):
        return KnownItem(key, foreign=True, face_ids=face_ids, unclaimed=unclaimed)
    return KnownItem(
        key,
        bucket=item["Bucket"]["S"],
        etag=item["ETag"]["S"],
        settings=item["Settings"]["S"],
        status=item["Status"]["S"],
        model_version=item.get("LabelModelVersion", {}).get("S", ""),
        complete="Rows" in item,
        revision=item["Revision"]["N"],
        labelled_at=text_of(item, "LabelledAt"),
        asked=text_of(item, "Asked") or item["Settings"]["S"],
        answered=whole(item.get("Answered", {})) or len(item.get("Labels", {}).get("SS", ())),
        whole="DetectionsCut" not in item,
        face_ids=face_ids,
        unclaimed=unclaimed,
        pending=(decision := unwanted_of(item)) is not None and not decision.done,
        findings="".join(_asked(name, item.get(attribute, {}).get("M")) for name, attribute in FINDINGS.items()),
        dated="Uploaded" in item,
    )


def _face_ids(item: Mapping[str, Any]) -> Iterator[str]:
    for face in item.get("Faces", {}).get("M", {}).get("Faces", {}).get("L", ()):
        if face_id := text_of(face.get("M", {}), "FaceId"):
            yield face_id


def _unclaimed(item: Mapping[str, Any]) -> Iterator[str]:
    unclaimed = unclaimed_of(item)
    if unclaimed is not None:
        yield from (*unclaimed.face_ids, *unclaimed.calls)


def _asked(name: str, finding: Mapping[str, Any] | None) -> str:
    if finding is None:
        return ""
    return f";{name}=" + ("" if "Reason" in finding else text_of(finding, "Asked"))


def date_of(answer: Mapping[str, Any]) -> datetime:
    """AWS's time of an answer, because the clock of this machine may differ from that of S3's LastModified."""
    date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
    try:
        return parsedate_to_datetime(date).astimezone(UTC)
    except ValueError:
        return datetime.now(UTC)


class Items:
    """Reads items of one images table by key. `read_units` and `requests` are the cost of the reads so far.

    `first_answer` is AWS's time of the first read, None before.
    """

    def __init__(self, client: DynamoDBClient, name: str, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self.read_units = 0.0
        self.requests = 0
        self.first_answer: datetime | None = None
        self._client = client
        self._name = name
        self._sleep = sleep

    def existing(self, keys: Sequence[str]) -> set[str]:
        """Those of at most MAX_KEYS keys that have an item now, read consistently. Raises as `get` does."""
        request = {"ProjectionExpression": "PK", "ConsistentRead": True}
        return {item["PK"]["S"] for item in self._read(keys, request)}

    def get(self, keys: Sequence[str]) -> dict[str, KnownItem]:
        """The items of at most MAX_KEYS keys by key. A write of the last second may be missing.

        Raises botocore's errors, or TryAgain if DynamoDB repeatedly leaves all keys unprocessed.
        """
        return {item["PK"]["S"]: known(item) for item in self._read(keys, PROJECTION)}

    def count(self, consumed: Mapping[str, Any]) -> None:
        """Add the cost of a request."""
        self.requests += 1
        self.read_units += consumed.get("CapacityUnits", 0.0)

    def _read(self, keys: Sequence[str], request: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        unread: Any = [{"PK": {"S": key}} for key in keys]
        pauses = waits()
        while unread:
            asked: Any = {self._name: {**request, "Keys": unread}}
            answer: Any = self._client.batch_get_item(RequestItems=asked, ReturnConsumedCapacity="TOTAL")
            self.first_answer = self.first_answer or date_of(answer)
            for consumed in answer.get("ConsumedCapacity", ()):
                self.count(consumed)
            yield from answer.get("Responses", {}).get(self._name, ())
            left = answer.get("UnprocessedKeys", {}).get(self._name, {}).get("Keys", [])
            if len(left) == len(unread):
                wait = next(pauses, None)
                if wait is None:
                    raise TryAgain("BatchGetItem: DynamoDB throttles", throttled=True)
                self._sleep(wait)
            unread = left
