"""Faces in an item: `Faces`, a list of a box, Confidence (N, percent), Attributes (M), FaceId (S) and Reasons (L of S).

The box is Left, Top, Width and Height (N), as ratios of the photo's width and height. Attributes has members of
Rekognition's FaceDetail. `Call` (S) is the ExternalImageId of the faces in the collection.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from image_labels.detectors.faces import NAME, Face, Faces
from image_labels.tables.items import BOX_DIGITS, percent
from image_labels.tables.rows import Value, decimal
from image_labels.tables.terms import DIGITS

# https://docs.aws.amazon.com/rekognition/latest/APIReference/API_Face.html
_FACE_ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

__all__ = ["NAME", "read", "scalars", "write"]


def write(finding: Faces) -> dict[str, list[Value]]:
    """See image_labels.tables.findings.Form."""
    return {"Faces": [_entry(face) for face in finding.faces]}


def scalars(finding: Faces) -> dict[str, Value]:
    """See image_labels.tables.findings.Form."""
    return {"Call": {"S": finding.call}} if finding.call else {}


def read(fields: Mapping[str, Any], common: dict[str, Any]) -> Faces:
    """See image_labels.tables.findings.Form."""
    faces = tuple(_face(entry["M"]) for entry in fields.get("Faces", {"L": []})["L"])
    return Faces(**common, faces=faces, call=fields.get("Call", {"S": ""})["S"])


def _entry(face: Face) -> Value:
    entry = {
        "Left": decimal(face.left, BOX_DIGITS),
        "Top": decimal(face.top, BOX_DIGITS),
        "Width": decimal(face.width, BOX_DIGITS),
        "Height": decimal(face.height, BOX_DIGITS),
        "Confidence": decimal(face.confidence, DIGITS),
    }
    if face.attributes:
        entry["Attributes"] = _stored(face.attributes)
    if face.face_id:
        entry["FaceId"] = {"S": face.face_id}
    if face.reasons:
        entry["Reasons"] = {"L": [{"S": reason} for reason in face.reasons]}
    return {"M": entry}


def _face(entry: Mapping[str, Any]) -> Face:
    confidence = percent(entry["Confidence"])
    if confidence is None:
        raise ValueError("a confidence is from 0 to 100")
    left, top, width, height = (float(entry[side]["N"]) for side in ("Left", "Top", "Width", "Height"))
    attributes = _plain(entry["Attributes"]) if "Attributes" in entry else {}
    if not isinstance(attributes, dict):
        raise ValueError("attributes are a map")
    face_id = entry.get("FaceId", {"S": ""})["S"]
    if face_id and not _FACE_ID.fullmatch(face_id):
        raise ValueError("a face ID is a UUID")
    return Face(
        left,
        top,
        width,
        height,
        confidence,
        attributes,
        face_id=face_id,
        reasons=tuple(reason["S"] for reason in entry.get("Reasons", {"L": []})["L"]),
    )


def _stored(value: Any) -> Value:
    """Plain JSON in DynamoDB's form."""
    match value:
        case bool():
            return {"BOOL": value}
        case float() | int():
            return decimal(value, DIGITS)
        case str():
            return {"S": value}
        case Mapping():
            return {"M": {name: _stored(each) for name, each in value.items()}}
        case _:
            return {"L": [_stored(each) for each in value]}


def _plain(value: Mapping[str, Any]) -> Any:
    """Raises KeyError, TypeError or ValueError for what `_stored` does not write."""
    ((kind, content),) = value.items()
    match kind:
        case "BOOL" | "S":
            return content
        case "N":
            return float(content)
        case "M":
            return {name: _plain(each) for name, each in content.items()}
        case "L":
            return [_plain(each) for each in content]
        case _:
            raise ValueError(f"{kind} is not a type of an attribute")
