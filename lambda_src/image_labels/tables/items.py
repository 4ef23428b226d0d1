"""The items of the images table, in DynamoDB's typed JSON. See image_labels.tables.store for their attributes.

boto3's own converters import all of boto3, which lengthens the cold start, and use Decimal for numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from image_labels.model import Instance, Label, Labels, Rejected, is_iso_time
from image_labels.tables.item_size import item_size
from image_labels.tables.rows import Value, decimal
from image_labels.tables.terms import DIGITS, Term, listed, terms_of

if TYPE_CHECKING:
    from image_labels.detectors.finding import Finding
    from image_labels.detectors.unclaimed import Unclaimed
    from image_labels.model import Photo
    from image_labels.unwanted.decision import Unwanted


# Digits after the decimal point of a stored side of a box: 0.1 pixels of 10,000.
BOX_DIGITS = 5
# The most rows that are deleted for a foreign item: 400 KB of garbage can name a hundred times as many.
MAX_FOREIGN_TERMS = 1000


class Rows(StrEnum):
    """State of a photo's rows. Existing rows always belong to the item's current terms."""

    COMPLETE = "complete"
    FILLING = "filling"  # some may be missing yet
    EMPTYING = "emptying"  # some may be missing already: the item is about to be replaced or deleted


class Item(NamedTuple):
    """The attributes of a photo's item that the reconciler needs.

    `foreign` holds the attributes, except Detections, of an item that another program wrote or changed. Such an item
    agrees with no photo: its bucket, ETag and settings are empty here.

    `answer` is Rekognition's answer with all its labels, if the item has it unabridged, and `labelled_at` its time.
    `uploaded` is the time of the object, "" if an earlier version of this module wrote the item. `findings` are those
    of detectors. `unclaimed` may be in the face collection, and is not among the findings. `unwanted` is what was
    decided about an unwanted photo. `removed` says that the photo was deleted or moved to quarantine: then the item
    agrees with no object, and has no answer, no findings and no terms.
    """

    key: str
    bucket: str
    etag: str
    version_id: str | None
    settings: str
    revision: int
    terms: tuple[Term, ...] = ()
    rows: Rows = Rows.COMPLETE
    foreign: Mapping[str, Value] | None = None
    labelled_at: str = ""
    answer: Labels | Rejected | None = None
    uploaded: str = ""
    rejected: bool = False
    findings: tuple[Finding, ...] = ()
    unclaimed: Unclaimed | None = None
    unwanted: Unwanted | None = None
    removed: bool = False

    @property
    def dated(self) -> str:
        """The time of the photo's rows: a rejected or removed photo has none."""
        return "" if self.rejected or self.removed else self.uploaded

    @property
    def counted(self) -> frozenset[str]:
        """The terms under which the photo is counted, from when its rows are complete until they no longer are.

        An earlier version of this module counted no photos, and wrote items without the time of the object.
        """
        return listed(self.terms) if self.rows is Rows.COMPLETE and self.uploaded else frozenset()


# The scalars that `item_of` needs of an item; a foreign item is unchanged as long as all of them are.
ITEM_SCALARS = ("Bucket", "ETag", "VersionId", "Settings", "Status", "Revision", "Rows", "Emptying", "Uploaded")
# The attribute of each detector's finding, by the detector's name: see image_labels.tables.findings.
FINDINGS = {"text": "Text", "faces": "Faces", "moderation": "Moderation"}
# What `item_of` needs, as a ProjectionExpression.
ITEM_PROJECTION = (
    "#bucket, ETag, VersionId, Settings, #status, Revision, Detections, #rows, Emptying, LabelledAt, "
    "Asked, OtherDetections, DetectionsCut, LabelModelVersion, Reason, Uploaded, UnclaimedFaces, Unwanted, "
    + ", ".join(f"#{name}" for name in FINDINGS)
)
FINDINGS_NAMES = {f"#{name}": attribute for name, attribute in FINDINGS.items()}
ITEM_PROJECTION_NAMES = {"#bucket": "Bucket", "#rows": "Rows", "#status": "Status"} | FINDINGS_NAMES


