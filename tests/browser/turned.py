"""Photos with an EXIF orientation: a red brick on blue, and its box as Rekognition returns it.

Rekognition rotates a JPEG by its EXIF orientation before it detects labels, and does not rotate a PNG.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageOps

ORIENTATION = 0x0112
FORMATS = ("jpg", "png")


@dataclass(frozen=True)
class TurnedPhoto:
    """A photo of one format with one orientation."""

    suffix: str
    orientation: int

    @property
    def key(self) -> str:
        return f"turned/{self.suffix}/{self.orientation}.{self.suffix}"

    @property
    def content_type(self) -> str:
        return "image/png" if self.suffix == "png" else "image/jpeg"

    def body(self) -> bytes:
        stored = Image.new("RGB", (480, 320), (20, 60, 200))
        ImageDraw.Draw(stored).rectangle((48, 32, 191, 111), (230, 20, 20))  # asymmetric, so every orientation differs
        exif = Image.Exif()
        exif[ORIENTATION] = self.orientation
        file = io.BytesIO()
        if self.suffix == "png":
            stored.save(file, "PNG", exif=exif)
        else:
            stored.save(file, "JPEG", exif=exif, quality=95, subsampling=0)
        return file.getvalue()

    def box(self) -> tuple[float, float, float, float]:
        """Left, top, width and height of the brick, as ratios of the photo as Rekognition sees it."""
        photo: Image.Image = Image.open(io.BytesIO(self.body()))
        if self.suffix == "jpg":
            photo = ImageOps.exif_transpose(photo)
        left, top, right, bottom = brick(photo)
        return left / photo.width, top / photo.height, (right - left) / photo.width, (bottom - top) / photo.height


TURNED = [TurnedPhoto(suffix, orientation) for suffix in FORMATS for orientation in range(1, 9)]


def brick(picture: Image.Image) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the red area of a picture, in pixels."""
    pixels = np.asarray(picture.convert("RGB")).astype(int)
    red = (pixels[..., 0] > 170) & (pixels[..., 1] < 90) & (pixels[..., 2] < 90)
    assert red.any(), "the picture has no red pixels"
    rows, columns = np.flatnonzero(red.any(axis=1)), np.flatnonzero(red.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
