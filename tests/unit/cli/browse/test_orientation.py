"""Reads the orientation of a PNG as browsers do, from the start of the file."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_labels_cli.browse.orientation import png_orientation
from support.metadata_files import Entry, chunk, exif_segment, jpeg_with, orientation, png_with, tiff
from support.rekognition_model import picture

PNG = picture(200, 100, "PNG")
SIX, THREE = tiff(orientation(6)), tiff(orientation(3))
# The orientation that Chromium 156 applies. tests/browser shows that the boxes follow it.
CHUNKS = {
    "little-endian": ([chunk(b"eXIf", SIX)], 6),
    "big-endian": ([chunk(b"eXIf", tiff(orientation(6, ">"), order=">"))], 6),
    "after a long text": ([chunk(b"tEXt", b"Comment\0" + b"x" * 3_000_000), chunk(b"eXIf", SIX)], 6),
    "two chunks": ([chunk(b"eXIf", SIX), chunk(b"eXIf", THREE)], 6),
    "two entries": ([chunk(b"eXIf", tiff(orientation(6), orientation(3)))], 6),
    "9, then 6": ([chunk(b"eXIf", tiff(orientation(9), orientation(6)))], 6),
    "no next directory": ([chunk(b"eXIf", SIX[:-4])], 6),
    "after an entry with an invalid offset": ([chunk(b"eXIf", tiff(Entry(0x0131, 5, 1, b"\xff"), orientation(6)))], 6),
    "none": ([], 1),
    "0": ([chunk(b"eXIf", tiff(orientation(0)))], 1),
    "9": ([chunk(b"eXIf", tiff(orientation(9)))], 1),
    "LONG": ([chunk(b"eXIf", tiff(Entry(0x0112, 4, 1, b"\6")))], 1),
    "two numbers": ([chunk(b"eXIf", tiff(Entry(0x0112, 3, 2, b"\6")))], 1),
    "text": ([chunk(b"eXIf", tiff(Entry(0x0112, 2, 2, b"6")))], 1),
    "wrong checksum": ([chunk(b"eXIf", SIX, good=False)], 1),
    "as in a JPEG": ([chunk(b"eXIf", b"Exif\0\0" + SIX)], 1),
    "not TIFF": ([chunk(b"eXIf", b"no TIFF")], 1),
    "empty": ([chunk(b"eXIf", b"")], 1),
}


@pytest.mark.parametrize("name", CHUNKS)
def test_orientation_is_the_one_that_browsers_apply(name: str) -> None:
    chunks, expected = CHUNKS[name]
    assert png_orientation(io.BytesIO(png_with(PNG, *chunks))) == expected


@pytest.mark.parametrize("number", range(1, 9))
def test_every_orientation_is_read(number: int) -> None:
    assert png_orientation(io.BytesIO(png_with(PNG, chunk(b"eXIf", tiff(orientation(number)))))) == number


def test_orientation_after_the_pixels_is_ignored() -> None:
    photo = io.BytesIO(PNG[:-12] + chunk(b"eXIf", SIX) + PNG[-12:])
    assert png_orientation(photo) == 1
    assert photo.tell() < 100


@pytest.mark.parametrize("data", [b"", b"hello", jpeg_with(picture(), exif_segment(SIX)), PNG[:8], PNG[:20]])
def test_other_files_have_no_orientation(data: bytes) -> None:
    photo = io.BytesIO(data)
    assert png_orientation(photo) == 1


@given(st.binary(max_size=60), st.integers(0, 40))
def test_any_content_has_a_valid_orientation(content: bytes, cut: int) -> None:
    for exif in (content, SIX[:cut] + content, struct.pack("<4sI", b"II*\0", 8) + content):
        assert png_orientation(io.BytesIO(png_with(PNG, chunk(b"eXIf", exif)))) in range(1, 9)
