"""CenterFace: faces with boxes and five landmarks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from image_labels_emulator.models.directory import FACES
from image_labels_emulator.vision import models
from image_labels_emulator.vision.pictures import BILINEAR, channels_first, scaled, strongest

if TYPE_CHECKING:
    from numpy.typing import NDArray

_STEP = 32  # the network halves its input five times
_CELL = 4  # pixels of the input for each cell of the outputs
_OVERLAP = 0.3
_OUTPUTS = ["heatmap", "scale", "offset", "landmarks"]


@dataclass(frozen=True, slots=True)
class Face:
    """A face: its box and landmarks in ratios of the width and the height, and a score of 0 to 1.

    `landmarks` are (x, y) of the left eye, right eye, nose, left and right corner of the mouth, left and right as seen
    in the picture. A box ends at the edge of the picture; a landmark may be outside.
    """

    left: float
    top: float
    width: float
    height: float
    landmarks: tuple[tuple[float, float], ...]
    score: float


def find_faces(pixels: NDArray[np.uint8], at_least: float = 0.5, max_side: int = 640) -> list[Face]:
    """The faces with a score of `at_least`, largest first. Raises ModelMissing.

    The photo is scaled down to `max_side` pixels. The time is in proportion to the pixels, and faces of less than about
    10 of these pixels are not found.
    """
    rows, columns = pixels.shape[:2]
    scale = min(1.0, max_side / max(rows, columns))
    width, height = _in_steps(columns * scale), _in_steps(rows * scale)
    picture = channels_first(scaled(pixels, width, height, BILINEAR))
    heatmap, sizes, offsets, landmarks = models.session(FACES).run(_OUTPUTS, {"input": picture})
    score = heatmap[0, 0]
    y, x = np.nonzero(score >= at_least)
    # Everything below is (y, x): for each face that the heatmap has in a cell, in ratios of the picture.
    size = np.array([height, width])
    extent = np.exp(sizes[0][:, y, x].T) * _CELL / size
    centre = (np.stack([y, x], axis=1) + offsets[0][:, y, x].T + 0.5) * _CELL / size
    start = np.clip(centre - extent / 2, 0, 1)
    end = np.minimum(start + extent, 1)
    points = landmarks[0][:, y, x].T.reshape(-1, 5, 2) * extent[:, None] + start[:, None]
    boxes = np.concatenate([start, end], axis=1).astype(np.float32)
    found = [
        Face(
            left=float(start[kept, 1]),
            top=float(start[kept, 0]),
            width=float(end[kept, 1] - start[kept, 1]),
            height=float(end[kept, 0] - start[kept, 0]),
            landmarks=tuple((float(point[1]), float(point[0])) for point in points[kept]),
            score=float(score[y[kept], x[kept]]),
        )
        for kept in strongest(boxes, score[y, x], _OVERLAP)
    ]
    return sorted(found, key=lambda face: -face.width * face.height)


def _in_steps(side: float) -> int:
    return max(_STEP, math.ceil(side / _STEP) * _STEP)
