"""EfficientNet-Lite0 from the weights of a PyTorch state.

The network: a stem, 16 inverted residual blocks (Sandler et al., MobileNetV2, arXiv:1801.04381) without
squeeze-and-excitation and with ReLU6, a head, and a linear layer; the first block does not expand. Table 1 of Tan and
Le, arXiv:1905.11946, has the stages. Widths and sizes of kernels are those of the weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from image_labels_emulator.models.convert import pth_legacy
from image_labels_emulator.models.convert.graph import ConversionError, Graph

if TYPE_CHECKING:
    import onnx
    from numpy.typing import NDArray

SIDE = 224
CLASSES = 1000
# The stride of each block's depthwise convolution: seven stages of 1, 2, 2, 3, 3, 4 and 1 blocks.
STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1)
_EPSILON = 1e-3  # of the batch normalizations; the file does not have it


def convert(files: Mapping[str, bytes]) -> onnx.ModelProto:
    """Input n x 3 x 224 x 224, (RGB - 127) / 128; output `probabilities`, n x 1000. Raises ConversionError."""
    (data,) = files.values()
    return from_state(pth_legacy.load(data), SIDE, STRIDES)


def from_state(state: Mapping[str, NDArray[Any]], side: int, strides: tuple[int, ...]) -> onnx.ModelProto:
    """The network for these weights. Raises ConversionError if one is missing."""
    network = _Network(state)
    try:
        probabilities = network.build(strides)
    except KeyError as error:
        raise ConversionError(f"the state has no tensor {error}") from error
    classes = len(state["_fc.bias"])
    return network.graph.model("efficientnet_lite0", {"input": ("n", 3, side, side)}, {probabilities: ("n", classes)})


class _Network:
    def __init__(self, state: Mapping[str, NDArray[Any]]) -> None:
        self.graph = Graph()
        self._state = state
        self._zero = self.graph.constant(0)
        self._six = self.graph.constant(6)

    def build(self, strides: tuple[int, ...]) -> str:
        value = self._relu6(self._normalized("input", "_conv_stem", "_bn0", stride=2))
        for index, stride in enumerate(strides):
            value = self._block(value, f"_blocks.{index}.", stride)
        value = self._relu6(self._normalized(value, "_conv_head", "_bn1"))
        value = self.graph.node("Flatten", self.graph.node("GlobalAveragePool", value))
        weights, bias = (self.graph.constant(self._state[f"_fc.{each}"]) for each in ("weight", "bias"))
        logits = self.graph.node("Gemm", value, weights, bias, transB=1)
        return self.graph.node("Softmax", logits, output="probabilities", axis=1)

    def _block(self, value: str, prefix: str, stride: int) -> str:
        """Expansion (unless the block has none), depthwise convolution, projection; added to its input if it fits."""
        depthwise = prefix + "_depthwise_conv"
        channels = len(self._state[depthwise + ".weight"])
        before, width = value, channels
        if prefix + "_expand_conv.weight" in self._state:
            width = self._state[prefix + "_expand_conv.weight"].shape[1]
            value = self._relu6(self._normalized(value, prefix + "_expand_conv", prefix + "_bn0"))
        value = self._relu6(self._normalized(value, depthwise, prefix + "_bn1", stride=stride, groups=channels))
        value = self._normalized(value, prefix + "_project_conv", prefix + "_bn2")
        fits = stride == 1 and width == len(self._state[prefix + "_project_conv.weight"])
        return self.graph.node("Add", before, value) if fits else value

    def _normalized(self, value: str, convolution: str, norm: str, *, stride: int = 1, groups: int = 1) -> str:
        """A convolution with its batch normalization in its weights and bias."""
        gain, shift, mean, variance = (
            self._state[f"{norm}.{each}"] for each in ("weight", "bias", "running_mean", "running_var")
        )
        scale = gain / np.sqrt(variance + _EPSILON)
        weights = self._state[f"{convolution}.weight"] * scale[:, None, None, None]
        return self.graph.convolution(value, weights, shift - mean * scale, stride=stride, groups=groups)

    def _relu6(self, value: str) -> str:
        return self.graph.node("Clip", value, self._zero, self._six)