def item_of(key: str, item: Mapping[str, Any]) -> Item:
    """An item as it was read. Raises nothing, even if another program wrote the item.

    The rows of a foreign item are never considered complete. Its terms only say which of this photo's rows to delete.
    """
    removed = item.get("Status") == {"S": "REMOVED"}
    found = () if removed else findings_of(item)
    findings = tuple(each for each in found if each.is_of(key))
    terms = () if removed else terms_of(labels_of(item), found)
    if is_foreign(item):
        return Item(
            key=key,
            bucket="",
            etag="",
            version_id=None,
            settings="",
            revision=0,
            terms=terms[:MAX_FOREIGN_TERMS],
            # Not marked again: workers at the same item that all mark it would stop each other without end.
            rows=Rows.EMPTYING if "Emptying" in item else Rows.FILLING,
            foreign={name: item[name] for name in ITEM_SCALARS if name in item},
            uploaded=_uploaded(item) or "",
            findings=findings,
            unclaimed=unclaimed_of(item),
        )
    return Item(
        key=key,
        bucket=item["Bucket"]["S"],
        etag=item["ETag"]["S"],
        version_id=item.get("VersionId", {}).get("S"),
        settings=item["Settings"]["S"] if len(findings) == len(found) else "",  # "" is what no photo has
        revision=int(item["Revision"]["N"]),
        terms=terms,
        rows=Rows.COMPLETE if "Rows" in item else Rows.EMPTYING if "Emptying" in item else Rows.FILLING,
        labelled_at=text_of(item, "LabelledAt"),
        answer=None if removed else _answer_of(item),
        uploaded=_uploaded(item) or "",
        rejected=item["Status"] == {"S": "REJECTED"},
        findings=findings,
        unclaimed=unclaimed_of(item),
        unwanted=_decision_of(item),
        removed=removed,
    )


def unclaimed_attribute(unclaimed: Unclaimed) -> Value:
    """What is in the face collection and belongs to no photo, in its stored form."""
    lists = {"FaceIds": unclaimed.face_ids, "Calls": unclaimed.calls}
    fields = {name: _strings(values) for name, values in lists.items() if values}
    return {"M": fields | ({"Until": decimal(unclaimed.until, 0)} if unclaimed.until else {})}


def unclaimed_of(item: Mapping[str, Any]) -> Unclaimed | None:
    """What an item says is in the face collection and belongs to no photo, as far as it can be read."""
    if "UnclaimedFaces" not in item:
        return None
    from image_labels.detectors.unclaimed import Unclaimed  # not at the start: the import lengthens it

    fields = item["UnclaimedFaces"].get("M", {})

    def texts(name: str) -> tuple[str, ...]:
        return tuple(each["S"] for each in fields.get(name, {}).get("L", ()) if "S" in each)

    return Unclaimed(texts("FaceIds"), texts("Calls"), number(fields.get("Until", {})) or 0.0)


def is_foreign(item: Mapping[str, Any]) -> bool:
    """Whether another program wrote the item, or changed it so that it cannot be read as this module's."""
    labelled = item.get("Status") == {"S": "LABELLED"}
    return (
        has_foreign_scalars(item)
        or labelled != ("Detections" in item)
        or (labelled and (readable_labels(item) is None or _has_foreign_findings(item)))
    )


def _decision_of(item: Mapping[str, Any]) -> Unwanted | None:
    """What was decided about an unwanted photo."""
    if "Unwanted" not in item:
        return None
    from image_labels.tables.unwanted import unwanted_of  # not at the start: the import lengthens it

    return unwanted_of(item)


def _has_foreign_findings(item: Mapping[str, Any]) -> bool:
    """Whether the findings are not those that the settings name, or cannot be read."""
    named = FINDINGS.keys() & {part.partition("=")[0] for part in item["Settings"]["S"].split(";")}
    stored = {detector for detector, attribute in FINDINGS.items() if attribute in item}
    return named != stored or len(findings_of(item)) != len(stored)


def has_foreign_scalars(item: Mapping[str, Any]) -> bool:
    """The part of `is_foreign` that needs only ITEM_SCALARS."""
    return not (
        all("S" in item.get(name, {}) for name in ("Bucket", "ETag", "Settings"))
        and item.get("Status") in ({"S": "LABELLED"}, {"S": "REJECTED"}, {"S": "REMOVED"})
        and "S" in item.get("VersionId", {"S": ""})
        and (whole(item.get("Revision", {})) or 0) > 0
        and "N" in item.get("Rows", {"N": ""})
        and _uploaded(item) is not None
    )


def _uploaded(item: Mapping[str, Any]) -> str | None:
    """The time of the object, "" if the item has none, and None if it is not a time."""
    if "Uploaded" not in item:
        return ""
    text = text_of(item, "Uploaded")
    return text if is_iso_time(text) else None


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
    if photo.modified:
        attributes["Uploaded"] = {"S": photo.modified}
    return attributes


def detections(content: Labels, room: int) -> dict[str, Value]:
    """Detections and OtherDetections in at most `room` bytes: boxes are left out, of the least certain label first."""
    found = {"Detections": {"L": [_detection(label) for label in content.labels]}}
    if content.others:
        found["OtherDetections"] = {"L": [_detection(label) for label in content.others]}
    size = item_size(found)
    cut = size > room
    for detection in reversed([each for value in found.values() for each in value["L"]]):
        if size <= room:
            break
        size -= item_size({"Instances": detection["M"].pop("Instances")})
    return found | ({"DetectionsCut": {"BOOL": True}} if cut else {})


