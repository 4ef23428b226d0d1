"""Photos as cameras write them: JPEGs of several megabytes with an EXIF orientation and an embedded thumbnail."""

from __future__ import annotations

import io
import struct

import numpy as np
from PIL import Image

THUMBNAIL = (160, 120)  # the size that the standard DCF requires
DETAIL = 6
_SHORT, _LONG = 3, 4


def scene(width: int, height: int, seed: int = 0) -> Image.Image:
    """A reproducible picture with areas, edges, and detail of all sizes, about as compressible as a photo."""
    random = np.random.default_rng(seed)
    across, down = np.meshgrid(np.linspace(0, 6, width), np.linspace(0, 6, height))
    waves = [np.sin(across * a + down * b + c) for a, b, c in random.uniform(-2, 2, (3, 3))]
    picture = np.stack([wave * 70 + 128 for wave in waves], axis=-1)
    for _ in range(12):
        left, top = random.integers(0, width), random.integers(0, height)
        right, bottom = left + random.integers(1, width // 3 + 2), top + random.integers(1, height // 3 + 2)
        picture[top:bottom, left:right] += random.uniform(-60, 60, 3)
    for divisor in (1, 2, 4, 8, 16, 32):  # as much contrast at each size, as in nature
        detail = random.normal(0, DETAIL, (height // divisor + 1, width // divisor + 1)).astype(np.float32)
        picture += np.asarray(Image.fromarray(detail).resize((width, height), Image.Resampling.BICUBIC))[..., None]
    return Image.fromarray(picture.clip(0, 255).astype(np.uint8))


def jpeg(picture: Image.Image, size: int = 0, *, exif: bytes = b"", quality: int = 85) -> bytes:
    """A JPEG of `size` bytes, or of its own size if `size` is smaller. Decoders ignore the bytes after its end."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality, exif=exif)
    return file.getvalue().ljust(size, b"\0")


def exif_of(thumbnail: Image.Image | None, orientation: int = 1, *, room: int = 0) -> bytes:
    """EXIF data with an orientation and a thumbnail, behind `room` bytes such as a camera's maker notes."""
    body = jpeg(thumbnail) if thumbnail else b""
    main = struct.pack("<HHHIHH", 1, 0x0112, _SHORT, 1, orientation, 0)
    first = 8 + len(main) + 4
    embedded = first + 2 + 3 * 12 + 4 + room
    if not thumbnail:
        return b"Exif\0\0" + struct.pack("<2sHI", b"II", 42, 8) + main + struct.pack("<I", 0)
    other = struct.pack("<H", 3) + b"".join(
        (
            struct.pack("<HHIHH", 0x0103, _SHORT, 1, 6, 0),
            struct.pack("<HHII", 0x0201, _LONG, 1, embedded),
            struct.pack("<HHII", 0x0202, _LONG, 1, len(body)),
        )
    )
    tables = main + struct.pack("<I", first) + other + struct.pack("<I", 0)
    return b"Exif\0\0" + struct.pack("<2sHI", b"II", 42, 8) + tables + bytes(room) + body


def camera_photo(seed: int, size: int = 4_000_000, *, thumbnail: bool = True) -> bytes:
    """A photo of 12 megapixels and `size` bytes with a thumbnail."""
    picture = scene(4000, 3000, seed)
    small = picture.resize(THUMBNAIL) if thumbnail else None
    return jpeg(picture, size, exif=exif_of(small))
