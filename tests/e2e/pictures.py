"""Generated pictures."""

from __future__ import annotations

import io
import random

from PIL import Image


def jpeg(width: int = 120, height: int = 90, seed: int | None = None) -> bytes:
    """A JPEG of one color. Without a seed the color is random, so every file is different."""
    colour = random.Random(seed).randbytes(3)  # noqa: S311
    file = io.BytesIO()
    Image.new("RGB", (width, height), (colour[0], colour[1], colour[2])).save(file, "JPEG")
    return file.getvalue()
