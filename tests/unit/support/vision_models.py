"""The installed vision models and real photographs, for tests that are about them.

A model is loaded once, by the code under test.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from image_labels_emulator.models.catalog import MODELS, Registry
from image_labels_emulator.vision import models
from skimage import data

if TYPE_CHECKING:
    from numpy.typing import NDArray


def require_model(name: str) -> None:
    """Fail if a model is not installed. Without npm, skip if it is one of those that come from npm."""
    if name in models.installed():
        return
    registry = next(model.package.registry for model in MODELS if model.name == name)
    if registry is Registry.NPM and not shutil.which("npm"):
        pytest.skip(f"the model {name} comes from npm, which is not on the PATH")
    pytest.fail(f"{models.ModelMissing(name)}; make does it before the tests")


def photograph(name: str) -> NDArray[np.uint8]:
    """A photograph that scikit-image contains, as pixels: rows x columns x RGB."""
    picture: NDArray[Any] = getattr(data, name)()
    return np.asarray(picture if picture.ndim == 3 else np.stack([picture] * 3, axis=-1), np.uint8)