def labels_of(item: Mapping[str, Any], attribute: str = "Detections") -> tuple[Label, ...]:
    """The labels of an item, except those that cannot be read; none if it has no such attribute."""
    found = item.get(attribute, {}).get("L", ())
    return tuple(label for each in found if (label := _label(each)) is not None)


def readable_labels(item: Mapping[str, Any], attribute: str = "Detections") -> tuple[Label, ...] | None:
    """The labels of an item if all of the attribute is as this module writes it, or else None."""
    found = item.get(attribute, {}).get("L")
    labels = labels_of(item, attribute)
    return labels if found is not None and len(labels) == len(found) else None


def findings_of(item: Mapping[str, Any]) -> tuple[Finding, ...]:
    """What detectors found, as far as it can be read."""
    if not any(attribute in item for attribute in FINDINGS.values()):
        return ()
    from image_labels.tables.findings import readable_findings  # not at the start: the import lengthens it

    return readable_findings(item)


def text_of(item: Mapping[str, Any], attribute: str) -> str:
    """A text of an item; "" if it has none."""
    return str(item.get(attribute, {}).get("S", ""))


def _answer_of(item: Mapping[str, Any]) -> Labels | Rejected | None:
    """Rekognition's answer; None if the item does not have all of it. The item is not foreign."""
    at = text_of(item, "LabelledAt")
    if item["Status"] == {"S": "REJECTED"}:
        reason = text_of(item, "Reason")
        return Rejected(reason, at) if reason else None
    others = readable_labels(item, "OtherDetections") if "OtherDetections" in item else ()
    if others is None or "DetectionsCut" in item:
        return None
    labels = [label for label in labels_of(item) + others if not label.changed]
    return Labels(
        tuple(sorted(labels, key=lambda label: -label.confidence)),  # as in Rekognition's answer
        text_of(item, "LabelModelVersion"),
        asked=text_of(item, "Asked") or item["Settings"]["S"],
        at=at,
    )


def number(value: Mapping[str, Any]) -> float | None:
    """A value of DynamoDB as a number; None if it is of another type."""
    return float(value["N"]) if "N" in value else None


def whole(value: Mapping[str, Any]) -> int | None:
    """A value of DynamoDB as a whole number; None if it is not one. DynamoDB may write one as 1E+20."""
    found = number(value)
    if found is None or not found.is_integer():
        return None
    text = str(value["N"])
    return int(text) if text.lstrip("-").isdecimal() else int(found)


def percent(value: Mapping[str, Any]) -> float | None:
    """A value of DynamoDB as a confidence; None if it is not a number from 0 to 100."""
    found = number(value)
    return found if found is not None and 0 <= found <= 100 else None


def _detection(label: Label) -> Value:
    return {
        "M": {
            "Name": {"S": label.name},
            "Confidence": decimal(label.confidence, DIGITS),
            "Parents": _strings(label.parents),
            "Aliases": _strings(label.aliases),
            "Categories": _strings(label.categories),
            "Instances": {
                "L": [
                    {
                        "M": {
                            "Left": decimal(box.left, BOX_DIGITS),
                            "Top": decimal(box.top, BOX_DIGITS),
                            "Width": decimal(box.width, BOX_DIGITS),
                            "Height": decimal(box.height, BOX_DIGITS),
                            "Confidence": decimal(box.confidence, DIGITS),
                        }
                    }
                    for box in label.instances
                ]
            },
        }
        | ({"Changed": {"BOOL": True}} if label.changed else {})
    }


def _label(detection: Mapping[str, Any]) -> Label | None:
    """A label as it was stored, or None if a part of it is not as this module writes it."""

    def parts(name: str) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = fields.get(name, {"L": []})["L"]
        return found

    try:
        fields = detection["M"]
        confidence = percent(fields["Confidence"])
        if confidence is None:
            return None
        return Label(
            name=fields["Name"]["S"],
            confidence=confidence,
            parents=tuple(value["S"] for value in parts("Parents")),
            aliases=tuple(value["S"] for value in parts("Aliases")),
            categories=tuple(value["S"] for value in parts("Categories")),
            instances=tuple(_instance(value["M"]) for value in parts("Instances")),
            changed="Changed" in fields,
        )
    except KeyError:  # an attribute that is missing, or of another type
        return None


def _instance(box: Mapping[str, Any]) -> Instance:
    return Instance(
        left=float(box["Left"]["N"]),
        top=float(box["Top"]["N"]),
        width=float(box["Width"]["N"]),
        height=float(box["Height"]["N"]),
        confidence=float(box["Confidence"]["N"]),
    )


def _strings(values: tuple[str, ...]) -> Value:
    return {"L": [{"S": value} for value in values]}
