"""Parts of the page's answers about a photo, as JSON: facts, labels, lines of text, and faces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from image_labels.detectors.faces import Faces
from image_labels.detectors.text import Text
from image_labels.tables.items import findings_of, labels_of, whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from image_labels.detectors.faces import Face
    from image_labels.detectors.text import Line
    from image_labels.model import Label

    Json = dict[str, Any]


def facts(item: Mapping[str, Any]) -> Json:
    """What an item says about the photo as a whole."""
    return {
        "reason": item.get("Reason", {}).get("S"),
        "size": whole(item.get("Size", {})),
        "labelledAt": item.get("LabelledAt", {}).get("S"),
        "model": item.get("LabelModelVersion", {}).get("S"),
        # What was labelled, and whether searches find all labels of it.
        "etag": item.get("ETag", {}).get("S"),
        "versionId": item.get("VersionId", {}).get("S"),
        "searchable": "Rows" in item,
    }


def labels(item: Mapping[str, Any]) -> list[Json]:
    """The labels, best first."""
    return [_label(label) for label in sorted(labels_of(item), key=lambda one: -one.confidence)]


def lines(item: Mapping[str, Any]) -> list[Json]:
    """The lines of text in the form of labels, which the page shows in the same way."""
    return [_line(line) for each in findings_of(item) if isinstance(each, Text) for line in each.lines]


def faces(item: Mapping[str, Any]) -> list[Json]:
    """The faces in the form of labels. `face` is the number of a face that photos can be found by, or else None."""
    found = (face for each in findings_of(item) if isinstance(each, Faces) for face in each.faces)
    return [_face(number, face) for number, face in enumerate(found, 1)]


def _label(label: Label) -> Json:
    return {
        "name": label.name,
        "confidence": label.confidence,
        "parents": label.parents,
        "aliases": label.aliases,
        "categories": label.categories,
        "boxes": [[box.left, box.top, box.width, box.height, box.confidence] for box in label.instances],
    }


def _face(number: int, face: Face) -> Json:
    return {
        "name": f"Face {number}",
        "confidence": face.confidence,
        "parents": (),
        "aliases": (),
        "categories": face.reasons,
        "boxes": [[face.left, face.top, face.width, face.height, face.confidence]],
        "face": number if face.face_id else None,
    }


def _line(line: Line) -> Json:
    return {
        "name": line.text,
        "confidence": line.confidence,
        "parents": (),
        "aliases": (),
        "categories": (),
        "boxes": [[line.left, line.top, line.width, line.height, line.confidence]],
    }
