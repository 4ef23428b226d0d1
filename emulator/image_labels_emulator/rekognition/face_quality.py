"""QualityFilter: which faces are too poor to be indexed, compared or searched for, and why.

The service's quality bars are not published. The emulator's bars limit the confidence, brightness and sharpness of a
face, and the shorter side of its box in pixels. AUTO is LOW, which lets all but the poorest faces pass (Developer
Guide, "Adding faces to a collection"). The reasons EXTREME_POSE and LOW_FACE_QUALITY are never given, because no model
tells them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from image_labels_emulator.rekognition.face_details import Detected


@dataclass(frozen=True, slots=True)
class _Bar:
    confidence: float
    brightness: float
    sharpness: float
    side: float


_LOW = _Bar(confidence=60, brightness=10, sharpness=4, side=0)
_BARS = {
    "NONE": _Bar(0, 0, 0, 0),
    "LOW": _LOW,
    "AUTO": _LOW,
    "MEDIUM": _Bar(confidence=70, brightness=20, sharpness=8, side=60),
    "HIGH": _Bar(confidence=80, brightness=30, sharpness=16, side=100),
}


def reasons(face: Detected, quality_filter: str) -> list[str]:
    """Why the filter (NONE, AUTO, LOW, MEDIUM, HIGH) drops a face: values of Reason. Empty if it passes."""
    if face.dictated is not None:
        return []  # a test dictates a face that is good enough
    bar = _BARS[quality_filter]
    measured = (
        ("LOW_CONFIDENCE", face.confidence, bar.confidence),
        ("LOW_BRIGHTNESS", face.brightness, bar.brightness),
        ("LOW_SHARPNESS", face.sharpness, bar.sharpness),
        ("SMALL_BOUNDING_BOX", min(face.width, face.height), bar.side),
    )
    return [reason for reason, value, least in measured if value < least]
