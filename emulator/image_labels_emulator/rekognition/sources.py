"""Sources of a photo's labels. The first that applies is used.

1. The S3 object's metadata `labels` (header `x-amz-meta-labels`), with which a test dictates the answer:
   `Dog=98.7,Traffic Light=91`. The number is the confidence in percent. `Person=99*3` adds three boxes side by side,
   `Dog=98.7@0.1:0.2:0.3:0.4` a box with this left, top, width and height (ratios; more boxes with more `@`). An empty
   value means no labels. Any other value is refused with InvalidParameterException, whose message quotes the error.
2. The models of `image_labels_emulator.vision`, which look at the pixels.

Without metadata and without models the emulator has no answer, so the call fails with InternalServerError.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from image_labels_emulator.rekognition.errors import RekognitionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from image_labels_emulator.rekognition.image import Photo
    from image_labels_emulator.rekognition.taxonomy import Taxonomy

METADATA_KEY = "labels"
NO_MODELS = "no models: install them with python -m image_labels_emulator.models"
MAX_BOXES = 5000

_NUMBER = r"\d+(?:\.\d+)?"
_ENTRY = re.compile(
    rf"(?P<name>[^=,]+)=(?P<confidence>{_NUMBER})(?:\*(?P<count>\d+)|(?P<boxes>(?:@{_NUMBER}(?::{_NUMBER}){{3}})*))"
)


@dataclass(frozen=True, slots=True)
class Box:
    """Where a label is: ratios of the image's width and height, and a confidence in percent."""

    left: float
    top: float
    width: float
    height: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Found:
    """A label from a source, with its confidence in percent and the boxes that the source gives."""

    name: str
    confidence: float
    boxes: tuple[Box, ...] = ()


Seer = Callable[["Photo"], list[Found]]


def about(models: Sequence[str]) -> list[str]:
    """The sources; `models` are the titles of the installed models."""
    seen = f"models that look at the photo ({', '.join(models)})" if models else NO_MODELS
    return ["the S3 object's metadata x-amz-meta-labels (Dog=98.7,Traffic Light=91)", seen]


def find_labels(
    photo: Photo, taxonomy: Taxonomy, *, see: Seer, metadata: Mapping[str, str] | None = None
) -> list[Found]:
    """The labels of a photo, each once, without those that only the taxonomy implies.

    Raises RekognitionError for invalid metadata, and what `see` raises if it has no models.
    """
    if metadata is not None and METADATA_KEY in metadata:
        return _merged(from_metadata(metadata[METADATA_KEY]), taxonomy)
    return _merged(see(photo), taxonomy)


def from_metadata(text: str) -> list[Found]:
    """`Dog=98.7,Person=99*3` as labels."""
    return [_entry(entry.strip()) for entry in text.split(",") if entry.strip()]


def _merged(found: Iterable[Found], taxonomy: Taxonomy) -> list[Found]:
    """The most certain of each label; an alias becomes its label."""
    best: dict[str, Found] = {}
    for label in found:
        known = taxonomy.find(label.name)
        name = known.name if known else label.name
        if name not in best or label.confidence > best[name].confidence:
            best[name] = replace(label, name=name)
    return list(best.values())


def _entry(entry: str) -> Found:
    match = _ENTRY.fullmatch(entry)
    name = match["name"].strip() if match else ""
    confidence = float(match["confidence"]) if match else 0.0
    count = int(match["count"] or 0) if match else 0
    given = [tuple(map(float, box.split(":"))) for box in (match["boxes"] or "").split("@")[1:]] if match else []
    inside = all(width and height and left + width <= 1 and top + height <= 1 for left, top, width, height in given)
    if not name or confidence > 100 or count > MAX_BOXES or not inside:
        raise RekognitionError(
            "InvalidParameterException",
            f"x-amz-meta-{METADATA_KEY} has {entry!r}; expected Name=confidence (0 to 100), for example Dog=98.7 "
            f"(Person=99*3 adds three boxes, at most {MAX_BOXES}; Dog=98.7@0.1:0.2:0.3:0.4 a box with this left, top, "
            "width and height, inside 0 to 1)",
        )
    boxes = [Box(left, top, width, height, confidence) for left, top, width, height in given]
    return Found(name, confidence, tuple(boxes or _side_by_side(count, confidence)))


def _side_by_side(count: int, confidence: float) -> list[Box]:
    """Boxes of one size in rows and columns, as far as possible as many of the one as of the other."""
    columns = math.ceil(math.sqrt(count))
    width = 1 / columns if columns else 1.0
    return [
        Box(round(column * width, 6), round(row * width, 6), round(width * 0.9, 6), round(width * 0.9, 6), confidence)
        for row, column in (divmod(number, columns) for number in range(count))
    ]
