"""Directory of the installed models: one file `<name>.onnx` for each model."""

from __future__ import annotations

import os
import sys
from pathlib import Path

DIRECTORY_VARIABLE = "REKOGNITION_EMULATOR_MODELS"

CLASSIFIER = "classifier"
DETECTOR = "detector"
FACES = "faces"
EMBEDDINGS = "embeddings"
EXPLICIT = "explicit"
NAMES = (CLASSIFIER, DETECTOR, FACES, EMBEDDINGS, EXPLICIT)


def directory() -> Path:
    """$REKOGNITION_EMULATOR_MODELS, or else a directory of this Python environment. It may not exist."""
    chosen = os.environ.get(DIRECTORY_VARIABLE)
    return Path(chosen) if chosen else Path(sys.prefix) / "share" / "image-labels-emulator" / "models"


def file_of(name: str, where: Path) -> Path:
    """The file of a model in a directory of models."""
    return where / f"{name}.onnx"
