"""JPEG and PNG files with invalid metadata: segments, chunks and EXIF, written byte by byte."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

ORIENTATION = 0x0112
SHORT = 3


@dataclass(frozen=True)
class Entry:
    """An entry of a TIFF directory. `value` has at most four bytes, or is the offset of the value."""

    tag: int
    kind: int
    count: int
    value: bytes


def orientation(value: int, order: str = "<") -> Entry:
    return Entry(ORIENTATION, SHORT, 1, struct.pack(f"{order}HH", value, 0))


def tiff(*entries: Entry, order: str = "<", tail: bytes = b"") -> bytes:
    """The TIFF data of EXIF: one directory, followed by `tail`."""
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}IH", 8, len(entries))
    packed = [struct.pack(f"{order}HHI", e.tag, e.kind, e.count) + e.value.ljust(4, b"\0") for e in entries]
    return head + b"".join(packed) + bytes(4) + tail


def turned_with(entry: Entry, number: int = 6, tail: bytes = b"") -> bytes:
    """EXIF of a rotated photo, with an additional entry out of order."""
    return tiff(entry, orientation(number), tail=tail)


def after_directory(entries: int) -> int:
    """The offset of the tail of a TIFF with this number of entries."""
    return 8 + 2 + 12 * entries + 4


def segment(marker: int, content: bytes, length: int | None = None) -> bytes:
    """A segment of a JPEG; `length` may be wrong."""
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2 if length is None else length) + content


def exif_segment(content: bytes) -> bytes:
    return segment(0xE1, b"Exif\0\0" + content)


def jpeg_with(photo: bytes, *segments: bytes) -> bytes:
    """A JPEG with additional segments after its start."""
    return photo[:2] + b"".join(segments) + photo[2:]


def chunk(kind: bytes, content: bytes, *, good: bool = True) -> bytes:
    """A chunk of a PNG, with a valid or invalid checksum."""
    crc = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", crc if good else crc ^ 1)


def png_with(photo: bytes, *chunks: bytes) -> bytes:
    """A PNG with chunks before its pixels (and its palette)."""
    after_header = 8 + 12 + 13
    return photo[:after_header] + b"".join(chunks) + photo[after_header:]
