"""TensorFlow graphs of TensorFlow.js as ONNX graphs.

Only what the outputs need is converted. Operators are those of the models that are used here (OPERATORS); any other is
refused. Pictures keep TensorFlow's layout, n x rows x columns x channels, except within convolutions. onnxruntime
removes the transpositions in between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

import numpy as np

from image_labels_emulator.models.convert.graph import ConversionError, Graph, Shape

if TYPE_CHECKING:
    import onnx
    from numpy.typing import NDArray

_TO_CHANNELS_FIRST, _TO_CHANNELS_LAST = [0, 3, 1, 2], [0, 2, 3, 1]
_END = np.iinfo(np.int64).max


def convert_graph(
    topology: Mapping[str, Any],
    weights: Mapping[str, NDArray[Any]],
    *,
    name: str,
    inputs: Mapping[str, tuple[str, Shape]],
    outputs: Mapping[str, tuple[str, Shape]],
) -> onnx.ModelProto:
    """The ONNX model of a graph between the named values; for each, its new name and shape. Raises ConversionError."""
    conversion = _Conversion(topology, weights, {node: new for node, (new, _shape) in inputs.items()})
    conversion.add(outputs)
    for node, (new, _shape) in outputs.items():
        conversion.graph.node("Identity", conversion.value(node), output=new)
    return conversion.graph.model(name, dict(inputs.values()), dict(outputs.values()))


class _Node:
    """A node of TensorFlow's graph, with its attributes decoded."""

    def __init__(self, node: Mapping[str, Any]) -> None:
        self.name: str = node["name"]
        self.operator: str = node["op"]
        # An input ^x says that x must run before; it has no value.
        self.inputs = [each for each in node.get("input", []) if not each.startswith("^")]
        self._attributes: Mapping[str, Any] = node.get("attr", {})

    def text(self, key: str) -> str:
        """The JSON has bytes as a list of numbers."""
        return bytes(self._attributes[key]["s"]).decode()

    def number(self, key: str) -> int:
        return int(self._attributes.get(key, {}).get("i", 0))

    def real(self, key: str) -> float:
        return float(self._attributes[key]["f"])

    def numbers(self, key: str) -> list[int]:
        return [int(each) for each in self._attributes.get(key, {}).get("list", {}).get("i", [])]

    def require(self, condition: bool, what: str) -> None:
        """Raises ConversionError unless the condition holds."""
        if not condition:
            raise ConversionError(f"{self.operator} {self.name}: {what}")


class _Conversion:
    def __init__(
        self, topology: Mapping[str, Any], weights: Mapping[str, NDArray[Any]], inputs: Mapping[str, str]
    ) -> None:
        self.graph = Graph()
        self._nodes = {node["name"]: _Node(node) for node in topology["node"]}
        self._weights = weights
        self._converted: dict[str, list[str]] = {node: [new] for node, new in inputs.items()}

    def add(self, outputs: Iterable[str]) -> None:
        """Convert the nodes of these values and all that they need. Raises ConversionError."""
        for name in self._in_order(outputs):
            if name not in self._converted and name not in self._weights:
                result = OPERATORS[self._nodes[name].operator](self, self._nodes[name])
                self._converted[name] = [result] if isinstance(result, str) else result

    def _in_order(self, outputs: Iterable[str]) -> list[str]:
        """The nodes that the outputs need, each after those that it needs."""
        needs: dict[str, list[str]] = {}
        waiting = [_name(reference) for reference in outputs]
        while waiting:
            name = waiting.pop()
            if name in needs:
                continue
            needs[name] = [] if name in self._converted or name in self._weights else self._needs_of(name)
            waiting.extend(needs[name])
        try:
            return list(TopologicalSorter(needs).static_order())
        except CycleError as error:
            raise ConversionError(f"the graph has a loop: {error.args[1]}") from error

    def _needs_of(self, name: str) -> list[str]:
        if name not in self._nodes:
            raise ConversionError(f"the graph has no node {name}")
        if self._nodes[name].operator not in OPERATORS:
            raise ConversionError(f"operator {self._nodes[name].operator} of {name} is not supported")
        return [_name(reference) for reference in self._nodes[name].inputs]

    def value(self, reference: str) -> str:
        """The ONNX name of a converted value, `node` or `node:output`, or of a constant."""
        name, _, output = reference.partition(":")
        if name not in self._converted:
            weights = self._weights[name]
            # ONNX has shapes and axes as int64.
            dtype = np.float32 if weights.dtype.kind == "f" else np.int64
            self._converted[name] = [self.graph.constant(weights, dtype)]
        return self._converted[name][int(output or 0)]

    def constant(self, reference: str) -> NDArray[Any]:
        """The value of a constant. Raises ConversionError if it is none."""
        if _name(reference) not in self._weights:
            raise ConversionError(f"{reference} is not a constant")
        return self._weights[_name(reference)]

    def integers(self, reference: str) -> list[int]:
        """The values of a constant that is a number or a list."""
        return [int(each) for each in np.atleast_1d(self.constant(reference))]


def _name(reference: str) -> str:
    return reference.partition(":")[0]


