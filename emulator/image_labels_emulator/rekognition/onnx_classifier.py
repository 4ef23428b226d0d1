"""Labels from an ONNX image classifier that the user supplies.

REKOGNITION_EMULATOR_ONNX_MODEL is the .onnx file. REKOGNITION_EMULATOR_ONNX_CLASSES is a text file with one class per
line, in the order of the model's output. In ImageNet's lines ("n02123045 tabby, tabby cat") the first name is used. The
model's input is one float32 image, N x 3 x height x width or N x height x width x 3 (an unspecified size means 224),
normalised with ImageNet's mean and deviation. Its output is one number per class.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from image_labels_emulator.rekognition.sources import Classifier, Found

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from image_labels_emulator.rekognition.image import Photo

MODEL_VARIABLE = "REKOGNITION_EMULATOR_ONNX_MODEL"
CLASSES_VARIABLE = "REKOGNITION_EMULATOR_ONNX_CLASSES"
TOP = 5
_MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)
_DEVIATION = np.array([0.229, 0.224, 0.225], dtype=np.float32)
_DEFAULT_SIDE = 224


class ClassifierSettingsError(ValueError):
    """The classifier cannot be used; the message names the variable and the reason."""


def from_environment(environment: Mapping[str, str]) -> Classifier | None:
    """The classifier that the environment variables name, or None. Raises ClassifierSettingsError."""
    model, classes = environment.get(MODEL_VARIABLE), environment.get(CLASSES_VARIABLE)
    if not model and not classes:
        return None
    if not model or not classes:
        raise ClassifierSettingsError(f"set both {MODEL_VARIABLE} and {CLASSES_VARIABLE}, or neither")
    for variable, path in ((MODEL_VARIABLE, model), (CLASSES_VARIABLE, classes)):
        if not Path(path).is_file():
            raise ClassifierSettingsError(f"{variable}={path} is not a file")
    return OnnxClassifier(Path(model), Path(classes))


class OnnxClassifier:
    """Returns the TOP most probable classes of a photo as labels, with confidences in percent."""

    def __init__(self, model: Path, classes: Path) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise ClassifierSettingsError(
                f"{MODEL_VARIABLE} requires the package onnxruntime (the extra `onnx` of this project)"
            ) from error
        try:
            self._session: Any = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises many types of errors
            raise ClassifierSettingsError(f"{MODEL_VARIABLE}={model} cannot be loaded: {error}") from error
        self._classes = [class_name(line) for line in classes.read_text().splitlines() if line.strip()]
        entry = self._session.get_inputs()[0]
        self._input: str = entry.name
        shape = list(entry.shape)
        if len(shape) != 4 or entry.type != "tensor(float)" or 3 not in (shape[1], shape[3]):
            raise ClassifierSettingsError(
                f"{MODEL_VARIABLE}={model} has the input {entry.type} {shape}; "
                "expected float, N x 3 x height x width or N x height x width x 3"
            )
        self._channels_first = shape[1] == 3
        height, width = shape[2:4] if self._channels_first else shape[1:3]
        self._size = (_side(width), _side(height))

    def __call__(self, photo: Photo) -> list[Found]:
        resized = Image.fromarray(photo.sample).resize(self._size, Image.Resampling.BILINEAR)
        pixels = (np.asarray(resized, dtype=np.float32) / 255 - _MEAN) / _DEVIATION
        batch = (pixels.transpose(2, 0, 1) if self._channels_first else pixels)[None]
        scores = np.asarray(self._session.run(None, {self._input: batch})[0], dtype=np.float64).reshape(-1)
        if len(scores) != len(self._classes):
            raise ClassifierSettingsError(
                f"{CLASSES_VARIABLE} has {len(self._classes)} classes, but the model has {len(scores)}"
            )
        probabilities = scores if _is_distribution(scores) else _softmax(scores)
        order = sorted(range(len(scores)), key=lambda index: (-probabilities[index], index))[:TOP]
        return [Found(self._classes[index], round(float(probabilities[index]) * 100, 5)) for index in order]


def class_name(line: str) -> str:
    """`n02123045 tabby, tabby cat` -> `Tabby`; `traffic_light` -> `Traffic Light`."""
    first = re.sub(r"^n\d{8}\s+", "", line.strip()).split(",")[0]
    return " ".join(word[:1].upper() + word[1:] for word in first.replace("_", " ").split())


def _side(size: Any) -> int:
    return size if isinstance(size, int) and size > 0 else _DEFAULT_SIDE


def _is_distribution(scores: NDArray[np.float64]) -> bool:
    return bool((scores >= 0).all() and abs(float(scores.sum()) - 1) < 1e-3)


def _softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    raised = np.exp(scores - scores.max())
    return np.asarray(raised / raised.sum())
