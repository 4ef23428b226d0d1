"""Previews: size, orientation, transparency, and files that are refused."""

from __future__ import annotations

import contextlib
import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_labels_cli.browse.previews import picture
from image_labels_cli.browse.previews.jpeg_head import TruncatedError, read_head
from image_labels_cli.browse.previews.picture import NotPreviewable, preview_of, preview_of_thumbnail
from PIL import Image

from bench.camera import exif_of, jpeg, scene


def shown(preview: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(preview))
    assert image.format == "WEBP"
    image.load()
    return image


def png(image: Image.Image, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", **options)
    return file.getvalue()


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean difference of the pixels, of 255."""
    pixels = [np.asarray(each.convert("RGB").resize((60, 40))).astype(int) for each in (one, other)]
    return float(np.abs(pixels[0] - pixels[1]).mean())


@pytest.mark.parametrize(
    ("size", "expected"), [((3000, 2000), (512, 341)), ((600, 1800), (171, 512)), ((90, 80), (90, 80))]
)
@pytest.mark.parametrize("encode", [jpeg, png])
def test_preview_has_at_most_512_pixels_a_side(
    size: tuple[int, int], expected: tuple[int, int], encode: Callable[[Image.Image], bytes]
) -> None:
    photo = scene(*size)
    preview = shown(preview_of(encode(photo)))
    assert preview.size == expected
    assert difference(preview, photo) < 6


# The transposition that displays each orientation, written with numpy as the EXIF standard describes it.
UPRIGHT = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: a[::-1].transpose(1, 0, 2),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: a.transpose(1, 0, 2)[::-1],
}


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("form", ["JPEG", "PNG", "thumbnail"])
def test_preview_is_upright(orientation: int, form: str) -> None:
    stored = scene(600, 400, seed=3)
    expected = Image.fromarray(UPRIGHT[orientation](np.asarray(stored)).copy())
    exif = Image.Exif()
    exif[0x0112] = orientation
    if form == "thumbnail":
        head = read_head(jpeg(stored, exif=exif_of(stored.resize((300, 200)), orientation)))
        assert head
        preview = preview_of_thumbnail(head)
        assert preview
    else:
        preview = preview_of(png(stored, exif=exif) if form == "PNG" else jpeg(stored, exif=exif.tobytes()))
    assert difference(shown(preview), expected) < 6


def test_orientation_in_xmp_is_ignored_as_the_browser_does() -> None:
    stored = scene(300, 200)
    file = io.BytesIO()
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    stored.save(file, "JPEG", xmp=xmp)
    assert shown(preview_of(file.getvalue())).size == (300, 200)


def test_transparency_and_16_bits_of_gray_are_kept() -> None:
    glass = Image.new("RGBA", (100, 100), (255, 0, 0, 128))
    assert shown(preview_of(png(glass))).getpixel((50, 50)) == pytest.approx((255, 0, 0, 128), abs=3)
    gray = Image.fromarray(np.full((100, 100), 0x8000, dtype=np.uint16))
    assert shown(preview_of(png(gray))).convert("RGB").getpixel((50, 50)) == pytest.approx((128, 128, 128), abs=2)


@pytest.mark.parametrize("mode", ["CMYK", "L"])
def test_jpegs_of_other_colors_are_converted(mode: str) -> None:
    photo = scene(300, 200)
    assert difference(shown(preview_of(jpeg(photo.convert(mode)))), photo.convert(mode).convert("RGB")) < 6


def test_metadata_is_removed_and_a_color_profile_is_kept() -> None:
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    profile = b"profile of a display"
    file = io.BytesIO()
    scene(300, 200).save(file, "JPEG", exif=exif, icc_profile=profile)
    preview = preview_of(file.getvalue())
    assert b"secret" not in preview
    assert shown(preview).info["icc_profile"] == profile


def declared(width: int, height: int) -> bytes:
    """A PNG of a few bytes that declares this size."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(10_001, 1), (9_000, 9_000)])
def test_huge_pictures_are_refused_before_they_are_decoded(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[Image.Image] = []
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", decoded.append)
    with pytest.raises(NotPreviewable):
        preview_of(declared(*size))
    assert not decoded


def test_other_formats_are_refused() -> None:
    file = io.BytesIO()
    scene(100, 100).save(file, "GIF")
    with pytest.raises(NotPreviewable, match="not a JPEG or PNG"):
        preview_of(file.getvalue())


@given(st.binary(max_size=300), st.integers(0, 2000), st.booleans())
def test_damaged_files_are_refused(noise: bytes, at: int, as_jpeg: bool) -> None:
    """They raise no other error, and the head of a JPEG can always be read further or ends."""
    photo = (jpeg if as_jpeg else png)(scene(60, 60))
    damaged = photo[:at] + noise + photo[at + len(noise) :]
    with contextlib.suppress(NotPreviewable):
        preview_of(damaged)
    if as_jpeg:
        needs = 0
        try:
            if head := read_head(b"\xff\xd8" + damaged[2:]):
                preview_of_thumbnail(head)
        except TruncatedError as truncated:
            needs = truncated.needs
        assert needs == 0 or needs > len(damaged)


@pytest.mark.parametrize(
    ("photo", "embedded", "expected"),
    [
        ((800, 600), (160, 120), (160, 120)),
        ((800, 600), (400, 300), (400, 300)),
        ((800, 600), (120, 90), None),  # too small
        ((800, 800), (160, 120), None),  # the photo was cropped afterwards
        ((900, 600), (160, 120), None),  # and this one, because there are no bars
    ],
)
def test_thumbnail_must_be_large_enough_and_of_the_photos_shape(
    photo: tuple[int, int], embedded: tuple[int, int], expected: tuple[int, int] | None
) -> None:
    head = read_head(jpeg(scene(*photo), exif=exif_of(scene(*embedded))))
    assert head
    assert (head.width, head.height) == photo
    preview = preview_of_thumbnail(head)
    assert (shown(preview).size if preview else None) == expected


@pytest.mark.parametrize(("photo", "inner"), [((900, 600), (160, 107)), ((600, 500), (144, 120))])
def test_black_bars_of_a_thumbnail_are_removed(photo: tuple[int, int], inner: tuple[int, int]) -> None:
    """Cameras that take photos of 3:2 write a thumbnail of 4:3 with bars."""
    boxed = Image.new("RGB", (160, 120))
    boxed.paste(scene(*photo).resize(inner), ((160 - inner[0]) // 2, (120 - inner[1]) // 2))
    head = read_head(jpeg(scene(*photo), exif=exif_of(boxed)))
    assert head
    preview = preview_of_thumbnail(head)
    assert preview
    width, height = shown(preview).size
    assert width / height == pytest.approx(photo[0] / photo[1], rel=0.03)
    assert np.asarray(shown(preview).convert("L"))[[0, -1]].min() > picture._BLACK / 2
