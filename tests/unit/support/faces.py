"""Pictures of faces, and a model that finds and compares them.

A face is a square of a colour on grey noise. The model finds every colour that is not grey. The distance of two faces
is that of their colours, so two shades are two faces of the same person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from image_labels_emulator.rekognition.inference import Inference
from image_labels_emulator.vision.faces import Face
from PIL import Image
from support.rekognition_model import encode

if TYPE_CHECKING:
    from numpy.typing import NDArray

Colour = tuple[int, int, int]

ADA: Colour = (220, 30, 30)
ADA_LATER: Colour = (220, 60, 40)  # distance .12 from Ada
COUSIN: Colour = (220, 165, 30)  # .53
BOB: Colour = (30, 30, 220)  # 1.05
SCORE = 0.99


def portrait(*people: Colour, width: int = 600, side: int = 120, blurred: bool = False) -> bytes:
    """A PNG with a face of each colour, from the left to the right, each 10 pixels smaller than the one before."""
    pixels = np.random.default_rng(1).integers(0, 256, (300, width, 1), dtype=np.uint8).repeat(3, axis=2)
    for number, colour in enumerate(people):
        size = side - 10 * number
        left = 10 + number * (side + 10)
        square = np.full((size, size, 3), colour, np.uint8)
        if not blurred:
            square[::4] = 0  # stripes: black, which is grey, too
            square[0] = colour
        pixels[20 : 20 + size, left : left + size] = square
    return encode(Image.fromarray(pixels))


def find_faces(pixels: NDArray[np.uint8]) -> list[Face]:
    rows, columns = pixels.shape[:2]
    coloured = np.ptp(pixels, axis=2) > 60
    found = []
    for colour in np.unique(pixels[coloured], axis=0):
        ys, xs = np.nonzero((pixels == colour).all(axis=2))
        left, top, width, height = xs.min(), ys.min(), np.ptp(xs) + 1, np.ptp(ys) + 1
        points = ((0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8))
        found.append(
            Face(
                left=float(left / columns),
                top=float(top / rows),
                width=float(width / columns),
                height=float(height / rows),
                landmarks=tuple(
                    (float((left + x * width) / columns), float((top + y * height) / rows)) for x, y in points
                ),
                score=SCORE,
            )
        )
    return sorted(found, key=lambda face: -face.width * face.height)


def embed(pixels: NDArray[np.uint8], face: Face) -> NDArray[np.float32]:
    rows, columns = pixels.shape[:2]
    colour = pixels[round(face.top * rows), round(face.left * columns)]
    embedding = np.zeros(128, np.float32)
    embedding[:3] = colour / 255
    return embedding


MODELS = Inference(find_faces=find_faces, embed=embed)
