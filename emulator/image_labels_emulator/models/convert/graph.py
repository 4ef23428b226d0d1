"""A builder of ONNX graphs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# What onnxruntime 1.20, the oldest supported, reads.
OPSET = 17
IR_VERSION = 8

Shape = Sequence[int | str]


class ConversionError(Exception):
    """A model's file is not as the conversion expects it."""


class Graph:
    """Nodes and constants in the order in which they are added. Values are known by names that are made here."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def constant(self, value: ArrayLike, dtype: type[np.generic] = np.float32) -> str:
        """A constant of this type."""
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.array(value, dtype, order="C"), name))
        return name

    def node(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """The only output of a node, under a name of choice or a new one."""
        (name,) = self._add(operator, inputs, [output or f"{operator.lower()}_{len(self._nodes)}"], attributes)
        return name

    def split_node(self, operator: str, *inputs: str, outputs: int, **attributes: Any) -> list[str]:
        """The outputs of a node that has several."""
        names = [f"{operator.lower()}_{len(self._nodes)}_{index}" for index in range(outputs)]
        return self._add(operator, inputs, names, attributes)

    def _add(
        self, operator: str, inputs: Sequence[str], outputs: list[str], attributes: Mapping[str, Any]
    ) -> list[str]:
        self._nodes.append(helper.make_node(operator, list(inputs), outputs, **attributes))
        return outputs

    def convolution(
        self,
        value: str,
        weights: NDArray[np.floating],
        bias: NDArray[np.floating] | None = None,
        *,
        stride: int = 1,
        groups: int = 1,
        same: bool = True,
    ) -> str:
        """A 2-d convolution of N x C x H x W with weights of out x in x rows x columns.

        `same` pads as TensorFlow does: if the padding is odd, one more at the end.
        """
        constants = [weights] if bias is None else [weights, bias]
        return self.node(
            "Conv",
            value,
            *(self.constant(each) for each in constants),
            kernel_shape=list(weights.shape[2:]),
            strides=[stride, stride],
            group=groups,
            auto_pad="SAME_UPPER" if same else "VALID",
        )

    def model(self, name: str, inputs: Mapping[str, Shape], outputs: Mapping[str, Shape]) -> onnx.ModelProto:
        """The checked model; all inputs and outputs are float32. Raises ConversionError."""
        graph = helper.make_graph(
            self._nodes,
            name,
            [helper.make_tensor_value_info(each, TensorProto.FLOAT, list(shape)) for each, shape in inputs.items()],
            [helper.make_tensor_value_info(each, TensorProto.FLOAT, list(shape)) for each, shape in outputs.items()],
            self._constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        return checked(model)


def checked(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model itself, if it is valid and its shapes fit together. Raises ConversionError."""
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ConversionError(f"the converted model is invalid: {error}") from error
    return model


def read(data: bytes) -> onnx.ModelProto:
    """A published ONNX model. Raises ConversionError."""
    try:
        return onnx.load_model_from_string(data)
    except Exception as error:  # protobuf's errors differ between its implementations
        raise ConversionError(f"not an ONNX model: {error}") from error


def rename(model: onnx.ModelProto, names: Mapping[str, str]) -> None:
    """Rename inputs, outputs and other values in place. Raises ConversionError if the model lacks one of them."""
    graph = model.graph
    missing = set(names) - {value.name for value in (*graph.input, *graph.output)}
    if missing:
        raise ConversionError(f"the model has no input or output named {', '.join(sorted(missing))}")
    for value in (*graph.input, *graph.output, *graph.value_info):
        value.name = names.get(value.name, value.name)
    for node in graph.node:
        node.input[:] = [names.get(each, each) for each in node.input]
        node.output[:] = [names.get(each, each) for each in node.output]
