"""EfficientNet-Lite0: which of the 1,000 classes of ImageNet (ILSVRC 2012) a picture shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from image_labels_emulator.models.directory import CLASSIFIER
from image_labels_emulator.vision import models
from image_labels_emulator.vision.pictures import BICUBIC, channels_first, scaled

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CLASSES = 1000
_SIDE = 224
_MEAN, _SCALE = 127.0, 128.0


def classify(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The probability of each class, in ImageNet's order, shape (1000,); their sum is 1.

    The model sees all of `pixels`, squeezed into a square. Pass a part of the photo to have only that part classified.
    Raises ModelMissing.
    """
    picture = (scaled(pixels, _SIDE, _SIDE, BICUBIC) - _MEAN) / _SCALE
    (probabilities,) = models.session(CLASSIFIER).run(["probabilities"], {"input": channels_first(picture)})
    return cast("NDArray[np.float32]", probabilities[0])
