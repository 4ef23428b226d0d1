"""The face recognition network of face-api: dlib's ResNet with 29 convolutions, in TensorFlow.js' layout of weights.

Source of the architecture: face-api's src/faceRecognitionNet, and dlib's dnn_face_recognition_ex.cpp. A convolution is
followed by a scale and a shift for each channel. A residual block that halves the picture adds to its output an average
of its input over 2 x 2, filled up with zeros where its output has more channels.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from image_labels_emulator.models.convert import tfjs_weights
from image_labels_emulator.models.convert.graph import ConversionError, Graph

if TYPE_CHECKING:
    import onnx
    from numpy.typing import NDArray

MANIFEST = "face_recognition_model-weights_manifest.json"
WEIGHTS = "face_recognition_model.bin"
SIDE = 150
# Blocks in their order: a name of weights, and whether the block halves the picture.
BLOCKS = (
    *((f"conv32_{number}", False) for number in (1, 2, 3)),
    *(("conv64_down", True), ("conv64_1", False), ("conv64_2", False), ("conv64_3", False)),
    *(("conv128_down", True), ("conv128_1", False), ("conv128_2", False)),
    *(("conv256_down", True), ("conv256_1", False), ("conv256_2", False)),
    ("conv256_down_out", True),
)


def convert(files: Mapping[str, bytes]) -> onnx.ModelProto:
    """Input n x 3 x 150 x 150, (RGB - mean) / 255; output `embedding`, n x 128. Raises ConversionError."""
    by_name = {path.rpartition("/")[2]: content for path, content in files.items()}
    return from_weights(tfjs_weights.read(json.loads(by_name[MANIFEST]), by_name), SIDE, BLOCKS)


def from_weights(
    weights: Mapping[str, NDArray[Any]], side: int, blocks: tuple[tuple[str, bool], ...]
) -> onnx.ModelProto:
    """The network for these weights. Raises ConversionError if one is missing."""
    network = _Network(weights)
    try:
        embedding = network.build(side, blocks)
    except KeyError as error:
        raise ConversionError(f"the manifest has no weights {error}") from error
    return network.graph.model(
        "face_recognition", {"input": ("n", 3, side, side)}, {embedding: ("n", weights["fc"].shape[1])}
    )


class _Network:
    def __init__(self, weights: Mapping[str, NDArray[Any]]) -> None:
        self.graph = Graph()
        self._weights = weights

    def build(self, side: int, blocks: tuple[tuple[str, bool], ...]) -> str:
        value = self.graph.node("Relu", self._scaled("input", "conv32_down", stride=2, same=False))
        value = self.graph.node("MaxPool", value, kernel_shape=[3, 3], strides=[2, 2])
        side = _halved(_halved(side, self._kernel("conv32_down")), 3)
        for name, halves in blocks:
            value, side = self._halving_block(value, name, side) if halves else (self._block(value, name), side)
        value = self.graph.node("Flatten", self.graph.node("GlobalAveragePool", value))
        return self.graph.node("MatMul", value, self.graph.constant(self._weights["fc"]), output="embedding")

    def _block(self, value: str, name: str) -> str:
        inner = self.graph.node("Relu", self._scaled(value, name + "/conv1"))
        return self.graph.node("Relu", self.graph.node("Add", value, self._scaled(inner, name + "/conv2")))

    def _halving_block(self, value: str, name: str, side: int) -> tuple[str, int]:
        """The block's output, and its side in pixels."""
        inner = self.graph.node("Relu", self._scaled(value, name + "/conv1", stride=2, same=False))
        inner = self._scaled(inner, name + "/conv2")
        shortcut = self.graph.node("AveragePool", value, kernel_shape=[2, 2], strides=[2, 2])
        inner_side, shortcut_side = _halved(side, self._kernel(name + "/conv1")), side // 2
        # Zeros at the end of each axis make both as large as the larger one.
        rows = max(inner_side, shortcut_side)
        channels_in, channels = self._weights[name + "/conv1/conv/filters"].shape[2:]
        inner = self._filled_up(inner, 0, rows - inner_side)
        shortcut = self._filled_up(shortcut, channels - channels_in, rows - shortcut_side)
        return self.graph.node("Relu", self.graph.node("Add", shortcut, inner)), rows

    def _filled_up(self, value: str, channels: int, pixels: int) -> str:
        """The value with zeros in more channels, rows and columns."""
        if not channels and not pixels:
            return value
        return self.graph.node("Pad", value, self.graph.constant([0, 0, 0, 0, 0, channels, pixels, pixels], np.int64))

    def _scaled(self, value: str, name: str, *, stride: int = 1, same: bool = True) -> str:
        """A convolution with its scale and shift in its weights and bias."""
        filters = self._weights[name + "/conv/filters"].transpose(3, 2, 0, 1)  # from rows, columns, in, out
        scale, shift = self._weights[name + "/scale/weights"], self._weights[name + "/scale/biases"]
        bias = self._weights[name + "/conv/bias"] * scale + shift
        return self.graph.convolution(value, filters * scale[:, None, None, None], bias, stride=stride, same=same)

    def _kernel(self, name: str) -> int:
        return int(self._weights[name + "/conv/filters"].shape[0])


def _halved(side: int, kernel: int) -> int:
    """The side after a step of 2 without padding."""
    return (side - kernel) // 2 + 1
