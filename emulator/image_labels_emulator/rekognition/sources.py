"""Sources of a photo's labels. The first that applies is used.

1. The S3 object's metadata `labels` (header `x-amz-meta-labels`), for example `Dog=98.7,Traffic Light=91`. The number
   is the confidence in percent; `*` and a count add boxes (`Person=99*3`). An empty value means no labels. Any other
   value is refused with InvalidParameterException, whose message quotes the error.
2. The ONNX classifier, if one is set (see `onnx_classifier`).
3. The words of the file name: `traffic-light_01.jpg` is a Traffic Light, `two-dogs.jpg` a Dog (and a Two). A word that
   is not in the taxonomy becomes a label, except words shorter than three letters, cameras' file prefixes and a few
   function words. `0001.jpg` has no labels.

An image sent as bytes has neither metadata nor a name. Without a classifier it has no labels.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from image_labels_emulator.rekognition.errors import RekognitionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from image_labels_emulator.rekognition.image import Photo
    from image_labels_emulator.rekognition.taxonomy import Taxonomy

METADATA_KEY = "labels"
ABOUT = (
    "the S3 object's metadata x-amz-meta-labels (Dog=98.7,Traffic Light=91)",
    "the ONNX classifier named in REKOGNITION_EMULATOR_ONNX_MODEL, if any",
    "the words of the file name",
)
LOWEST, HIGHEST = 80.5, 99.9  # confidences of words: above the module's default minimum of 80
MAX_BOXES = 5000

_NO_LABELS = {"and", "dsc", "dscf", "dscn", "for", "from", "img", "mvimg", "pxl", "the", "vid", "with"}
_ENTRY = re.compile(r"(?P<name>[^=,]+)=(?P<confidence>\d+(?:\.\d+)?)(?:\*(?P<count>\d+))?")


@dataclass(frozen=True, slots=True)
class Found:
    """A label from a source. `confidence` is in percent, `count` the number of boxes if the label has boxes."""

    name: str
    confidence: float
    count: int = 1


Classifier = Callable[["Photo"], list[Found]]


def find_labels(
    photo: Photo,
    taxonomy: Taxonomy,
    *,
    metadata: Mapping[str, str] | None = None,
    key: str | None = None,
    classifier: Classifier | None = None,
) -> list[Found]:
    """The labels of a photo, without ancestors and duplicates. Raises RekognitionError for invalid metadata."""
    if metadata is not None and METADATA_KEY in metadata:
        found = from_metadata(metadata[METADATA_KEY])
    elif classifier is not None:
        found = classifier(photo)
    else:
        found = from_file_name(key or "", photo.digest, taxonomy)
    best: dict[str, Found] = {}
    for label in found:
        known = taxonomy.find(label.name)
        name = known.name if known else label.name
        if name not in best or label.confidence > best[name].confidence:
            best[name] = Found(name, label.confidence, label.count)
    return list(best.values())


def from_metadata(text: str) -> list[Found]:
    """`Dog=98.7,Person=99*3` as labels."""
    return [_entry(entry.strip()) for entry in text.split(",") if entry.strip()]


def from_file_name(key: str, digest: str, taxonomy: Taxonomy) -> list[Found]:
    """The words of the file name as labels, with confidences that depend only on word and image."""
    stem = key.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    words = re.findall(r"[^\W\d_]+", stem)
    names: dict[str, None] = {}
    while words:
        name, used = _longest_label(words, taxonomy)
        words = words[used:]
        if name:
            names[name] = None
    return [Found(name, _confidence(name, digest)) for name in names]


def _longest_label(words: list[str], taxonomy: Taxonomy) -> tuple[str | None, int]:
    for length in range(min(taxonomy.longest_term, len(words)), 0, -1):
        for term in _singulars(" ".join(words[:length])):
            if label := taxonomy.find(term):
                return label.name, length
    word = words[0]
    return (word.capitalize() if len(word) >= 3 and word.casefold() not in _NO_LABELS else None), 1


def _singulars(term: str) -> list[str]:
    """The term, and the words that it may be the plural of."""
    folded = term.casefold()
    candidates = [folded]
    for ending, instead in (("ies", "y"), ("ves", "f"), ("es", ""), ("s", "")):
        if folded.endswith(ending):
            candidates.append(folded.removesuffix(ending) + instead)
    return candidates


def _confidence(name: str, digest: str) -> float:
    number = int.from_bytes(hashlib.sha256(f"{name}\0{digest}".encode()).digest()[:8])
    return round(LOWEST + (HIGHEST - LOWEST) * number / 2**64, 5)


def _entry(entry: str) -> Found:
    match = _ENTRY.fullmatch(entry)
    if match is None or float(match["confidence"]) > 100 or int(match["count"] or 1) > MAX_BOXES:
        raise RekognitionError(
            "InvalidParameterException",
            f"x-amz-meta-labels: {entry!r} is not Name=confidence with a confidence from 0 to 100, "
            f"optionally followed by *boxes up to {MAX_BOXES} (for example Dog=98.7,Person=99*3)",
        )
    return Found(match["name"].strip(), float(match["confidence"]), int(match["count"] or 1))