def _convolution(conversion: _Conversion, node: _Node) -> str:
    """Conv2D: filters are rows x columns x in x out. Depthwise: rows x columns x in x outputs for each."""
    node.require(node.text("data_format") == "NHWC", "only NHWC is supported")
    node.require(node.text("padding") in ("SAME", "VALID"), "only SAME and VALID are supported")
    node.require(set(node.numbers("dilations")) <= {1}, "dilations are not supported")
    strides = node.numbers("strides")
    node.require(len(set(strides[1:3])) == 1, "different strides are not supported")
    filters = conversion.constant(node.inputs[1])
    groups = 1
    if node.operator == "DepthwiseConv2dNative":
        rows, columns, groups, each = filters.shape
        filters = filters.transpose(2, 3, 0, 1).reshape(groups * each, 1, rows, columns)
    else:
        filters = filters.transpose(3, 2, 0, 1)
    graph = conversion.graph
    picture = graph.node("Transpose", conversion.value(node.inputs[0]), perm=_TO_CHANNELS_FIRST)
    same = node.text("padding") == "SAME"
    result = graph.convolution(picture, filters, stride=strides[1], groups=groups, same=same)
    return graph.node("Transpose", result, perm=_TO_CHANNELS_LAST)


def _batch_norm(conversion: _Conversion, node: _Node) -> str:
    node.require(node.text("data_format") == "NHWC", "only NHWC is supported")
    gain, shift, mean, variance = (conversion.constant(each) for each in node.inputs[1:])
    scale = gain / np.sqrt(variance + node.real("epsilon"))
    graph = conversion.graph
    scaled = graph.node("Mul", conversion.value(node.inputs[0]), graph.constant(scale))
    return graph.node("Add", scaled, graph.constant(shift - mean * scale))


def _plain(operator: str, **attributes: Any) -> Callable[[_Conversion, _Node], str]:
    """An operator that ONNX has under another name or the same."""

    def convert(conversion: _Conversion, node: _Node) -> str:
        return conversion.graph.node(operator, *map(conversion.value, node.inputs), **attributes)

    return convert


def _relu6(conversion: _Conversion, node: _Node) -> str:
    graph = conversion.graph
    return graph.node("Clip", conversion.value(node.inputs[0]), graph.constant(0), graph.constant(6))


def _pack(conversion: _Conversion, node: _Node) -> str:
    """Values side by side along a new axis."""
    graph, axis = conversion.graph, node.number("axis")
    axes = graph.constant([axis], np.int64)
    parts = [graph.node("Unsqueeze", conversion.value(each), axes) for each in node.inputs]
    return graph.node("Concat", *parts, axis=axis)


def _unpack(conversion: _Conversion, node: _Node) -> list[str]:
    """The parts of a value along an axis, which disappears."""
    graph, axis = conversion.graph, node.number("axis")
    value = conversion.value(node.inputs[0])
    return [
        graph.node("Gather", value, graph.constant(index, np.int64), axis=axis) for index in range(node.number("num"))
    ]


def _strided_slice(conversion: _Conversion, node: _Node) -> str:
    """One element of a vector, the only form in use: shape[0]."""
    begin, end, step = (conversion.integers(each) for each in node.inputs[1:])
    one = len(begin) == 1 and step == [1] and end == [begin[0] + 1] and node.number("shrink_axis_mask") == 1
    masks = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask")
    node.require(one and not any(map(node.number, masks)), "only one element of a vector is supported")
    graph = conversion.graph
    return graph.node("Gather", conversion.value(node.inputs[0]), graph.constant(begin[0], np.int64), axis=0)


def _slice(conversion: _Conversion, node: _Node) -> str:
    """A size of -1 means up to the end."""
    begin, size = (conversion.integers(each) for each in node.inputs[1:])
    end = [_END if length == -1 else first + length for first, length in zip(begin, size, strict=True)]
    graph = conversion.graph
    bounds = (graph.constant(each, np.int64) for each in (begin, end))
    return graph.node("Slice", conversion.value(node.inputs[0]), *bounds)


def _transpose(conversion: _Conversion, node: _Node) -> str:
    order = conversion.integers(node.inputs[1])
    return conversion.graph.node("Transpose", conversion.value(node.inputs[0]), perm=order)


def _concatenate(conversion: _Conversion, node: _Node) -> str:
    (axis,) = conversion.integers(node.inputs[-1])
    return conversion.graph.node("Concat", *map(conversion.value, node.inputs[:-1]), axis=axis)


def _expand(conversion: _Conversion, node: _Node) -> str:
    graph = conversion.graph
    axes = graph.constant(conversion.integers(node.inputs[1]), np.int64)
    return graph.node("Unsqueeze", conversion.value(node.inputs[0]), axes)


def _squeeze(conversion: _Conversion, node: _Node) -> str:
    axes = node.numbers("squeeze_dims")
    node.require(bool(axes), "axes must be given")
    graph = conversion.graph
    return graph.node("Squeeze", conversion.value(node.inputs[0]), graph.constant(axes, np.int64))


OPERATORS: Mapping[str, Callable[[_Conversion, _Node], str | list[str]]] = {
    "Add": _plain("Add"),
    "AddN": _plain("Sum"),
    "BiasAdd": _plain("Add"),
    "ConcatV2": _concatenate,
    "Conv2D": _convolution,
    "DepthwiseConv2dNative": _convolution,
    "Exp": _plain("Exp"),
    "ExpandDims": _expand,
    "FusedBatchNorm": _batch_norm,
    "Mul": _plain("Mul"),
    "Pack": _pack,
    "Relu6": _relu6,
    "Reshape": _plain("Reshape"),
    "Shape": _plain("Shape"),
    "Sigmoid": _plain("Sigmoid"),
    "Slice": _slice,
    "Squeeze": _squeeze,
    "StridedSlice": _strided_slice,
    "Sub": _plain("Sub"),
    "Tile": _plain("Tile"),
    "Transpose": _transpose,
    "Unpack": _unpack,
}
