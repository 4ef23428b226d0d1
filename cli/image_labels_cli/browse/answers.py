"""Parts of the page's answers about a photo, as JSON: facts, labels, and lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from image_labels.detectors.text import Text
from image_labels.tables.items import findings_of, labels_of, whole

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    }


def labels(item: Mapping[str, Any]) -> list[Json]:
    """The labels, best first."""
    return [_label(label) for label in sorted(labels_of(item), key=lambda one: -one.confidence)]


def lines(item: Mapping[str, Any]) -> list[Json]:
    """The lines of text in the form of labels, which the page shows in the same way."""
    return [_line(line) for each in findings_of(item) if isinstance(each, Text) for line in each.lines]


def _label(label: Label) -> Json:
    return {
        "name": label.name,
        "confidence": label.confidence,
        "parents": label.parents,
        "aliases": label.aliases,
        "categories": label.categories,
        "boxes": [[box.left, box.top, box.width, box.height, box.confidence] for box in label.instances],
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
