"""Lines of text, with a package in place of rapidocr, and with rapidocr if it is installed."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from image_labels_emulator.vision import text
from image_labels_emulator.vision.models import ModelMissing
from image_labels_emulator.vision.text import TextLine, TextWord
from PIL import Image, ImageDraw, ImageFont

WHITE = np.full((100, 200, 3), 255, np.uint8)

# It finds a line in each blue half of a picture in OpenCV's order of colours, and needs the files of its models. The
# line of the left half has two words; those of the right half are not known.
RAPIDOCR = """
from pathlib import Path
from types import SimpleNamespace
import numpy as np

made = []

class RapidOCR:
    def __init__(self, params):
        assert all(Path(params[f"{part}.model_path"]).is_file() for part in ("Det", "Cls", "Rec"))
        made.append(params)

    def __call__(self, pixels, text_score, return_word_box):
        assert return_word_box
        rows, columns = pixels.shape[:2]
        found = []
        for name, left in (("to left", 0), ("to right", columns // 2)):
            if (pixels[:, left : left + columns // 2] == (255, 0, 0)).all() and text_score <= 0.75:
                right = left + columns // 2
                found.append((np.array([[left, 0], [right, 0], [right, rows], [left, rows]], float), name, 0.75))
        if not found:
            return SimpleNamespace(boxes=None, txts=None, scores=None, word_results=("", 1.0, None))
        boxes, texts, scores = zip(*found)
        to = ("to", 0.5, [[0, 0], [20, 0], [20, 100], [0, 100]])
        left = ("left", 1.0, [[40, 0], [100, 0], [100, 100], [40, 100]])
        words = {"to left": (to, left), "to right": (("t", 0.5, None), ("oright", 1.0, None))}
        word_results = tuple(words[text] for text in texts)
        return SimpleNamespace(boxes=np.stack(boxes), txts=texts, scores=scores, word_results=word_results)
"""


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test loads rapidocr itself."""
    monkeypatch.setattr(text, "_ENGINES", [])


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "rapidocr"
    (directory / "models").mkdir(parents=True)
    (directory / "__init__.py").write_text(RAPIDOCR)
    for name in ("PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx", "ch_ppocr_mobile_v2.0_cls_mobile.onnx"):
        (directory / "models" / name).write_bytes(b"")
    spec = importlib.util.spec_from_file_location("rapidocr", directory / "__init__.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "rapidocr", module)
    spec.loader.exec_module(module)
    return directory


def half_blue(*halves: str) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    pixels = WHITE.copy()
    for half in halves:
        pixels[:, slice(0, 100) if half == "left" else slice(100, 200)] = (0, 0, 255)
    return pixels


def test_lines_have_corners_in_ratios(package: Path) -> None:
    left, right = text.read_lines(half_blue("left", "right"))
    assert (left.text, left.score, left.polygon) == ("to left", 0.75, ((0, 0), (0.5, 0), (0.5, 1), (0, 1)))
    assert right == TextLine("to right", 0.75, ((0.5, 0), (1, 0), (1, 1), (0.5, 1)))


def test_words_have_places_of_their_own_or_there_are_none(package: Path) -> None:
    left, right = text.read_lines(half_blue("left", "right"))
    assert left.words == (
        TextWord("to", 0.5, ((0, 0), (0.1, 0), (0.1, 1), (0, 1))),
        TextWord("left", 1, ((0.2, 0), (0.5, 0), (0.5, 1), (0.2, 1))),
    )
    assert right.words == ()


def test_photo_without_text_has_no_lines(package: Path) -> None:
    assert text.read_lines(WHITE) == []


def test_lines_below_the_threshold_are_left_out(package: Path) -> None:
    assert text.read_lines(half_blue("left"), at_least=0.8) == []
    assert len(text.read_lines(half_blue("left"), at_least=0.7)) == 1


def test_engine_is_loaded_once_with_one_thread(package: Path) -> None:
    text.read_lines(WHITE)
    text.read_lines(WHITE)
    (params,) = sys.modules["rapidocr"].made
    assert params["EngineConfig.onnxruntime.intra_op_num_threads"] == 1


def test_version_without_its_models_is_refused_because_it_would_download_them(package: Path) -> None:
    (package / "models" / "PP-OCRv6_rec_small.onnx").unlink()
    with pytest.raises(ModelMissing, match="does not contain one model each"):
        text.read_lines(WHITE)


def test_without_rapidocr_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    with pytest.raises(ModelMissing, match="'text' is not installed; install the package rapidocr") as caught:
        text.read_lines(WHITE)
    assert caught.value.name == "text"


@pytest.mark.skipif(importlib.util.find_spec("rapidocr") is None, reason="the optional package rapidocr is missing")
def test_text_is_read() -> None:
    picture = Image.new("RGB", (640, 320), "white")
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=40)
    draw.text((40, 40), "Hello World 2026", fill="black", font=font)
    draw.text((40, 180), "No parking", fill="navy", font=font)
    first, second = text.read_lines(np.asarray(picture, np.uint8))
    assert (first.text, second.text) == ("Hello World 2026", "No parking")
    assert min(first.score, second.score) > 0.9
    (left, top), (right, bottom) = first.polygon[0], first.polygon[2]
    assert (left, top, right, bottom) == pytest.approx((0.06, 0.13, 0.56, 0.27), abs=0.04)
    assert [word.text for word in first.words] == ["Hello", "World", "2026"]
    assert first.words[0].polygon[0][0] == pytest.approx(left, abs=0.02)
    assert first.words[0].polygon[1][0] < first.words[1].polygon[0][0] < first.words[2].polygon[0][0]
