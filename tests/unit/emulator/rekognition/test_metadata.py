"""Metadata never changes or invalidates a photo whose pixels can be decoded."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from image_labels_emulator.rekognition import image
from image_labels_emulator.rekognition.errors import RekognitionError
from PIL import Image, ImageCms
from support.metadata_files import (
    ORIENTATION,
    SHORT,
    Entry,
    after_directory,
    chunk,
    exif_segment,
    jpeg_with,
    orientation,
    png_with,
    segment,
    tiff,
    turned_with,
)
from support.rekognition_model import encode, picture

JPEG, PNG = picture(200, 100, "JPEG"), picture(200, 100, "PNG")
PLAIN_JPEG, PLAIN_PNG = image.load(JPEG).sample, image.load(PNG).sample
Pixels = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
# Transformations that display an image of each EXIF orientation.
TURNS: dict[int, Callable[[Pixels], Pixels]] = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
    8: np.rot90,
}
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = (
    b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/"
    b"22-rdf-syntax-ns#'><rdf:Description xmlns:tiff='http://ns.adobe.com/tiff/1.0/' tiff:Orientation='6'/>"
)

TURNED_EXIF = {
    "XResolution -1/0": turned_with(
        Entry(0x011A, 10, 1, struct.pack("<I", after_directory(2))), tail=struct.pack("<ii", -1, 0)
    ),
    "XResolution 1/0": turned_with(
        Entry(0x011A, 5, 1, struct.pack("<I", after_directory(2))), tail=struct.pack("<II", 1, 0)
    ),
    "Software as RATIONAL": turned_with(
        Entry(0x0131, 5, 1, struct.pack("<I", after_directory(2))), tail=struct.pack("<II", 1, 3)
    ),
    "ImageWidth as text": turned_with(Entry(0x0100, 2, 4, b"200\0")),
    "value outside the file": turned_with(Entry(0x010F, 2, 4_000_000_000, struct.pack("<I", 4_000_000_000))),
    "unknown type": turned_with(Entry(0x0110, 99, 1, b"")),
    "directory without an end": tiff(orientation(6))[:-4],
    "directory that says it is longer": tiff(orientation(6)).replace(b"\1\0\x12\1", b"\x63\0\x12\1"),
    "big-endian": tiff(orientation(6, ">"), order=">"),
    "GPS that is nowhere": turned_with(Entry(0x8825, 4, 1, struct.pack("<I", 99_999))),
}
STRAIGHT_EXIF = {
    "empty": b"",
    "no TIFF": b"this is no TIFF",
    "half a header": b"II*",
    "header alone": b"II*\0\x08\0\0\0",
    "directory outside": b"II*\0\xff\xff\xff\xff",
    "directory is the header": b"II*\0\0\0\0\0",
    "magic number 43": tiff(orientation(6)).replace(b"II*", b"II+"),
    "orientation 0": tiff(orientation(0)),
    "orientation 9": tiff(orientation(9)),
    "orientation 65535": tiff(orientation(65535)),
    "orientation as text": tiff(Entry(ORIENTATION, 2, 2, b"6\0")),
    "orientation as RATIONAL": tiff(
        Entry(ORIENTATION, 5, 1, struct.pack("<I", after_directory(1))), tail=struct.pack("<II", 6, 1)
    ),
    "orientation without a value": tiff(Entry(ORIENTATION, SHORT, 0, b"")),
    "random": np.random.default_rng(1).bytes(5000),
}
JPEG_SEGMENTS = {
    "ICC profile that is none": [segment(0xE2, b"ICC_PROFILE\0\1\1not a profile")],
    "ICC profile cut": [segment(0xE2, b"ICC_PROFILE\0\1\2" + ICC[:100])],
    "ICC profile without numbers": [segment(0xE2, b"ICC_PROFILE\0")],
    "ICC profile of 4 MB": [segment(0xE2, b"ICC_PROFILE\0" + bytes([n, 64]) + bytes(65_000)) for n in range(1, 65)],
    "MPO that leads nowhere": [segment(0xE2, b"MPF\0II*\0\xff\xff\xff\xff")],
    "MPO without a directory": [segment(0xE2, b"MPF\0")],
    "XMP that turns": [segment(0xE1, XMP)],
    "Photoshop's, cut": [segment(0xED, b"Photoshop 3.0\x008BIM\3\xed\0\0\xff\xff\xff\xff")],
    "JFIF, cut": [segment(0xE0, b"JFIF\0")],
    "JFIF twice": [segment(0xE0, b"JFIF\0\1\2\0\0\0\0\0\0\0")],
    "thumbnail that is none": [segment(0xE0, b"JFXX\0\x10\xff\xd8\xff")],
    "Adobe, cut": [segment(0xEE, b"Adobe")],
    "comment of no text": [segment(0xFE, b"\xff\xfe\0\x80")],
    "segment of length 0": [segment(0xE5, b"", 0)],
    "segment of length 1": [segment(0xE5, b"", 1)],
    "EXIF of length 0": [segment(0xE1, b"", 0)],
    "ICC of length 0": [segment(0xE2, b"", 0)],
    "comment of length 0": [segment(0xFE, b"", 0)],
    "empty ones": [segment(marker, b"") for marker in (*range(0xE0, 0xF0), 0xFE)],
    "fill bytes": [b"\xff" * 100],
    "zeros between segments": [segment(0xFE, b"comment"), bytes(100)],
    "EXIF after XMP": [segment(0xE1, XMP), exif_segment(tiff(orientation(1)))],
}
PNG_CHUNKS = {
    "3 MB of compressed text": [chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(3_000_000)))],
    "100 MB of compressed text": [chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(100_000_000)))],
    "3 MB of international text": [chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(3_000_000)))],
    "3 MB of text": [chunk(b"tEXt", b"Comment\0" + b"x" * 3_000_000)],
    "text that is not compressed": [chunk(b"zTXt", b"Comment\0\0not zlib")],
    "text of another compression": [chunk(b"zTXt", b"Comment\0\x63" + zlib.compress(b"text"))],
    "text without a keyword": [chunk(b"tEXt", b""), chunk(b"zTXt", b""), chunk(b"iTXt", b"")],
    "text that is no UTF-8": [chunk(b"iTXt", b"Title\0\0\0\xff\0\xff\0\xff")],
    "ICC profile that is none": [chunk(b"iCCP", b"name\0\0not zlib")],
    "ICC profile without a name": [chunk(b"iCCP", b"")],
    "ICC profile of 20 MB": [chunk(b"iCCP", b"name\0\0" + zlib.compress(bytes(20_000_000)))],
    "EXIF that turns": [chunk(b"eXIf", tiff(orientation(6)))],
    "EXIF that is none": [chunk(b"eXIf", b"not a TIFF")],
    "EXIF with a wrong checksum": [chunk(b"eXIf", tiff(orientation(6)), good=False)],
    "wrong checksums": [chunk(kind, b"x\0", good=False) for kind in (b"tEXt", b"zTXt", b"iTXt", b"iCCP", b"tIME")],
    "every small one too short": [
        chunk(kind, b"") for kind in (b"gAMA", b"cHRM", b"sRGB", b"pHYs", b"tIME", b"sBIT", b"bKGD", b"hIST", b"sPLT")
    ],
    "transparency too short": [chunk(b"tRNS", b"")],
    "animation without frames": [chunk(b"acTL", bytes(8))],
    "animation of a broken frame": [chunk(b"acTL", struct.pack(">II", 2, 0)), chunk(b"fcTL", b"")],
    "unknown ancillary chunk": [chunk(b"zZZz", b"x"), chunk(b"vpAg", b"")],
}


def same(data: bytes, expected: Pixels) -> bool:
    return bool(np.array_equal(image.load(data).sample, expected))


@pytest.mark.parametrize("name", TURNED_EXIF)
def test_malformed_exif_still_rotates_a_jpeg(name: str) -> None:
    photo = image.load(jpeg_with(JPEG, exif_segment(TURNED_EXIF[name])))
    assert (photo.width, photo.height) == (100, 200)
    assert np.array_equal(photo.sample, TURNS[6](PLAIN_JPEG))


@pytest.mark.parametrize("name", STRAIGHT_EXIF)
def test_exif_without_an_orientation_does_not_rotate(name: str) -> None:
    assert same(jpeg_with(JPEG, exif_segment(STRAIGHT_EXIF[name])), PLAIN_JPEG)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("number", TURNS)
def test_every_orientation(number: int, order: str) -> None:
    exif = tiff(orientation(number, order), order=order)
    photo = image.load(jpeg_with(JPEG, exif_segment(exif)))
    assert (photo.width, photo.height) == ((200, 100) if number < 5 else (100, 200))
    assert np.array_equal(photo.sample, TURNS[number](PLAIN_JPEG))
    straight = image.load(png_with(PNG, chunk(b"eXIf", exif)))
    assert (straight.width, straight.height) == (200, 100)
    assert np.array_equal(straight.sample, PLAIN_PNG)


def test_first_exif_segment_applies() -> None:
    first, second = (exif_segment(tiff(orientation(number))) for number in (6, 3))
    assert same(jpeg_with(JPEG, first, second), TURNS[6](PLAIN_JPEG))
    assert same(jpeg_with(JPEG, exif_segment(b"no TIFF"), first), PLAIN_JPEG)
    twice = tiff(orientation(6), orientation(3))
    assert same(jpeg_with(JPEG, exif_segment(twice)), TURNS[6](PLAIN_JPEG))


def test_square_photo_is_rotated() -> None:
    square = picture(100, 100)
    plain = image.load(square).sample
    assert same(jpeg_with(square, exif_segment(tiff(orientation(8)))), TURNS[8](plain))


@pytest.mark.parametrize("name", JPEG_SEGMENTS)
def test_no_segment_changes_or_rejects_a_jpeg(name: str) -> None:
    assert same(jpeg_with(JPEG, *JPEG_SEGMENTS[name]), PLAIN_JPEG)


@pytest.mark.parametrize("name", PNG_CHUNKS)
def test_no_chunk_changes_or_rejects_a_png(name: str) -> None:
    assert same(png_with(PNG, *PNG_CHUNKS[name]), PLAIN_PNG)


@pytest.mark.parametrize("name", JPEG_SEGMENTS)
@pytest.mark.parametrize("progressive", [False, True])
def test_no_segment_changes_a_jpeg_of_four_colours(name: str, progressive: bool) -> None:
    photo = picture(mode="CMYK", progressive=progressive)
    assert same(jpeg_with(photo, *JPEG_SEGMENTS[name]), image.load(photo).sample)


def adobe(transform: int) -> bytes:
    return segment(0xEE, b"Adobe" + struct.pack(">HHHB", 100, 0, 0, transform))


def test_adobe_segment_determines_the_colours() -> None:
    """Without it, or with transform 2, the four components of a JPEG have a different meaning."""
    red = Image.new("CMYK", (100, 100), (0, 255, 255, 0))
    photo = encode(red, "JPEG")
    assert b"Adobe" in photo
    expected = np.array([255, 0, 0])
    assert abs(image.load(photo).sample.astype(int) - expected).max() < 10
    assert abs(image.load(photo.replace(adobe(0), adobe(2))).sample.astype(int) - expected).max() > 100
    rgb = encode(Image.new("RGB", (100, 100), (200, 30, 90)), "JPEG")
    stored = jpeg_with(rgb[:2] + rgb[20:], adobe(0))  # without JFIF: its components are RGB, not YCbCr
    assert not same(stored, image.load(rgb).sample)


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        ("P", {"transparency": 3}),
        ("P", {"transparency": bytes(range(256))}),
        ("1", {}),
        ("L", {"transparency": 3}),
        ("RGB", {"transparency": (1, 2, 3)}),
        ("RGBA", {}),
        ("LA", {}),
    ],
)
def test_no_chunk_changes_a_png_of_any_mode(mode: str, options: dict[str, Any]) -> None:
    photo = picture(form="PNG", mode=mode, **options)
    plain = image.load(photo).sample
    for chunks in PNG_CHUNKS.values():
        assert same(png_with(photo, *chunks), plain)


def test_sixteen_bits_a_channel() -> None:
    """Written by hand without filters, because Pillow cannot write one."""
    header = struct.pack(">IIBBBBB", 100, 100, 16, 2, 0, 0, 0)
    rows = (b"\0" + b"\x80\x00\x40\x00\x20\x00" * 100) * 100
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    assert set(map(tuple, image.load(data).sample.reshape(-1, 3))) == {(0x80, 0x40, 0x20)}


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("restarts", [0, 4])
@pytest.mark.parametrize("size", [(200, 100), (97, 83), (640, 480)])
class TestEndOfAJpeg:
    @pytest.fixture
    def photo(self, size: tuple[int, int], restarts: int, progressive: bool) -> bytes:
        return picture(*size, progressive=progressive, restart_marker_blocks=restarts)

    def test_only_the_end_marker_is_missing(self, photo: bytes) -> None:
        assert photo.endswith(b"\xff\xd9")
        plain = image.load(photo).sample
        for data in (photo[:-2], photo[:-1], photo[:-2] + bytes(100), photo + bytes(100), photo + photo):
            assert same(data, plain)

    @pytest.mark.parametrize("missing", [3, 4, 10, 1000])
    def test_pixels_are_missing(self, photo: bytes, missing: int) -> None:
        with pytest.raises(RekognitionError) as caught:
            image.load(photo[:-missing])
        assert caught.value.code == "InvalidImageFormatException"


@pytest.mark.parametrize("colour", ["black", "grey", "white"])
def test_pixels_of_one_colour_are_missing(colour: str) -> None:
    """libjpeg fills missing pixels with grey."""
    photo = encode(Image.new("RGB", (400, 400), colour), "JPEG")
    plain = image.load(photo).sample
    assert same(photo[:-2], plain)
    with pytest.raises(RekognitionError):
        image.load(photo[:-200])


def test_png_without_an_end_chunk_is_accepted() -> None:
    assert same(PNG[:-12], PLAIN_PNG)


METADATA = (
    exif_segment(turned_with(Entry(0x0131, 2, 20, struct.pack("<I", after_directory(2))), tail=b"x" * 20)),
    segment(0xE1, XMP),
    segment(0xE2, b"ICC_PROFILE\0\1\1" + ICC),
    segment(0xED, b"Photoshop 3.0\x008BIM\3\xed\0\0\0\0\0\4abcd"),
    segment(0xFE, b"a comment"),
)
CHUNKS = (
    (b"iCCP", b"name\0\0" + zlib.compress(ICC)),
    (b"eXIf", tiff(orientation(6))),
    (b"zTXt", b"Comment\0\0" + zlib.compress(b"text")),
    (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP),
    (b"tRNS", b"\0\1\0\2\0\3"),
)
FUZZ = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def mutated(draw: st.DrawFn, content: bytes, keep: int = 0) -> bytes:
    """The data with bytes changed, removed or inserted after the first `keep`."""
    data = bytearray(content)
    for _ in range(draw(st.integers(1, 8))):
        at = draw(st.integers(keep, len(data)))
        match draw(st.sampled_from(("change", "remove", "insert"))):
            case "change":
                data[at : at + 1] = bytes([draw(st.integers(0, 255))])
            case "remove":
                del data[at : at + draw(st.integers(1, 20))]
            case _:
                data[at:at] = draw(st.binary(min_size=1, max_size=20))
    return bytes(data)


@FUZZ
@given(st.data(), st.sampled_from(METADATA))
def test_no_random_segment_changes_the_pixels_of_a_jpeg(data: st.DataObject, whole: bytes) -> None:
    changed = segment(whole[1], data.draw(mutated(whole[4:])))
    sample = image.load(jpeg_with(JPEG, changed)).sample
    assert any(np.array_equal(sample, turn(PLAIN_JPEG)) for turn in TURNS.values())


@FUZZ
@given(st.data(), st.sampled_from(CHUNKS), st.booleans())
def test_no_random_chunk_changes_the_pixels_of_a_png(
    data: st.DataObject, whole: tuple[bytes, bytes], good: bool
) -> None:
    kind, content = whole
    assert same(png_with(PNG, chunk(kind, data.draw(mutated(content)), good=good)), PLAIN_PNG)


@FUZZ
@given(st.data(), st.sampled_from((jpeg_with(JPEG, *METADATA), png_with(PNG, *(chunk(*one) for one in CHUNKS)))))
def test_random_file_is_a_photo_or_refused(data: st.DataObject, whole: bytes) -> None:
    file = data.draw(mutated(whole, keep=8))
    with suppress(RekognitionError):  # and no other exception
        photo = image.load(file)
        assert min(photo.width, photo.height) >= 80
