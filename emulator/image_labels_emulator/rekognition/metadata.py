"""Removes the metadata of a JPEG or PNG before its pixels are decoded, and reads a JPEG's orientation.

Pillow parses metadata before the pixels, and fails if the metadata is invalid. Here a photo is valid if its pixels can
be decoded, so Pillow gets only the data that the pixels need. Segments are found as in libjpeg (jdmarker.c): it skips
an unknown segment by its length, and then all bytes up to the next marker.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

JPEG_START, PNG_START = b"\xff\xd8", b"\x89PNG\r\n\x1a\n"
# Chunks that the pixels need. Transparency is not among them, because it does not affect Rekognition's labels.
_PNG_CHUNKS = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
_APP0, _APP1, _APP14, _APP15 = 0xE0, 0xE1, 0xEE, 0xEF
_COMMENT, _SCAN, _END = 0xFE, 0xDA, 0xD9
_WITHOUT_CONTENT = {0x01, *range(0xD0, 0xD9)}
# Segments that define the coding of colours, with the minimum length at which libjpeg uses them.
_COLOUR_SEGMENTS = {_APP0: (b"JFIF\0", 14), _APP14: (b"Adobe", 12)}
_ORIENTATION, _SHORT = 0x0112, 3


def pixels_only(data: bytes) -> bytes:
    """The photo without its metadata. Data that is neither JPEG nor PNG is returned unchanged."""
    if data.startswith(JPEG_START):
        return b"".join(_jpeg_pixels(data))
    if data.startswith(PNG_START):
        return b"".join(_png_pixels(data))
    return data


def jpeg_orientation(data: bytes) -> int:
    """The EXIF orientation of a JPEG, 1 to 8; 1 if it has none or an invalid one.

    As in browsers, the first EXIF segment applies, and in it the first entry that is a single number from 1 to 8.
    """
    for marker, content, _position in _segments(data):
        if marker == _APP1 and content.startswith(b"Exif\0"):
            return _tiff_orientation(content[6:])
    return 1


def _jpeg_pixels(data: bytes) -> Iterator[bytes]:
    yield JPEG_START
    for marker, content, position in _segments(data):
        if marker == _SCAN:
            yield data[position:]  # the rest unchanged, because only libjpeg parses scans
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
        if marker == 0:  # a misplaced byte of pixel data
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
        at += 2 + max(2, length)  # the length includes itself; libjpeg treats a smaller one as 2


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
