"""Makes the preview of a photo: a WebP of at most SIDE pixels a side, rotated as the browser rotates the photo."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

from PIL import Image

from image_labels_cli.browse.orientation import png_orientation, tiff_orientation
from image_labels_cli.browse.previews.jpeg_head import is_jpeg

if TYPE_CHECKING:
    from image_labels_cli.browse.previews.jpeg_head import JpegHead

SIDE = 512
QUALITY = 75
_GAP = 1.5  # a JPEG is decoded at the smallest of 1/8, 1/4 and 1/2 of its size that has this many times SIDE
# The formats that Rekognition accepts. Pillow's other decoders are not exposed to the files of the bucket.
FORMATS = ("JPEG", "PNG")
# Limits of what is decoded, against small files that declare a huge picture. Rekognition accepts 10,000 pixels a side.
# A PNG has to be decoded as a whole, at up to 4 bytes a pixel. A JPEG is decoded at a fraction of its size.
MAX_SIDE = 10_000
MAX_DECODED_PIXELS = 50_000_000
# The width of the thumbnails that cameras embed (DCF). Smaller ones are not used.
MIN_THUMBNAIL_SIDE = 160
_SAME_SHAPE = 0.02  # difference of the aspect ratio
_BARS = 0.15
_BLACK = 32
_MAX_PROFILE_BYTES = 4096  # profiles of displays have about 500 bytes, those of printers up to a megabyte

# Image.open warns about 90 million pixels. The limits above are stricter, and its error at twice as many remains.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

# https://exiftool.org/TagNames/EXIF.html: the transposition that displays a photo with this orientation upright.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class NotPreviewable(Exception):  # noqa: N818 - a fact about the photo
    """There can be no preview of this photo. The message is a sentence for the user."""


def preview_of(photo: bytes) -> bytes:
    """The preview of a whole photo. Raises NotPreviewable."""
    try:
        with Image.open(io.BytesIO(photo), formats=FORMATS) as image:
            _check(image)
            orientation = _orientation(image, photo)
            image.thumbnail((SIDE, SIDE), reducing_gap=_GAP)
            return _encoded(image, orientation)
    except NotPreviewable:
        raise
    except Exception as error:  # Pillow raises errors of many types for invalid files
        raise NotPreviewable("The file is not a JPEG or PNG that can be decoded.") from error


def preview_of_thumbnail(head: JpegHead) -> bytes | None:
    """The preview from the embedded thumbnail. None if it is missing, too small, or of another shape than the photo.

    A shape that differs shows that the photo was cropped after the thumbnail was made. The black bars that cameras add
    to a thumbnail of 4:3 are removed.
    """
    if not head.thumbnail:
        return None
    try:
        with Image.open(io.BytesIO(head.thumbnail), formats=("JPEG",)) as image:
            if max(image.size) < MIN_THUMBNAIL_SIDE or max(image.size) > MAX_SIDE:
                return None
            image.thumbnail((SIDE, SIDE), reducing_gap=_GAP)
            shaped = _without_bars(image, head.width / head.height)
            return None if shaped is None else _encoded(shaped, tiff_orientation(head.tiff))
    except Exception:  # as above; the photo itself may be valid
        return None


def _check(image: Image.Image) -> None:
    if max(image.size) > MAX_SIDE:
        raise NotPreviewable(f"The photo has more than {MAX_SIDE:,} pixels on a side.")
    if image.format == "JPEG":
        image.draft("RGB", (round(_GAP * SIDE), round(_GAP * SIDE)))
    if image.width * image.height > MAX_DECODED_PIXELS:
        raise NotPreviewable(f"The photo has more than {MAX_DECODED_PIXELS:,} pixels.")


def _orientation(image: Image.Image, photo: bytes) -> int:
    """As Chromium reads it. Pillow also accepts an orientation in XMP."""
    if is_jpeg(photo):
        return tiff_orientation(image.info.get("exif", b"").removeprefix(b"Exif\0\0"))
    return png_orientation(io.BytesIO(photo))


def _without_bars(image: Image.Image, ratio: float) -> Image.Image | None:
    """The thumbnail in the photo's aspect ratio, or None if it has another and no black bars."""
    own = image.width / image.height
    if abs(own / ratio - 1) <= _SAME_SHAPE:
        return image
    if abs(own / ratio - 1) > _BARS:
        return None
    width, height = (image.width, image.width / ratio) if own < ratio else (image.height * ratio, image.height)
    left, top = round((image.width - width) / 2), round((image.height - height) / 2)
    inner = (left, top, image.width - left, image.height - top)
    bars = (
        ((0, 0, image.width, top - 1), (0, inner[3] + 1, image.width, image.height))
        if own < ratio
        else ((0, 0, left - 1, image.height), (inner[2] + 1, 0, image.width, image.height))
    )
    gray = image.convert("L")
    for bar in bars:
        part = gray.crop(bar)
        if part.width < 1 or part.height < 1 or int(part.getextrema()[1]) > _BLACK:  # type: ignore[arg-type]
            return None
    return image.crop(inner)


def _encoded(image: Image.Image, orientation: int) -> bytes:
    profile = image.info.get("icc_profile") or b"" if image.mode in ("RGB", "RGBA", "P") else b""
    if image.mode.startswith("I"):  # 16 bits of gray
        image = image.convert("I").point(lambda value: value / 256).convert("L")
    image = image.convert("RGBA" if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info else "RGB")
    if orientation in _UPRIGHT:
        image = image.transpose(_UPRIGHT[orientation])
    file = io.BytesIO()
    kept = profile if len(profile) <= _MAX_PROFILE_BYTES else b""
    image.save(file, "WEBP", quality=QUALITY, method=3, icc_profile=kept, exif=b"")
    return file.getvalue()
