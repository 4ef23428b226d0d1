"""What the operations ask the models of `image_labels_emulator.vision`: functions, which tests replace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from image_labels_emulator.rekognition.sources import Seer


@dataclass(frozen=True, slots=True)
class Inference:
    """The functions that look at pixels. `see` gives the labels of a photo; None: no labels can be given."""

    see: Seer | None = None
