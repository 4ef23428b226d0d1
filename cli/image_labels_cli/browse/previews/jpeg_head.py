"""The start of a JPEG: its size in pixels, and the thumbnail that cameras embed in the EXIF data.

The thumbnail saves the download of the photo. It comes before the pixels, usually in the first 20 KB:
https://www.cipa.jp/std/documents/download_e.html?DC-008-Translation-2023-E (Exif 3.0, 4.5.4 and 4.5.8)
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from PIL import ExifTags, Image

_START = b"\xff\xd8"
_APP1, _EXIF = 0xE1, b"Exif\0\0"
# Start of frame, which has the size. C4, C8 and CC are other segments.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SCAN, _END = 0xDA, 0xD9
_OFFSET, _LENGTH = 0x0201, 0x0202
_ROOM = 1024  # read ahead, so that small segments need no request each


class TruncatedError(Exception):
    """The head ends too early. `needs` is the number of bytes from the start of the file to read instead."""

    def __init__(self, needs: int) -> None:
        super().__init__(f"{needs} bytes are needed")
        self.needs = needs


@dataclass(frozen=True)
class JpegHead:
    """Width and height in pixels as stored, EXIF data from the TIFF header on, and the embedded thumbnail, a JPEG.

    The data and the thumbnail are b"" if there are none.
    """

    width: int
    height: int
    tiff: bytes
    thumbnail: bytes


def is_jpeg(head: bytes) -> bool:
    return head.startswith(_START)


def read_head(head: bytes) -> JpegHead | None:
    """What the first bytes of a JPEG say; None if they are not as in a JPEG. Raises TruncatedError."""
    at, tiff = len(_START), b""
    while True:
        if at + 10 > len(head):
            raise TruncatedError(at + _ROOM)
        if head[at] != 0xFF:
            return None
        marker = head[at + 1]
        if marker == 0xFF:  # padding
            at += 1
            continue
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", head, at + 5)
            return JpegHead(width, height, tiff, _thumbnail(tiff)) if width and height else None
        if marker in (_SCAN, _END):
            return None
        end = at + 2 + int.from_bytes(head[at + 2 : at + 4])
        if marker == _APP1 and head[at + 4 : at + 10] == _EXIF and not tiff:
            if end > len(head):
                raise TruncatedError(end + _ROOM)
            tiff = head[at + 10 : end]
        at = end


def _thumbnail(tiff: bytes) -> bytes:
    exif = Image.Exif()
    try:
        exif.load(_EXIF + tiff)
        ifd = exif.get_ifd(ExifTags.IFD.IFD1)
        start, length = int(ifd.get(_OFFSET, 0)), int(ifd.get(_LENGTH, 0))
    except Exception:  # Pillow raises errors of many types for invalid EXIF data
        return b""
    found = tiff[start : start + length] if start > 0 and length > 0 else b""
    return found if len(found) == length and is_jpeg(found) else b""
