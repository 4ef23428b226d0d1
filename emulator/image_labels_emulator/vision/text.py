"""PP-OCR by rapidocr: lines of text. It needs the optional extra `text`."""

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


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of text: a score of 0 to 1, and its corners (x, y) in ratios of the width and the height.

    The corners are clockwise from the one where the text starts at the top.
    """

    text: str
    score: float
    polygon: tuple[tuple[float, float], ...]


def read_lines(pixels: NDArray[np.uint8], at_least: float = 0.5) -> list[TextLine]:
    """The lines with a score of `at_least`, from top to bottom. Raises ModelMissing without rapidocr."""
    rows, columns = pixels.shape[:2]
    with _ONE_AT_A_TIME:
        engine = _engine()
        found = engine(np.ascontiguousarray(pixels[:, :, ::-1]), text_score=at_least)  # it expects OpenCV's order, BGR
    if found.boxes is None or found.txts is None or found.scores is None:
        return []
    return [
        TextLine(str(text), float(score), tuple((float(x) / columns, float(y) / rows) for x, y in box))
        for box, text, score in zip(found.boxes, found.txts, found.scores, strict=True)
    ]


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
