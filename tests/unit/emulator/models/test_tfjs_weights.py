"""Weights of TensorFlow.js models."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from image_labels_emulator.models.convert import tfjs_weights
from image_labels_emulator.models.convert.graph import ConversionError

FLOATS = np.array([[1.5, -2.0], [0.25, 8.0]], np.float32)
INTEGERS = np.array([-1, 4], np.int32)


def group(*weights: dict[str, Any], paths: tuple[str, ...] = ("one",)) -> list[dict[str, Any]]:
    return [{"paths": list(paths), "weights": list(weights)}]


def test_weights_are_read_one_after_the_other() -> None:
    manifest = group(
        {"name": "floats", "shape": [2, 2], "dtype": "float32"}, {"name": "integers", "shape": [2], "dtype": "int32"}
    )
    weights = tfjs_weights.read(manifest, {"one": FLOATS.tobytes() + INTEGERS.tobytes()})
    np.testing.assert_array_equal(weights["floats"], FLOATS)
    np.testing.assert_array_equal(weights["integers"], INTEGERS)
    assert weights["integers"].dtype == np.int32


def test_weight_may_span_two_files() -> None:
    content = FLOATS.tobytes()
    manifest = group({"name": "floats", "shape": [4], "dtype": "float32"}, paths=("one", "two"))
    weights = tfjs_weights.read(manifest, {"two": content[6:], "one": content[:6]})
    np.testing.assert_array_equal(weights["floats"], FLOATS.ravel())


@pytest.mark.parametrize("stored", [np.uint8, np.uint16])
def test_quantized_weights_are_scaled(stored: type[np.generic]) -> None:
    quantization = {"dtype": np.dtype(stored).name, "scale": 0.5, "min": -1.0}
    manifest = group({"name": "w", "shape": [3], "dtype": "float32", "quantization": quantization})
    weights = tfjs_weights.read(manifest, {"one": np.array([0, 1, 255], stored).tobytes()})
    np.testing.assert_array_equal(weights["w"], np.array([-1, -0.5, 126.5], np.float32))


def test_number_has_no_dimensions() -> None:
    weights = tfjs_weights.read(group({"name": "w", "shape": [], "dtype": "int32"}), {"one": b"\x05\0\0\0"})
    assert weights["w"].shape == ()
    assert weights["w"] == 5


@pytest.mark.parametrize(
    ("dtype", "files"),
    [
        ("float32", {"one": FLOATS.tobytes()[:-1]}),
        ("float32", {"one": FLOATS.tobytes() + b"\0"}),
        ("float32", {"other": FLOATS.tobytes()}),
        ("string", {"one": FLOATS.tobytes()}),
    ],
)
def test_files_that_do_not_fit_the_manifest_are_refused(dtype: str, files: dict[str, bytes]) -> None:
    with pytest.raises(ConversionError):
        tfjs_weights.read(group({"name": "w", "shape": [4], "dtype": dtype}), files)
