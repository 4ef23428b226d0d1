"""Yahoo's open_nsfw: how likely a picture shows nudity or sex. It tells nothing of violence or drugs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from image_labels_emulator.models.directory import EXPLICIT
from image_labels_emulator.vision import models
from image_labels_emulator.vision.pictures import BILINEAR, scaled

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SIDE, _MARGIN = 224, 16
_MEAN = np.array([104, 117, 123], np.float32)  # blue, green, red


def score(pixels: NDArray[np.uint8]) -> float:
    """0 (harmless) to 1 (explicit). Raises ModelMissing."""
    whole = scaled(pixels, _SIDE + 2 * _MARGIN, _SIDE + 2 * _MARGIN, BILINEAR)
    middle = whole[_MARGIN : _MARGIN + _SIDE, _MARGIN : _MARGIN + _SIDE, ::-1] - _MEAN
    (probabilities,) = models.session(EXPLICIT).run(["probabilities"], {"input": np.ascontiguousarray(middle[None])})
    return float(probabilities[0, 1])
