"""Faces that a test dictates, with the S3 object's metadata `faces` (header `x-amz-meta-faces`).

`Ada=99.9@0.1:0.2:0.3:0.4|Bob=98` is a face of Ada with this confidence in percent and this left, top, width and height
(ratios), and a face of Bob, whose place is chosen here. Faces of the same name are of the same person, in every photo.
An empty value means no faces. Any other value is refused with InvalidParameterException. Landmarks are where those of
an upright face are.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import numpy as np

from image_labels_emulator.rekognition.errors import RekognitionError
from image_labels_emulator.vision.faces import Face

if TYPE_CHECKING:
    from numpy.typing import NDArray

METADATA_KEY = "faces"
_NUMBER = r"\d+(?:\.\d+)?"
_ENTRY = re.compile(rf"(?P<name>[^=|]+)=(?P<confidence>{_NUMBER})(?:@(?P<box>{_NUMBER}(?::{_NUMBER}){{3}}))?")
# Of the box: eyes, nose, and the corners of the mouth.
_PLACES = ((0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8))


def from_metadata(text: str) -> list[tuple[Face, NDArray[np.float32]]]:
    """The faces, largest first, each with its embedding. Raises RekognitionError."""
    entries = [entry.strip() for entry in text.split("|") if entry.strip()]
    found = [_face(entry, number, len(entries)) for number, entry in enumerate(entries)]
    return sorted(found, key=lambda pair: -pair[0].width * pair[0].height)


def _face(entry: str, number: int, of: int) -> tuple[Face, NDArray[np.float32]]:
    match = _ENTRY.fullmatch(entry)
    name, confidence = (match["name"].strip(), float(match["confidence"])) if match else ("", 0.0)
    left, top, width, height = (
        tuple(map(float, match["box"].split(":"))) if match and match["box"] else (number / of, 0.1, 0.9 / of, 0.8)
    )
    inside = width > 0 and height > 0 and left + width <= 1 and top + height <= 1
    if not name or confidence > 100 or not inside:
        raise RekognitionError(
            "InvalidParameterException",
            f"x-amz-meta-{METADATA_KEY} has {entry!r}; expected Name=confidence (0 to 100) of a person, for example "
            "Ada=99.9|Bob=98 (Ada=99.9@0.1:0.2:0.3:0.4 has this left, top, width and height, inside 0 to 1)",
        )
    landmarks = tuple((left + x * width, top + y * height) for x, y in _PLACES)
    return Face(left, top, width, height, landmarks=landmarks, score=confidence / 100), _embedding(name)


def _embedding(name: str) -> NDArray[np.float32]:
    """A unit vector. Those of different names are about at right angles, which is farther than any person's faces."""
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8])
    vector = np.random.default_rng(seed).normal(size=128)
    return (vector / np.linalg.norm(vector)).astype(np.float32)
