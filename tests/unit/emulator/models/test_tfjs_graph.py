"""Every operator of TensorFlow that is converted, compared with NumPy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnxruntime
import pytest
from image_labels_emulator.models.convert.graph import ConversionError
from image_labels_emulator.models.convert.tfjs_graph import OPERATORS, convert_graph
from numpy.typing import NDArray

Array = NDArray[Any]
Node = dict[str, Any]

PICTURE = np.sin(np.arange(75, dtype=np.float32)).reshape(1, 5, 5, 3)
TABLE = np.arange(6, dtype=np.float32).reshape(2, 3) - 2
OTHER = np.array([[2, -1, 0.5], [4, 3, -7]], np.float32)
ROW = np.array([10, 20, 30], np.float32)


def node(name: str, operator: str, *inputs: str, **attributes: Any) -> Node:
    return {"name": name, "op": operator, "input": list(inputs), "attr": attributes}


def text(value: str) -> Node:
    return {"s": list(value.encode())}


def number(value: int) -> Node:
    return {"i": str(value)}


def numbers(*values: int) -> Node:
    return {"list": {"i": [str(value) for value in values]}}


def integers(*values: int) -> Array:
    return np.array(values, np.int32)


def run(
    nodes: Sequence[Node],
    weights: Mapping[str, Array],
    value: Array,
    shape: Sequence[int],
    output: str = "node",
) -> Array:
    """What a graph makes of its input `x`."""
    model = convert_graph(
        {"node": nodes}, weights, name="test", inputs={"x": ("input", value.shape)}, outputs={output: ("output", shape)}
    )
    (result,) = onnxruntime.InferenceSession(model.SerializeToString()).run(["output"], {"input": value})
    return np.asarray(result)


def filters_applied(picture: Array, filters: Array, stride: int, same: bool) -> Array:
    """TensorFlow's Conv2D, number by number."""
    size = filters.shape[0]
    side = picture.shape[1]
    if same:
        steps = -(-side // stride)
        missing = max((steps - 1) * stride + size - side, 0)
        before, after = missing // 2, missing - missing // 2
        picture = np.pad(picture, ((0, 0), (before, after), (before, after), (0, 0)))
    else:
        steps = (side - size) // stride + 1
    result = np.zeros((1, steps, steps, filters.shape[3]))
    for row in range(steps):
        for column in range(steps):
            part = picture[0, row * stride : row * stride + size, column * stride : column * stride + size]
            result[0, row, column] = np.einsum("rci,rcio->o", part, filters)
    return result


def filters_for_each_channel(filters: Array) -> Array:
    """The filters of Conv2D that do the same as these of DepthwiseConv2dNative."""
    rows, columns, channels, each = filters.shape
    full = np.zeros((rows, columns, channels, channels * each), filters.dtype)
    for channel in range(channels):
        full[:, :, channel, channel * each : (channel + 1) * each] = filters[:, :, channel]
    return full


UNARY = {
    "Exp": np.exp(TABLE),
    "Relu6": np.clip(TABLE * 3, 0, 6),
    "Sigmoid": 1 / (1 + np.exp(-TABLE)),
}
BINARY = {
    "Add": TABLE + OTHER,
    "AddN": TABLE + OTHER,
    "BiasAdd": TABLE + ROW,
    "Mul": TABLE * OTHER,
    "Sub": TABLE - OTHER,
}
STRUCTURAL = {
    "ConcatV2": (["x", "other", "axis"], {"axis": np.array(1, np.int32)}, np.concatenate([TABLE, OTHER], 1), {}),
    "ExpandDims": (["x", "axis"], {"axis": np.array(1, np.int32)}, TABLE[:, None], {}),
    "Pack": (["x", "other"], {}, np.stack([TABLE, OTHER], 1), {"axis": number(1)}),
    "Reshape": (["x", "to"], {"to": integers(3, -1)}, TABLE.reshape(3, 2), {}),
    "Slice": (["x", "begin", "size"], {"begin": integers(0, 1), "size": integers(1, -1)}, TABLE[:1, 1:], {}),
    "Tile": (["x", "times"], {"times": integers(2, 1)}, np.tile(TABLE, (2, 1)), {}),
    "Transpose": (["x", "order"], {"order": integers(1, 0)}, TABLE.T, {}),
}


@pytest.mark.parametrize(("operator", "expected"), UNARY.items())
def test_function_of_one_value(operator: str, expected: Array) -> None:
    value = TABLE * 3 if operator == "Relu6" else TABLE
    np.testing.assert_allclose(run([node("node", operator, "x")], {}, value, (2, 3)), expected, rtol=1e-6)


@pytest.mark.parametrize(("operator", "expected"), BINARY.items())
def test_function_of_two_values(operator: str, expected: Array) -> None:
    other = ROW if operator == "BiasAdd" else OTHER
    np.testing.assert_allclose(run([node("node", operator, "x", "other")], {"other": other}, TABLE, (2, 3)), expected)


@pytest.mark.parametrize("operator", STRUCTURAL)
def test_change_of_shape(operator: str) -> None:
    inputs, constants, expected, attributes = STRUCTURAL[operator]
    result = run([node("node", operator, *inputs, **attributes)], {"other": OTHER, **constants}, TABLE, expected.shape)
    np.testing.assert_array_equal(result, expected)


def test_squeeze() -> None:
    result = run([node("node", "Squeeze", "x", squeeze_dims=numbers(1))], {}, TABLE[:, None], (2, 3))
    np.testing.assert_array_equal(result, TABLE)


def test_unpack_has_an_output_for_each_part() -> None:
    unpack = node("node", "Unpack", "x", axis=number(1), num=number(3))
    np.testing.assert_array_equal(run([unpack], {}, TABLE, (2,), output="node:2"), TABLE[:, 2])
    np.testing.assert_array_equal(run([unpack], {}, TABLE, (2,)), TABLE[:, 0])


def test_new_shape_from_the_shape_of_a_value() -> None:
    """As detectors do it: the first dimension of a picture, and two constants."""
    graph = [
        node("shape", "Shape", "x"),
        node("first", "StridedSlice", "shape", "begin", "end", "step", shrink_axis_mask=number(1)),
        node("to", "Pack", "first", "rest", "channels", axis=number(0)),
        node("node", "Reshape", "x", "to"),
    ]
    constants = {"begin": integers(0), "end": integers(1), "step": integers(1)}
    constants |= {"rest": np.array(25, np.int32), "channels": np.array(3, np.int32)}
    np.testing.assert_array_equal(run(graph, constants, PICTURE, (1, 25, 3)), PICTURE.reshape(1, 25, 3))


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("operator", ["Conv2D", "DepthwiseConv2dNative"])
def test_convolution(operator: str, stride: int, padding: str) -> None:
    filters = np.cos(np.arange(2 * 2 * 3 * 2, dtype=np.float32)).reshape(2, 2, 3, 2)
    full = filters if operator == "Conv2D" else filters_for_each_channel(filters)
    expected = filters_applied(PICTURE, full, stride, padding == "SAME")
    attributes = {"data_format": text("NHWC"), "padding": text(padding), "strides": numbers(1, stride, stride, 1)}
    result = run([node("node", operator, "x", "w", **attributes)], {"w": filters}, PICTURE, expected.shape)
    np.testing.assert_allclose(result, expected, atol=1e-5)


def test_batch_normalization() -> None:
    gain, shift, mean, variance = (ROW / 10, ROW, ROW / 100, ROW / 5)
    names = ("gain", "shift", "mean", "variance")
    attributes = {"data_format": text("NHWC"), "epsilon": {"f": 0.5}}
    result = run(
        [node("node", "FusedBatchNorm", "x", *names, **attributes)],
        dict(zip(names, (gain, shift, mean, variance), strict=True)),
        PICTURE,
        PICTURE.shape,
    )
    expected = (PICTURE - mean) / np.sqrt(variance + 0.5) * gain + shift
    np.testing.assert_allclose(result, expected, rtol=1e-5)


def test_every_operator_has_a_test() -> None:
    others = {
        "BiasAdd",
        "Conv2D",
        "DepthwiseConv2dNative",
        "FusedBatchNorm",
        "Shape",
        "Squeeze",
        "StridedSlice",
        "Unpack",
    }
    assert {*UNARY, *BINARY, *STRUCTURAL, *others} == set(OPERATORS)


def test_only_what_the_output_needs_is_converted() -> None:
    loop = [node("a", "WhatIsThis", "b"), node("b", "Add", "a", "a")]
    np.testing.assert_array_equal(run([*loop, node("node", "Add", "x", "x")], {}, TABLE, (2, 3)), TABLE * 2)


def test_order_of_nodes_and_control_inputs_do_not_matter() -> None:
    graph = [node("node", "Add", "^x", "half", "half"), node("half", "Mul", "x", "w", "^elsewhere")]
    np.testing.assert_array_equal(run(graph, {"w": np.array(0.5, np.float32)}, TABLE, (2, 3)), TABLE)


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        ([node("node", "LSTM", "x")], "operator LSTM of node is not supported"),
        ([node("node", "Add", "x", "y")], "no node y"),
        ([node("node", "Add", "x", "b"), node("b", "Exp", "node")], "loop"),
        ([node("node", "Transpose", "x", "order"), node("order", "Shape", "x")], "order is not a constant"),
        ([node("node", "Squeeze", "x")], "Squeeze node: axes must be given"),
        (
            [node("node", "Conv2D", "x", "w", data_format=text("NCHW"), padding=text("SAME"), strides=numbers(1, 1))],
            "Conv2D node: only NHWC is supported",
        ),
        (
            [node("node", "StridedSlice", "x", "zero", "two", "one", shrink_axis_mask=number(1))],
            "only one element of a vector is supported",
        ),
    ],
)
def test_graph_that_cannot_be_converted_is_refused(graph: list[Node], message: str) -> None:
    constants = {"zero": integers(0), "one": integers(1), "two": integers(2), "w": np.ones((1, 1, 3, 3), np.float32)}
    with pytest.raises(ConversionError, match=message):
        run(graph, constants, TABLE, (2, 3))


def test_wrong_shape_of_an_output_is_refused() -> None:
    with pytest.raises(ConversionError, match="invalid"):
        run([node("node", "Exp", "x")], {}, TABLE, (7, 3))
