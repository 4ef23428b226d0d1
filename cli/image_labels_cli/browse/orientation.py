"""The EXIF orientation of a PNG, which browsers apply and Rekognition ignores.

Rekognition's boxes of a PNG refer to the pixels as stored, but the browser rotates the picture. A page cannot prevent
that: browsers ignore CSS's `image-orientation: none` for images of another origin, such as the bucket (CSS Images 3).
For a JPEG, both apply the orientation.

This module reads the orientation as Chromium does: from the first eXIf chunk before the pixels, if its checksum is
correct, and there from the first orientation entry that is one number from 1 to 8.
"""

from __future__ import annotations

import struct
import zlib
from typing import Protocol

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_ORIENTATION, _SHORT = 0x0112, 3
_PIECE = 65_536


class Readable(Protocol):
    """The streaming body of an S3 object."""

    def read(self, amt: int, /) -> bytes: ...


def png_orientation(photo: Readable) -> int:
    """The orientation, 1 to 8. It is 1 without a valid orientation and for other formats. Reads only what it needs."""
    if photo.read(len(_SIGNATURE)) != _SIGNATURE:
        return 1
    while len(head := photo.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if kind == b"IDAT":
            break
        if kind == b"eXIf":
            content, checksum = photo.read(length), photo.read(4)
            return tiff_orientation(content) if zlib.crc32(kind + content).to_bytes(4) == checksum else 1
        left = length + 4
        while left > 0 and (piece := photo.read(min(left, _PIECE))):
            left -= len(piece)
    return 1


def tiff_orientation(tiff: bytes) -> int:
    """The orientation in EXIF data from the TIFF header on; 1 without a valid one."""
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
