"""SSDLite-MobileNetV2, trained on COCO, from a TensorFlow.js graph."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from image_labels_emulator.models.convert import tfjs_weights
from image_labels_emulator.models.convert.tfjs_graph import convert_graph

if TYPE_CHECKING:
    import onnx

MODEL = "model.json"
SIDE = 300
ANCHORS, NUMBERS = 1917, 90
_INPUT = "Preprocessor/sub"  # after scaling to 300 x 300 and [-1, 1], which is done in NumPy
_SCORES = "Postprocessor/Slice"  # without the background
_BOXES = "Postprocessor/ExpandDims_1"


def convert(files: Mapping[str, bytes]) -> onnx.ModelProto:
    """Input 1 x 300 x 300 x 3, RGB from -1 to 1; outputs for each of 1,917 anchors.

    `scores`, 1 x 1917 x 90: for COCO's numbers 1 to 90. `boxes`, 1 x 1917 x 1 x 4: top, left, bottom and right in
    ratios of the height and the width. Boxes are not yet compared with each other. Raises ConversionError.
    """
    by_name = {path.rpartition("/")[2]: content for path, content in files.items()}
    model = json.loads(by_name[MODEL])
    return convert_graph(
        model["modelTopology"],
        tfjs_weights.read(model["weightsManifest"], by_name),
        name="ssdlite_mobilenet_v2",
        inputs={_INPUT: ("input", (1, SIDE, SIDE, 3))},
        outputs={_SCORES: ("scores", (1, ANCHORS, NUMBERS)), _BOXES: ("boxes", (1, ANCHORS, 1, 4))},
    )
