"""What surrounds the pixels of a JPEG or PNG: left out before the pixels are decoded, but for a JPEG's orientation.

Pillow reads metadata on its way to the pixels and gives the photo up if it cannot. Pixels that decode are a photo, so
Pillow gets to see only what the pixels need. Segments are found as libjpeg finds them (jdmarker.c): it skips what it
does not know by the length that a segment gives, then whatever is not the beginning of a marker.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

JPEG_START, PNG_START = b"\xff\xd8", b"\x89PNG\r\n\x1a\n"
# Chunks without which there are no pixels. Transparency is not among them: Rekognition's labels know no background.
_PNG_CHUNKS = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
_APP0, _APP1, _APP14, _APP15 = 0xE0, 0xE1, 0xEE, 0xEF
_COMMENT, _SCAN, _END = 0xFE, 0xDA, 0xD9
_WITHOUT_CONTENT = {0x01, *range(0xD0, 0xD9)}
# What says how the colours are coded, and how many bytes of it libjpeg wants to see before it heeds it.
_COLOUR_SEGMENTS = {_APP0: (b"JFIF\0", 14), _APP14: (b"Adobe", 12)}
_ORIENTATION, _SHORT = 0x0112, 3


def pixels_only(data: bytes) -> bytes:
    """The same photo without its metadata; what is neither a JPEG nor a PNG comes back as it is."""
    if data.startswith(JPEG_START):
        return b"".join(_jpeg_pixels(data))
    if data.startswith(PNG_START):
        return b"".join(_png_pixels(data))
    return data


def jpeg_orientation(data: bytes) -> int:
    """The EXIF orientation of a JPEG, 1 to 8; 1 if it has none that can be read.

    As browsers have it: the first EXIF segment counts, and in it the first entry that is one number from 1 to 8.
    """
    for marker, content, _position in _segments(data):
        if marker == _APP1 and content.startswith(b"Exif\0"):
            return _tiff_orientation(content[6:])
    return 1


def _jpeg_pixels(data: bytes) -> Iterator[bytes]:
    yield JPEG_START
    for marker, content, position in _segments(data):
        if marker == _SCAN:
            yield data[position:]  # with all that follows: from here on only libjpeg reads
            return
        if _is_for_pixels(marker, content):
            yield data[position : position + 4] + content if marker not in _WITHOUT_CONTENT else bytes((0xFF, marker))


def _is_for_pixels(marker: int, content: bytes) -> bool:
    if marker in _COLOUR_SEGMENTS:
        start, least = _COLOUR_SEGMENTS[marker]
        return content.startswith(start) and len(content) >= least
    return not (_APP0 <= marker <= _APP15 or marker == _COMMENT)


def _segments(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Marker, content and position of each segment of a JPEG, up to its first scan or its end."""
    at = len(JPEG_START)
    while (at := data.find(b"\xff", at)) >= 0:
        while data[at + 1 : at + 2] == b"\xff":  # fill bytes
            at += 1
        if len(data) < at + 2:
            return
        marker = data[at + 1]
        if marker == 0:  # a byte of pixels out of place
            at += 2
            continue
        if marker in _WITHOUT_CONTENT:
            yield marker, b"", at
            at += 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4])
        yield marker, data[at + 4 : at + 2 + max(2, length)], at
        if marker in (_SCAN, _END):
            return
        at += 2 + max(2, length)  # the length counts itself; libjpeg takes a smaller one for that


def _png_pixels(data: bytes) -> Iterator[bytes]:
    yield PNG_START
    at = len(PNG_START)
    while at + 8 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4])
        if data[at + 4 : at + 8] in _PNG_CHUNKS:
            yield data[at:end]
        at = end


def _tiff_orientation(tiff: bytes) -> int:
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
