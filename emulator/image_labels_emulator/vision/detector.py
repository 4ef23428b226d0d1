"""SSDLite-MobileNetV2: objects of COCO's 80 classes, with boxes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from image_labels_emulator.models.directory import DETECTOR
from image_labels_emulator.vision import models
from image_labels_emulator.vision.pictures import BILINEAR, scaled, strongest

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SIDE = 300
_OVERLAP = 0.5

# COCO's categories in the order of their numbers, which start at 1 and leave out ten.
_BY_NUMBER = {
    1: ["person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light"],
    11: ["fire hydrant"],
    13: ["stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear"],
    24: ["zebra", "giraffe"],
    27: ["backpack", "umbrella"],
    31: ["handbag", "tie", "suitcase", "frisbee", "skis", "snowboard", "sports ball", "kite", "baseball bat"],
    40: ["baseball glove", "skateboard", "surfboard", "tennis racket", "bottle"],
    46: ["wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple", "sandwich", "orange", "broccoli"],
    57: ["carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch", "potted plant", "bed"],
    67: ["dining table"],
    70: ["toilet"],
    72: ["tv", "laptop", "mouse", "remote", "keyboard", "cell phone", "microwave", "oven", "toaster", "sink"],
    82: ["refrigerator"],
    84: ["book", "clock", "vase", "scissors", "teddy bear", "hair drier", "toothbrush"],
}
_NAMES = {first + index: name for first, names in _BY_NUMBER.items() for index, name in enumerate(names)}
CLASSES = tuple(_NAMES.values())
_NUMBERS = np.array(list(_NAMES))


@dataclass(frozen=True, slots=True)
class DetectedObject:
    """An object: COCO's name of its class, a score of 0 to 1, and its box in ratios of the width and the height."""

    name: str
    score: float
    left: float
    top: float
    width: float
    height: float


def find_objects(pixels: NDArray[np.uint8], at_least: float = 0.3) -> list[DetectedObject]:
    """The objects with a score of `at_least`, best first. An object may appear under two classes.

    Raises ModelMissing.
    """
    picture = scaled(pixels, _SIDE, _SIDE, BILINEAR) / 127.5 - 1
    scores, corners = models.session(DETECTOR).run(["scores", "boxes"], {"input": picture[None]})
    # 1,917 anchors: scores of the numbers 1 to 90 for each; boxes as top, left, bottom, right.
    by_class = scores[0][:, _NUMBERS - 1]
    best = by_class.argmax(axis=1)
    score = by_class.max(axis=1)
    boxes = np.clip(corners[0].reshape(-1, 4), 0, 1)
    found = []
    for index in np.unique(best[score >= at_least]):
        candidates = np.flatnonzero((best == index) & (score >= at_least))
        for kept in strongest(boxes[candidates], score[candidates], _OVERLAP):
            top, left, bottom, right = map(float, boxes[candidates[kept]])
            found.append(
                DetectedObject(CLASSES[index], float(score[candidates[kept]]), left, top, right - left, bottom - top)
            )
    return sorted(found, key=lambda each: -each.score)
