"""DetectText: lines, and the words of which the model tells where they are.

The object's metadata `text` (header `x-amz-meta-text`) dictates the lines of a test: `SPEED LIMIT=99.1|55=98`. The
number after the last "=" is the confidence in percent. `SPEED LIMIT=99.1@0.1:0.2:0.3:0.4` gives a line this left, top,
width and height (ratios). Lines without a place are one below the other, over the whole image. An empty value means no
text. Without this metadata, the model of the optional extra `text` reads the lines.

Words are children of their line (`ParentId`). A line of one word has a word with the same place. A line of several
words has words only if the model gives the place of each. Otherwise it has none, because a place computed from the
length of the words would be invented.

Filters (API reference, "DetectTextFilters", "DetectionFilter", "RegionOfInterest"): a word is dropped if its confidence
is below MinConfidence (80 percent by default), if its box is too low or too narrow, or if not more than half of it is
in a region of interest. A line without remaining words is dropped. A line whose words are not known is treated as a
word.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from image_labels_emulator.rekognition.errors import RekognitionError
from image_labels_emulator.rekognition.inference import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from image_labels_emulator.rekognition.calls import Call

    Polygon = tuple[tuple[float, float], ...]  # x and y of its corners, as ratios of width and height

MODEL_VERSION = "3.0"
MAX_WORDS = 100  # of an image: API reference, "DetectText"
DEFAULT_MIN_CONFIDENCE = 80.0
METADATA_KEY = "text"
_NUMBER = r"\d+(?:\.\d+)?"
_ENTRY = re.compile(rf"(?P<text>.+)=(?P<confidence>{_NUMBER})(?:@(?P<place>{_NUMBER}(?::{_NUMBER}){{3}}))?")
_SAMPLES = 20  # per side of a box, to tell how much of it is in a region


def detect_text(call: Call) -> dict[str, Any]:
    """The DetectTextResponse: all lines, then all words, numbered in this order."""
    filters = call.request.get("Filters") or {}
    regions = [_region(raw) for raw in filters.get("RegionsOfInterest") or []]
    photo, file = call.image()
    dictated = file.metadata.get(METADATA_KEY)
    read = call.inference.read_lines(photo.pixels) if dictated is None else _from_metadata(dictated)
    lines: list[Text] = []
    words: list[tuple[Text, int]] = []  # with the number of the line
    for line in read:
        kept = [word for word in line.words or (line,) if _passes(word, filters.get("WordFilter") or {}, regions)]
        if kept and len(words) < MAX_WORDS and len(lines) < MAX_WORDS:
            words += [(word, len(lines)) for word in kept if word is not line]
            lines.append(line)
    numbered = enumerate(words[:MAX_WORDS], start=len(lines))
    return {
        "TextDetections": [
            *(_detection(line, "LINE", number) for number, line in enumerate(lines)),
            *(_detection(word, "WORD", number) | {"ParentId": parent} for number, (word, parent) in numbered),
        ],
        "TextModelVersion": MODEL_VERSION,
    }


def _from_metadata(text: str) -> list[Text]:
    """`SPEED LIMIT=99.1|55=98` as lines. Raises RekognitionError: InvalidParameterException."""
    entries = [entry.strip() for entry in text.split("|") if entry.strip()]
    return [_line(entry, number, len(entries)) for number, entry in enumerate(entries)]


def _line(entry: str, number: int, count: int) -> Text:
    match = _ENTRY.fullmatch(entry)
    text, confidence = (match["text"].strip(), float(match["confidence"])) if match else ("", 0.0)
    place = (0.0, number / count, 1.0, 1 / count)
    if match and match["place"]:
        left, top, width, height = map(float, match["place"].split(":"))
        place = (left, top, width, height)
    left, top, width, height = place
    if not text or confidence > 100 or not (width and height and left + width <= 1 and top + height <= 1 + 1e-9):
        raise RekognitionError(
            "InvalidParameterException",
            f"x-amz-meta-{METADATA_KEY} has {entry!r}; expected text=confidence (0 to 100), for example STOP=99.1 "
            '(STOP=99.1@0.1:0.2:0.3:0.4 has this left, top, width and height, inside 0 to 1; "|" separates lines)',
        )
    polygon = ((left, top), (left + width, top), (left + width, top + height), (left, top + height))
    score = confidence / 100
    words = (Text(text, score, polygon),) if len(text.split()) == 1 else ()
    return Text(text, score, polygon, words)


def _detection(piece: Text, kind: str, number: int) -> dict[str, Any]:
    left, top, width, height = _box(piece)
    return {
        "DetectedText": piece.text,
        "Type": kind,
        "Id": number,
        "Confidence": piece.score * 100,
        "Geometry": {
            "BoundingBox": {"Width": width, "Height": height, "Left": left, "Top": top},
            "Polygon": [{"X": x, "Y": y} for x, y in piece.polygon],
        },
    }


def _box(piece: Text) -> tuple[float, float, float, float]:
    """Left, top, width and height."""
    xs, ys = zip(*piece.polygon, strict=True)
    return min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)


def _passes(piece: Text, word_filter: Mapping[str, Any], regions: list[Polygon]) -> bool:
    least = word_filter.get("MinConfidence")
    _left, _top, width, height = _box(piece)
    return (
        piece.score * 100 >= (DEFAULT_MIN_CONFIDENCE if least is None else least)
        and height >= (word_filter.get("MinBoundingBoxHeight") or 0)
        and width >= (word_filter.get("MinBoundingBoxWidth") or 0)
        and (not regions or any(_share_inside(piece, region) > 0.5 for region in regions))
    )


def _region(raw: Mapping[str, Any]) -> Polygon:
    """Raises RekognitionError: InvalidParameterException, unless the region has a whole box or a polygon of 3 to 10."""
    box, polygon = raw.get("BoundingBox"), raw.get("Polygon")
    corners: list[tuple[Any, Any]] = []
    if box and not polygon:
        left, top, width, height = (box.get(name) for name in ("Left", "Top", "Width", "Height"))
        if None not in (left, top, width, height):
            corners = [(left, top), (left + width, top), (left + width, top + height), (left, top + height)]
    elif polygon and not box and len(polygon) <= 10:
        corners = [(point.get("X"), point.get("Y")) for point in polygon]
    if len(corners) < 3 or any(None in corner for corner in corners):
        raise RekognitionError(
            "InvalidParameterException",
            reason="a region of interest has either a BoundingBox of four members or a Polygon of 3 to 10 points",
        )
    return tuple(corners)


def _share_inside(piece: Text, region: Polygon) -> float:
    """How much of a piece's polygon is in a region, 0 to 1, from sample points."""
    left, top, width, height = _box(piece)
    steps = (np.arange(_SAMPLES) + 0.5) / _SAMPLES
    x, y = (grid.ravel() for grid in np.meshgrid(left + steps * width, top + steps * height))
    own = _inside(x, y, piece.polygon)
    return float((own & _inside(x, y, region)).sum() / max(1, own.sum()))


def _inside(x: NDArray[np.float64], y: NDArray[np.float64], polygon: Polygon) -> NDArray[np.bool_]:
    """Which points are in a polygon: those from which a ray to the right crosses its edges an odd number of times."""
    inside = np.zeros(x.shape, dtype=bool)
    for (x1, y1), (x2, y2) in zip(polygon, (*polygon[1:], polygon[0]), strict=True):
        if y1 != y2:
            inside ^= ((y1 > y) != (y2 > y)) & (x < (x2 - x1) * (y - y1) / (y2 - y1) + x1)
    return inside
