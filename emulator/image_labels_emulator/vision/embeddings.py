"""face-api's recognition network (dlib's ResNet): a vector for a face, near to those of the same person's faces."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
from PIL import Image

from image_labels_emulator.models.directory import EMBEDDINGS
from image_labels_emulator.vision import models
from image_labels_emulator.vision.pictures import BILINEAR, channels_first

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from image_labels_emulator.vision.faces import Face

SIZE = 128
_SIDE = 150
_MEAN = np.array([122.782, 117.001, 104.298], np.float32)
# Where the network expects the eyes and the corners of the mouth, and which of a face's landmarks these are.
_EXPECTED = np.array([[47.7, 47.1], [100.3, 47.1], [50.4, 103.5], [97.6, 103.5]])
_LANDMARKS = (0, 1, 3, 4)


def embed(pixels: NDArray[np.uint8], face: Face) -> NDArray[np.float32]:
    """The embedding of a face that `find_faces` found in the same pixels, shape (128,).

    The Euclidean distance between two embeddings is below about 0.5 if they are of the same person. Raises
    ModelMissing.
    """
    rows, columns = pixels.shape[:2]
    landmarks = np.array([face.landmarks[index] for index in _LANDMARKS]) * (columns, rows)
    picture = (_upright(pixels, landmarks) - _MEAN) / 255
    (embedding,) = models.session(EMBEDDINGS).run(["embedding"], {"input": channels_first(picture)})
    return cast("NDArray[np.float32]", embedding[0])


def _upright(pixels: NDArray[np.uint8], landmarks: NDArray[np.float64]) -> NDArray[np.float32]:
    """The face rotated, scaled and cut so that its landmarks are where the network expects them."""
    # The similarity transform from the small picture to the photo, by least squares.
    small, large = _EXPECTED.mean(axis=0), landmarks.mean(axis=0)
    source, target = _EXPECTED - small, landmarks - large
    spread = (source**2).sum()
    cosine = (source * target).sum() / spread
    sine = (source[:, 0] * target[:, 1] - source[:, 1] * target[:, 0]).sum() / spread
    rotation = np.array([[cosine, -sine], [sine, cosine]])
    shift = large - rotation @ small
    coefficients = (cosine, -sine, float(shift[0]), sine, cosine, float(shift[1]))
    picture = Image.fromarray(pixels).transform((_SIDE, _SIDE), Image.Transform.AFFINE, coefficients, resample=BILINEAR)
    return np.asarray(picture, np.float32)
