"""Decodes a photo, with the checks of the service.

Limits (Developer Guide, "Guidelines and quotas"): JPEG or PNG; at most 15 MB as an S3 object (the service model limits
bytes to 5 MB); each side from 80 to 10,000 pixels. Errors, from published answers: too small is
InvalidParameterException "Request has invalid parameters" (botocore issue 1366); too large is ImageTooLargeException
"Input image dimensions 10800 x 5400 exceed maximum dimension size of 10000 pixels" (aws-doc-sdk-examples issue 4848).
"""

from __future__ import annotations

import hashlib
import io
import threading
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from image_labels_emulator.rekognition import metadata
from image_labels_emulator.rekognition.errors import RekognitionError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.ImageFile import ImageFile

MAX_S3_BYTES = 15 * 1024 * 1024
MIN_SIDE = 80
MAX_SIDE = 10_000
MAX_PIXELS_SIDE = 1280  # enough for faces and text
SAMPLE_SIDE = 320  # enough for colours and sharpness

# A valid PNG of 10,000 x 10,000 pixels takes 400 MB when decoded. Only one is decoded at a time.
_BIG_PIXELS = 16_000_000
_ONE_BIG_AT_A_TIME = threading.Lock()
_SMOOTH_MODES = {"L", "LA", "RGB", "RGBA", "CMYK"}  # Pillow cannot average the others (palettes, 16 bits)


# Transformations that display an image of each EXIF orientation.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_FIRST_ON_ITS_SIDE = 5
_END_OF_JPEG = b"\xff\xd9"
# Appended to test whether pixel data is complete: incomplete data decodes differently with each continuation.
_CONTINUATIONS = (b"", b"\xaa" * 64, b"\x55" * 64)


@dataclass(frozen=True, slots=True)
class Photo:
    """A decoded photo, upright: rows x columns x RGB, 0-255.

    `width` and `height` are the photo's. `pixels` has at most MAX_PIXELS_SIDE per side, `sample` at most SAMPLE_SIDE.
    """

    format: str
    width: int
    height: int
    pixels: NDArray[np.uint8]
    sample: NDArray[np.uint8]


def load(data: bytes) -> Photo:
    """Decode the whole photo, to detect truncated files. Invalid metadata is ignored.

    A JPEG is rotated by its EXIF orientation, a PNG is not (API reference, "DetectLabelsResponse").
    Raises RekognitionError: InvalidImageFormatException, ImageTooLargeException (pixels), InvalidParameterException
    (too small).
    """
    pixels_only = metadata.pixels_only(data)
    picture = _open(pixels_only)
    width, height = picture.size
    if max(width, height) > MAX_SIDE:
        raise RekognitionError(
            "ImageTooLargeException",
            f"Input image dimensions {width} x {height} exceed maximum dimension size of {MAX_SIDE} pixels",
        )
    if min(width, height) < MIN_SIDE:
        raise RekognitionError(
            "InvalidParameterException",
            reason=f"the image has {width} x {height} pixels; each side must have at least {MIN_SIDE}",
        )
    orientation = metadata.jpeg_orientation(data) if picture.format == "JPEG" else 1
    with _ONE_BIG_AT_A_TIME if width * height > _BIG_PIXELS else nullcontext():
        pixels = _decode(pixels_only, picture)
    if orientation in _TURNS:
        pixels = pixels.transpose(_TURNS[orientation])
    if orientation >= _FIRST_ON_ITS_SIDE:
        width, height = height, width
    sample = _fit(pixels, SAMPLE_SIDE)
    return Photo(str(picture.format), width, height, np.asarray(pixels, np.uint8), np.asarray(sample, np.uint8))


def _open(data: bytes) -> ImageFile:
    """Read the header only.

    Not Image.open: that would also try a dozen formats the service does not read, and would refuse pictures with
    many pixels before their size could be told.
    """
    reader: type[ImageFile]
    if data.startswith(metadata.JPEG_START):
        reader = JpegImageFile
    elif data.startswith(metadata.PNG_START):
        reader = PngImageFile
    else:
        raise _not_an_image("neither JPEG nor PNG")
    try:
        return reader(io.BytesIO(data))
    except Exception as error:  # Pillow's readers raise nearly anything on a broken header
        raise _not_an_image(str(error)) from error


def _decode(data: bytes, picture: ImageFile) -> Image.Image:
    """The pixels of a picture, before rotation."""
    try:
        return _pixels(picture)
    except MemoryError:
        raise  # not the photo's fault
    except Exception as error:  # Pillow raises many types of errors on corrupt pixels
        if picture.format != "JPEG" or not _lacks_only_its_end(data):
            raise _not_an_image(str(error)) from error
    return _pixels(_open(data + _END_OF_JPEG))


def _lacks_only_its_end(jpeg: bytes) -> bool:
    """Whether a JPEG without an end marker has all of its pixels.

    With the marker appended, libjpeg decodes incomplete data, too, and invents the rest, with a warning that Pillow
    does not report. If the data is complete, additional bytes before the marker make no difference.
    """
    jpeg = jpeg.rstrip(b"\xff")  # an incomplete marker
    try:
        digests = {_digest(jpeg + more + _END_OF_JPEG) for more in _CONTINUATIONS}
    except MemoryError:
        raise
    except Exception:
        return False
    return len(digests) == 1


def _digest(jpeg: bytes) -> bytes:
    picture = _open(jpeg)
    picture.load()  # at full size, where every bit counts
    return hashlib.sha256(picture.tobytes()).digest()


def _pixels(picture: ImageFile) -> Image.Image:
    # A JPEG is decoded at reduced size. This still reads all of its bytes.
    picture.draft("RGB", (MAX_PIXELS_SIDE, MAX_PIXELS_SIDE))
    picture.load()
    small = _fit(picture, MAX_PIXELS_SIDE)
    if small.mode.startswith("I"):  # 16 bits per pixel: Pillow would clip instead of scale
        small = Image.fromarray((np.asarray(small).astype(np.uint32) >> 8).astype(np.uint8))
    return small.convert("RGB")


def _fit(picture: Image.Image, side: int) -> Image.Image:
    """Scale down to at most `side` pixels per side."""
    scale = min(1.0, side / max(picture.size))
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    how = Image.Resampling.BOX if picture.mode in _SMOOTH_MODES else Image.Resampling.NEAREST
    return picture.resize(size, how)


def _not_an_image(reason: str) -> RekognitionError:
    return RekognitionError("InvalidImageFormatException", reason=reason)
