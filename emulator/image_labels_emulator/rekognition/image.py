"""A photo, checked as the service checks it, and decoded.

Limits (Developer Guide, "Guidelines and quotas"): JPEG or PNG; at most 15 MB as an S3 object (5 MB as bytes is in the
service model); each side at least 80 and at most 10,000 pixels. What the service answers outside them, from
published answers: too small is InvalidParameterException "Request has invalid parameters" (botocore issue 1366),
too many pixels is ImageTooLargeException "Input image dimensions 10800 x 5400 exceed maximum dimension size of 10000
pixels" (aws-doc-sdk-examples issue 4848).
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
SAMPLE_SIDE = 320  # pixels; enough for colours, sharpness and a classifier's 224

# A legal PNG of 10,000 x 10,000 takes 400 MB decoded: never two of them at once.
_BIG_PIXELS = 16_000_000
_ONE_BIG_AT_A_TIME = threading.Lock()
_SMOOTH_MODES = {"L", "LA", "RGB", "RGBA", "CMYK"}  # the others (palettes, 16 bits) cannot be averaged by Pillow


# How EXIF's orientations are shown, of what is stored.
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
# Bits for a decoder to go on with: the one that runs out of bits takes 0s or stops, and makes no picture like these.
_CONTINUATIONS = (b"", b"\xaa" * 64, b"\x55" * 64)


@dataclass(frozen=True, slots=True)
class Photo:
    """A decoded photo. `sample` is a copy of at most SAMPLE_SIDE pixels a side: rows x columns x RGB, 0-255."""

    format: str
    width: int
    height: int
    digest: str
    sample: NDArray[np.uint8]


def load(data: bytes) -> Photo:
    """Decode a photo, all of it, so that a truncated file is found out; its metadata cannot make it none.

    A JPEG is turned as its EXIF orientation says, a PNG is not (API reference, "DetectLabelsResponse").
    Raises RekognitionError: InvalidImageFormatException, ImageTooLargeException (pixels), InvalidParameterException
    (too small).
    """
    pixels = metadata.pixels_only(data)
    picture = _open(pixels)
    width, height = picture.size
    if max(width, height) > MAX_SIDE:
        raise RekognitionError(
            "ImageTooLargeException",
            f"Input image dimensions {width} x {height} exceed maximum dimension size of {MAX_SIDE} pixels",
        )
    if min(width, height) < MIN_SIDE:
        raise RekognitionError(
            "InvalidParameterException",
            reason=f"the image is {width} x {height} pixels; each side needs at least {MIN_SIDE}",
        )
    orientation = metadata.jpeg_orientation(data) if picture.format == "JPEG" else 1
    with _ONE_BIG_AT_A_TIME if width * height > _BIG_PIXELS else nullcontext():
        sample = _decode(pixels, picture)
    if orientation in _TURNS:
        sample = sample.transpose(_TURNS[orientation])
    if orientation >= _FIRST_ON_ITS_SIDE:
        width, height = height, width
    digest = hashlib.sha256(data).hexdigest()
    return Photo(str(picture.format), width, height, digest, np.asarray(sample, dtype=np.uint8))


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
    """The picture's sample, not turned yet."""
    try:
        return _sample(picture)
    except MemoryError:
        raise  # the machine's fault
    except Exception as error:  # Pillow's readers raise nearly anything on broken pixels, too
        if picture.format != "JPEG" or not _lacks_only_its_end(data):
            raise _not_an_image(str(error)) from error
    return _sample(_open(data + _END_OF_JPEG))


def _lacks_only_its_end(jpeg: bytes) -> bool:
    """Whether all pixels of a JPEG that ends without its end marker are there.

    With the marker put in its place, libjpeg decodes what is there and makes up the rest, with a warning that Pillow
    does not pass on. But when all is there, it does not matter what comes before the marker.
    """
    jpeg = jpeg.rstrip(b"\xff")  # half a marker
    try:
        digests = {_digest(jpeg + more + _END_OF_JPEG) for more in _CONTINUATIONS}
    except MemoryError:
        raise
    except Exception:
        return False
    return len(digests) == 1


def _digest(jpeg: bytes) -> bytes:
    picture = _open(jpeg)
    picture.load()  # at its full size, in which the last bit shows
    return hashlib.sha256(picture.tobytes()).digest()


def _sample(picture: ImageFile) -> Image.Image:
    # A JPEG is decoded straight to a fraction of its size, which still reads all of its bytes.
    picture.draft("RGB", (SAMPLE_SIDE, SAMPLE_SIDE))
    picture.load()
    scale = min(1.0, SAMPLE_SIDE / max(picture.size))
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    how = Image.Resampling.BOX if picture.mode in _SMOOTH_MODES else Image.Resampling.NEAREST
    small = picture.resize(size, how)
    if small.mode.startswith("I"):  # 16 bits a pixel: Pillow would cut instead of scale
        small = Image.fromarray((np.asarray(small).astype(np.uint32) >> 8).astype(np.uint8))
    return small.convert("RGB")


def _not_an_image(reason: str) -> RekognitionError:
    return RekognitionError("InvalidImageFormatException", reason=reason)
