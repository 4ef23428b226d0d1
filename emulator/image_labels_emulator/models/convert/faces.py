"""CenterFace, published in ONNX for 10 pictures of 32 x 32: the same network for pictures of any size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from image_labels_emulator.models.convert.graph import ConversionError, checked, read, rename

if TYPE_CHECKING:
    import onnx

NAMES = {"input.1": "input", "537": "heatmap", "538": "scale", "539": "offset", "540": "landmarks"}


def convert(files: Mapping[str, bytes]) -> onnx.ModelProto:
    """Input n x 3 x height x width, RGB 0-255, sides a multiple of 32; four outputs of a quarter of the size.

    `heatmap` is the score of a face centred there, `scale` the logarithms of its height and width in cells, `offset`
    what to add to the centre (y, x), `landmarks` five (y, x) in ratios of the box. Raises ConversionError.
    """
    (data,) = files.values()
    return resizable(read(data))


def resizable(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with sizes as variables. Raises ConversionError."""
    graph = model.graph
    # Old exporters list constants as inputs, too, which keeps onnxruntime from optimizing.
    constants = {each.name for each in graph.initializer}
    inputs = [each for each in graph.input if each.name not in constants]
    del graph.input[:]
    graph.input.extend(inputs)
    used = {name for node in graph.node for name in node.input}
    kept = [each for each in graph.initializer if each.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    rename(model, NAMES)
    del graph.value_info[:]
    for value in (*graph.input, *graph.output):
        dimensions = value.type.tensor_type.shape.dim
        if len(dimensions) != 4:
            raise ConversionError(f"{value.name} has {len(dimensions)} dimensions; 4 are expected")
        names = ("n", None, "height", "width") if value.name == "input" else ("n", None, "rows", "columns")
        for dimension, name in zip(dimensions, names, strict=True):
            if name:
                dimension.dim_param = name
    return checked(model)
