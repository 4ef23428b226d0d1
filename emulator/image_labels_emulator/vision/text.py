"""PP-OCR by rapidocr: lines of text, and their words. It needs the optional extra `text`."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

from image_labels_emulator.vision.models import ModelMissing

if TYPE_CHECKING:
    from numpy.typing import NDArray

TEXT = "text"

_PARTS = ("Det", "Cls", "Rec")  # rapidocr's names: lines, their direction, their letters

_ENGINES: list[Any] = []
_ONE_AT_A_TIME = threading.Lock()  # rapidocr keeps state of a call in the engine


Polygon = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class TextWord:
    """A word of a line: a score of 0 to 1, and its corners as those of the line."""

    text: str
    score: float
    polygon: Polygon


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of text: a score of 0 to 1, and its corners (x, y) in ratios of the width and the height.

    The corners are clockwise from the one where the text starts at the top. `words` are all words of the line, or none
    if rapidocr does not tell where each is.
    """

    text: str
    score: float
    polygon: Polygon
    words: tuple[TextWord, ...] = ()


def read_lines(pixels: NDArray[np.uint8], at_least: float = 0.5) -> list[TextLine]:
    """The lines with a score of `at_least`, from top to bottom. Raises ModelMissing without rapidocr."""
    rows, columns = pixels.shape[:2]
    with _ONE_AT_A_TIME:
        engine = _engine()
        bgr = np.ascontiguousarray(pixels[:, :, ::-1])  # it expects OpenCV's order
        found = engine(bgr, text_score=at_least, return_word_box=True)
    if found.boxes is None or found.txts is None or found.scores is None:
        return []
    words = found.word_results
    if len(words) != len(found.txts):  # rapidocr leaves out a line without words, and does not say which
        words = [()] * len(found.txts)
    return [
        TextLine(str(text), float(score), _ratios(box, columns, rows), _words(str(text), own, columns, rows))
        for box, text, score, own in zip(found.boxes, found.txts, found.scores, words, strict=True)
    ]


def _words(line: str, found: Any, columns: int, rows: int) -> tuple[TextWord, ...]:
    """rapidocr splits the text of some writing systems into letters, and gives no places for some lines."""
    if [word for word, _score, _box in found] != line.split() or any(box is None for _word, _score, box in found):
        return ()
    return tuple(TextWord(word, float(score), _ratios(box, columns, rows)) for word, score, box in found)


def _ratios(box: Any, columns: int, rows: int) -> Polygon:
    return tuple((float(x) / columns, float(y) / rows) for x, y in box)


def _engine() -> Any:
    if not _ENGINES:
        _ENGINES.append(_load())
    return _ENGINES[0]


def _load() -> Any:
    try:
        import rapidocr
    except ImportError as error:
        raise ModelMissing(TEXT, "install the package rapidocr (extra `text`)") from error
    # The files of the package by name: rapidocr would download others.
    bundled = resources.files(rapidocr) / "models"
    files = {part: [str(file) for file in bundled.iterdir() if f"_{part.lower()}_" in file.name] for part in _PARTS}
    if not all(len(found) == 1 for found in files.values()):
        raise ModelMissing(TEXT, f"this version of rapidocr does not contain one model each for {', '.join(_PARTS)}")
    return rapidocr.RapidOCR(
        params={
            **{f"{part}.model_path": file for part, (file,) in files.items()},
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            "Global.log_level": "error",
        }
    )
