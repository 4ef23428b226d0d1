"""The EXIF orientation of a PNG, which browsers obey and Rekognition does not.

The boxes of a PNG are those of its pixels as they are stored, while the browser shows it turned. A page cannot tell
the browser not to: for pictures of another origin, as the bucket is, CSS's `image-orientation: none` counts for
nothing (CSS Images 3). A JPEG is turned by both.

Read as Chromium reads it: the first eXIf chunk before the pixels, with a right checksum, and in it the first entry that
is one number from 1 to 8.
"""

from __future__ import annotations

import struct
import zlib
from typing import Protocol

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_ORIENTATION, _SHORT = 0x0112, 3
_PIECE = 65_536


class Readable(Protocol):
    """An object of S3 as it arrives."""

    def read(self, amt: int, /) -> bytes: ...


def png_orientation(photo: Readable) -> int:
    """1 to 8; 1 for a PNG without a legible one, and for what is no PNG. Reads no further than it needs to."""
    if photo.read(len(_SIGNATURE)) != _SIGNATURE:
        return 1
    while len(head := photo.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if kind == b"IDAT":
            break
        if kind == b"eXIf":
            content, checksum = photo.read(length), photo.read(4)
            return _orientation(content) if zlib.crc32(kind + content).to_bytes(4) == checksum else 1
        left = length + 4
        while left > 0 and (piece := photo.read(min(left, _PIECE))):
            left -= len(piece)
    return 1


def _orientation(tiff: bytes) -> int:
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return 1
    (at,) = struct.unpack_from(f"{order}I", tiff, 4)
    entries = int.from_bytes(tiff[at : at + 2], "little" if order == "<" else "big")
    for start in range(at + 2, min(at + 2 + 12 * entries, len(tiff) - 11), 12):
        tag, kind, count, value = struct.unpack_from(f"{order}HHIH", tiff, start)
        if (tag, kind, count) == (_ORIENTATION, _SHORT, 1) and 1 <= value <= 8:
            return int(value)
    return 1
