from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from image_labels_emulator.rekognition import image
from image_labels_emulator.rekognition.errors import RekognitionError
from PIL import Image
from support.rekognition_model import encode, picture


def refused(data: bytes) -> RekognitionError:
    with pytest.raises(RekognitionError) as caught:
        image.load(data)
    return caught.value


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_jpeg_and_png_are_read(form: str) -> None:
    photo = image.load(picture(1600, 1200, form))
    assert (photo.format, photo.width, photo.height) == (form, 1600, 1200)
    assert (photo.pixels.shape, photo.sample.shape) == ((960, 1280, 3), (240, 320, 3))


def test_small_photo_is_not_enlarged() -> None:
    photo = image.load(picture(200, 100))
    assert (photo.pixels.shape, photo.sample.shape) == ((100, 200, 3), (100, 200, 3))


@pytest.mark.parametrize(
    ("form", "mode"), [("JPEG", "L"), ("JPEG", "CMYK"), ("PNG", "RGBA"), ("PNG", "P"), ("PNG", "1"), ("PNG", "LA")]
)
def test_every_colour_mode_becomes_rgb(form: str, mode: str) -> None:
    assert image.load(picture(form=form, mode=mode)).sample.shape == (100, 200, 3)


def test_sixteen_bits_are_scaled_to_eight() -> None:
    grey = Image.fromarray(np.full((100, 100), 0x8000, dtype=np.uint16))
    assert set(np.unique(image.load(encode(grey)).sample)) == {0x80}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        picture(form="GIF"),
        picture(form="WEBP"),
        picture(form="BMP"),
        b"\xff\xd8\xff",
        b"\xff\xd8\xff" + bytes(1000),
        b"\x89PNG\r\n\x1a\n" + bytes(1000),
        picture(form="PNG")[:-5000],
        picture(form="JPEG")[:-5000],
        picture(form="JPEG")[:300],
    ],
    ids=["empty", "text", "gif", "webp", "bmp", "jpeg-3", "jpeg-0", "png-0", "png-cut", "jpeg-cut", "jpeg-header"],
)
def test_other_files_are_an_invalid_image_format(data: bytes) -> None:
    error = refused(data)
    assert (error.code, error.message) == ("InvalidImageFormatException", "Request has invalid image format")
    assert error.reason


def test_a_flipped_bit_in_a_png_is_found() -> None:
    data = bytearray(picture(form="PNG"))
    data[len(data) // 2] ^= 0xFF
    assert refused(bytes(data)).code == "InvalidImageFormatException"


@pytest.mark.parametrize("size", [(79, 200), (200, 79)])
def test_image_with_a_side_under_80_pixels_is_refused(size: tuple[int, int]) -> None:
    error = refused(picture(*size))
    assert (error.code, error.message) == ("InvalidParameterException", "Request has invalid parameters")
    assert f"{size[0]} x {size[1]}" in error.reason


def test_smallest_and_largest_sizes_are_accepted() -> None:
    assert image.load(picture(80, 80)).width == 80
    assert image.load(picture(10_000, 80, "PNG")).width == 10_000


@pytest.mark.parametrize("size", [(10_001, 80), (80, 10_001)])
def test_image_with_a_side_over_10000_pixels_is_refused(size: tuple[int, int]) -> None:
    error = refused(picture(*size))
    assert error.code == "ImageTooLargeException"
    assert error.message == (
        f"Input image dimensions {size[0]} x {size[1]} exceed maximum dimension size of 10000 pixels"
    )


def test_decompression_bomb_is_refused_from_its_header() -> None:
    header = b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(bytes(1000))
    chunks = [
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in (header, data)
    ]
    bomb = b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
    assert "60000 x 60000" in refused(bomb).message


def test_exif_rotates_a_jpeg_but_not_a_png() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # rotated by 90°
    turned = image.load(picture(200, 100, "JPEG", exif=exif))
    assert (turned.width, turned.height, turned.sample.shape) == (100, 200, (200, 100, 3))
    straight = image.load(picture(200, 100, "PNG", exif=exif))
    assert (straight.width, straight.height, straight.sample.shape) == (200, 100, (100, 200, 3))
