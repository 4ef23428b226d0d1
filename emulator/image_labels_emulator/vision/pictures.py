"""Geometry that the models share: scaled pictures and overlapping boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

BILINEAR = Image.Resampling.BILINEAR
BICUBIC = Image.Resampling.BICUBIC


def scaled(pixels: NDArray[np.uint8], width: int, height: int, how: Image.Resampling) -> NDArray[np.float32]:
    """The whole picture in another size, without regard to its proportions: height x width x RGB, 0-255."""
    # Pillow first averages whole pixels, down to at least twice the size: the same picture in half of the time.
    return np.asarray(Image.fromarray(pixels).resize((width, height), how, reducing_gap=2.0), np.float32)


def channels_first(picture: NDArray[np.floating]) -> NDArray[np.float32]:
    """A batch of one, 1 x channels x rows x columns."""
    return np.ascontiguousarray(picture.transpose(2, 0, 1)[None], np.float32)


def strongest(boxes: NDArray[np.float32], scores: NDArray[np.float32], overlap: float) -> list[int]:
    """Non-maximum suppression: indices of boxes (n x 4: two opposite corners), best score first.

    A box is left out if it and a better one share at least `overlap` of their union.
    """
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    remaining = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while remaining.size:
        best, others = int(remaining[0]), remaining[1:]
        kept.append(best)
        low = np.maximum(boxes[best, :2], boxes[others, :2])
        high = np.minimum(boxes[best, 2:], boxes[others, 2:])
        shared = np.prod(np.clip(high - low, 0, None), axis=1)
        union = areas[best] + areas[others] - shared
        remaining = others[shared < overlap * np.maximum(union, np.finfo(np.float32).tiny)]
    return kept
