"""Sessions of the installed models. A model is loaded once, when it is first used."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnxruntime

from image_labels_emulator.models.directory import FACES, NAMES, directory, file_of

_SESSIONS: dict[Path, Any] = {}
_LOADING = threading.Lock()
_ERRORS_ONLY = 3  # of onnxruntime's severities; it warns of harmless leftovers in converted models


class ModelMissing(Exception):  # noqa: N818 - a state of the installation, which callers answer in their own way
    """A model is not installed. The message says how to install it."""

    def __init__(self, name: str, how: str = "install it with python -m image_labels_emulator.models") -> None:
        super().__init__(f"the model {name!r} is not installed; {how}")
        self.name = name


def installed() -> Mapping[str, Path]:
    """The files of the installed models by name."""
    where = directory()
    return {name: file for name in NAMES if (file := file_of(name, where)).is_file()}


def session(name: str) -> Any:
    """The onnxruntime session of a model: one thread, any number of callers. Raises ModelMissing."""
    file = file_of(name, directory())
    if file not in _SESSIONS:
        with _LOADING:
            if file not in _SESSIONS:
                _SESSIONS[file] = _load(name, file)
    return _SESSIONS[file]


def _load(name: str, file: Path) -> Any:
    if not file.is_file():
        raise ModelMissing(name)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    # Memory kept between calls makes only faces faster, whose pictures are large. For all models, it would be 100 MB.
    # onnxruntime would also remember how it used the memory for each size of a picture.
    options.enable_cpu_mem_arena = name == FACES
    options.enable_mem_pattern = False
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
