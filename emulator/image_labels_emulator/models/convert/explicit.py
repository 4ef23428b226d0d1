"""Yahoo's open_nsfw, published in ONNX: the same network with names of ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from image_labels_emulator.models.convert.graph import checked, read, rename

if TYPE_CHECKING:
    import onnx

NAMES = {"input:0": "input", "outputs": "probabilities"}


def convert(files: Mapping[str, bytes]) -> onnx.ModelProto:
    """Input n x 224 x 224 x 3, BGR minus (104, 117, 123); output `probabilities`, n x (safe, explicit).

    Raises ConversionError.
    """
    (data,) = files.values()
    model = read(data)
    rename(model, NAMES)
    return checked(model)
