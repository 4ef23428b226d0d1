"""What the items of the two tables are made of, in DynamoDB's typed JSON. See image_labels.store for the tables.

boto3's own converters would import all of boto3, which the cold start pays for, and would want Decimal for numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from image_labels.item_size import item_size
from image_labels.rekognition import Instance, Label
from image_labels.terms import DIGITS, Term, rank, terms_of

if TYPE_CHECKING:
    from image_labels.photos import Photo

Value = dict[str, Any]
# The key of a row of the labels table: its term and rank.
RowKey = tuple[str, str]

# Each of a photo's rows carries all its terms. Beyond so many that would cost more than Rekognition's own price, and
# the rows say instead that the photo's item has to be asked.
MAX_TERMS_IN_ROW = 250


class Rows(StrEnum):
    """How far a photo's rows are. Whatever is there of them is rows of the item's own terms."""

    COMPLETE = "complete"
    FILLING = "filling"  # some may be missing yet
    EMPTYING = "emptying"  # some may be missing already: the item is about to be replaced or deleted


@dataclass(frozen=True)
class Item:
    """What the table knows of a photo, as far as it decides what is to be done about it."""

    key: str
    bucket: str
    etag: str
    version_id: str | None
    settings: str
    revision: int
    terms: tuple[Term, ...] = ()
    rows: Rows = Rows.COMPLETE


# What `item_of` needs of an item, as a ProjectionExpression.
ITEM_PROJECTION = "#bucket, ETag, VersionId, Settings, Revision, Detections, #rows, Emptying"
ITEM_PROJECTION_NAMES = {"#bucket": "Bucket", "#rows": "Rows"}


def item_of(key: str, item: Mapping[str, Any]) -> Item:
    """An item as it was read. One of another program is no reason to stop: it disagrees, and is written anew."""
    return Item(
        key=key,
        bucket=item.get("Bucket", {}).get("S", ""),
        etag=item.get("ETag", {}).get("S", ""),
        version_id=item.get("VersionId", {}).get("S"),
        settings=item.get("Settings", {}).get("S", ""),
        revision=int(item.get("Revision", {}).get("N", "0")),
        terms=terms_of(labels_of(item)),
        rows=Rows.COMPLETE if "Rows" in item else Rows.EMPTYING if "Emptying" in item else Rows.FILLING,
    )


def photo_attributes(photo: Photo) -> dict[str, Value]:
    """What was labelled."""
    attributes: dict[str, Value] = {
        "PK": {"S": photo.key},
        "Bucket": {"S": photo.bucket},
        "ETag": {"S": photo.etag},
        "Size": {"N": str(photo.size)},
    }
    if photo.version_id is not None:
        attributes["VersionId"] = {"S": photo.version_id}
    return attributes


def detections(labels: tuple[Label, ...], room: int) -> dict[str, Value]:
    """The Detections attribute in at most `room` bytes: boxes go first, those of the least certain label before all."""
    found = [_detection(label) for label in labels]
    size = item_size({"Detections": {"L": found}})
    cut = size > room
    for detection in reversed(found):
        if size <= room:
            break
        size -= item_size({"Instances": detection["M"].pop("Instances")})
    return {"Detections": {"L": found}} | ({"DetectionsCut": {"BOOL": True}} if cut else {})


def labels_of(item: Mapping[str, Any]) -> tuple[Label, ...]:
    """The labels of an item, as far as they were kept; none of one that has no Detections."""
    return tuple(_label(detection["M"]) for detection in item.get("Detections", {}).get("L", ()))


def rows_of(key: str, terms: tuple[Term, ...]) -> dict[RowKey, dict[str, Value]]:
    """The rows of a photo in the labels table."""
    all_terms: dict[str, Value] = (
        {"Terms": {"M": {term.text: _number(term.confidence, DIGITS) for term in terms}}}
        if len(terms) <= MAX_TERMS_IN_ROW
        else {"TermsCut": {"BOOL": True}}
    )
    return {
        row_key(key, term): {
            "Term": {"S": term.text},
            "Rank": {"S": rank(term.confidence, key)},
            "PK": {"S": key},
            "Name": {"S": term.name},
            "Kind": {"S": term.kind.value},
            "Confidence": _number(term.confidence, DIGITS),
        }
        | all_terms
        for term in terms
    }


def row_key(key: str, term: Term) -> RowKey:
    """Where a photo's row of this term is."""
    return (term.text, rank(term.confidence, key))


def _detection(label: Label) -> Value:
    return {
        "M": {
            "Name": {"S": label.name},
            "Confidence": _number(label.confidence, DIGITS),
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
                            "Confidence": _number(box.confidence, DIGITS),
                        }
                    }
                    for box in label.instances
                ]
            },
        }
    }


def _label(detection: Mapping[str, Any]) -> Label:
    def strings(name: str) -> tuple[str, ...]:
        return tuple(value["S"] for value in detection.get(name, {}).get("L", ()))

    return Label(
        name=detection["Name"]["S"],
        confidence=float(detection["Confidence"]["N"]),
        parents=strings("Parents"),
        aliases=strings("Aliases"),
        categories=strings("Categories"),
        instances=tuple(_instance(value["M"]) for value in detection.get("Instances", {}).get("L", ())),
    )


def _instance(box: Mapping[str, Any]) -> Instance:
    return Instance(
        left=float(box["Left"]["N"]),
        top=float(box["Top"]["N"]),
        width=float(box["Width"]["N"]),
        height=float(box["Height"]["N"]),
        confidence=float(box["Confidence"]["N"]),
    )


def _number(value: float, digits: int) -> Value:
    """Rekognition's single-precision noise is not worth its bytes: 5 digits of a ratio are 0.1 pixels of 10,000."""
    return {"N": f"{value:.{digits}f}"}


def _strings(values: tuple[str, ...]) -> Value:
    return {"L": [{"S": value} for value in values]}
