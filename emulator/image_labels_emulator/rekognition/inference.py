"""What the operations ask the models of `image_labels_emulator.vision`: functions, which tests replace.

A model is loaded by the first call that needs it. If it is not installed, the call fails with InternalServerError, and
the message says how to install it. No operation answers without its model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from image_labels_emulator.rekognition.errors import RekognitionError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from image_labels_emulator.rekognition.image import Photo
    from image_labels_emulator.rekognition.sources import Found, Seer
    from image_labels_emulator.vision.faces import Face
    from image_labels_emulator.vision.text import TextLine

    Pixels = NDArray[np.uint8]  # rows x columns x RGB
    Embedding = NDArray[np.float32]  # shape (128,)


@dataclass(frozen=True, slots=True)
class Text:
    """A line or a word: a score of 0 to 1, and its corners (x, y) in ratios of the width and the height.

    `words` are the words of a line, if the model tells where they are. A line of one word is where its word is.
    """

    text: str
    score: float
    polygon: tuple[tuple[float, float], ...]
    words: tuple[Text, ...] = ()


def see(photo: Photo) -> list[Found]:
    """The labels of a photo. Raises RekognitionError (InternalServerError) without the model, as all do here."""
    with _installed(", or give the labels as x-amz-meta-labels"):
        from image_labels_emulator.vision import labels

        return labels.see(photo)


def find_faces(pixels: Pixels) -> list[Face]:
    """The faces, largest first."""
    with _installed():
        from image_labels_emulator.vision import faces

        return faces.find_faces(pixels)


def embed(pixels: Pixels, face: Face) -> Embedding:
    """A vector for a face of the same pixels: the nearer two vectors, the likelier the same person."""
    with _installed():
        from image_labels_emulator.vision import embeddings

        return embeddings.embed(pixels, face)


def score_explicit(pixels: Pixels) -> float:
    """0 (harmless) to 1 (explicit)."""
    with _installed():
        from image_labels_emulator.vision import explicit

        return explicit.score(pixels)


def read_lines(pixels: Pixels) -> list[Text]:
    """The lines of text."""
    with _installed():
        from image_labels_emulator.vision import text

        return [_line(line) for line in text.read_lines(pixels)]


def _line(line: TextLine) -> Text:
    text = line.text.strip()
    words = tuple(Text(word.text, word.score, word.polygon) for word in line.words)
    if len(text.split()) == 1:
        words = (Text(text, line.score, line.polygon),)
    return Text(text, line.score, line.polygon, words)


@dataclass(frozen=True, slots=True)
class Inference:
    """The functions that look at pixels. `see` gives the labels of a photo."""

    see: Seer = see
    find_faces: Callable[[Pixels], list[Face]] = find_faces
    embed: Callable[[Pixels, Face], Embedding] = embed
    score_explicit: Callable[[Pixels], float] = score_explicit
    read_lines: Callable[[Pixels], list[Text]] = read_lines


@contextmanager
def _installed(or_else: str = "") -> Iterator[None]:
    """Turn a missing model into the error answer. `or_else` ends its message: another way to an answer."""
    try:
        from image_labels_emulator.vision.models import ModelMissing
    except ImportError as error:
        raise _missing(f"{error}; install the models with python -m image_labels_emulator.models{or_else}") from error
    try:
        yield
    except ModelMissing as error:
        raise _missing(f"{error}{or_else}") from error


def _missing(message: str) -> RekognitionError:
    return RekognitionError("InternalServerError", f"the emulator cannot look at the image: {message}")
