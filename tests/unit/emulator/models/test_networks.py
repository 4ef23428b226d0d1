"""Conversions of networks with a few weights, compared with NumPy, and of files that are not as expected."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from image_labels_emulator.models.convert import classifier, detector, embeddings, explicit, faces
from image_labels_emulator.models.convert.graph import ConversionError
from numpy.typing import NDArray
from onnx import TensorProto, helper
from support.legacy_pth import written

Array = NDArray[Any]


def run(model: Any, value: Array) -> dict[str, Array]:
    session = onnxruntime.InferenceSession(model.SerializeToString())
    names: list[str] = [each.name for each in session.get_outputs()]
    results: list[Array] = session.run(names, {"input": value})
    return dict(zip(names, results, strict=True))


def values(*shape: int, seed: int) -> Array:
    """Weights: some of any sign."""
    count = int(np.prod(shape))
    return np.asarray(np.sin(np.arange(count) * 1.7 + seed).reshape(shape), np.float32)


def norm(name: str, channels: int, seed: int) -> dict[str, Array]:
    return {
        f"{name}.weight": values(channels, seed=seed) + 2,
        f"{name}.bias": values(channels, seed=seed + 1),
        f"{name}.running_mean": values(channels, seed=seed + 2),
        f"{name}.running_var": values(channels, seed=seed + 3) + 2,
    }


def small_state() -> dict[str, Array]:
    """A stem of 2 channels, a block without and one with expansion, a head of 3 channels, and 4 classes."""
    return {
        "_conv_stem.weight": values(2, 3, 1, 1, seed=1),
        **norm("_bn0", 2, 2),
        "_blocks.0._depthwise_conv.weight": values(2, 1, 1, 1, seed=3),
        **norm("_blocks.0._bn1", 2, 4),
        "_blocks.0._project_conv.weight": values(2, 2, 1, 1, seed=5),
        **norm("_blocks.0._bn2", 2, 6),
        "_blocks.1._expand_conv.weight": values(4, 2, 1, 1, seed=7),
        **norm("_blocks.1._bn0", 4, 8),
        "_blocks.1._depthwise_conv.weight": values(4, 1, 1, 1, seed=9),
        **norm("_blocks.1._bn1", 4, 10),
        "_blocks.1._project_conv.weight": values(3, 4, 1, 1, seed=11),
        **norm("_blocks.1._bn2", 3, 12),
        "_conv_head.weight": values(3, 3, 1, 1, seed=13),
        **norm("_bn1", 3, 14),
        "_fc.weight": values(4, 3, seed=15),
        "_fc.bias": values(4, seed=16),
    }


def test_classifier_follows_its_weights() -> None:
    """Filters of one pixel: the network is the same products at each pixel, at every second one for a stride of 2."""
    state = small_state()

    def pointwise(value: Array, convolution: str, batch_norm: str) -> Array:
        weights = state[f"{convolution}.weight"][:, :, 0, 0]
        depthwise = weights.shape[1] == 1 and len(weights) == len(value)
        value = weights * value.reshape(len(value), -1) if depthwise else weights @ value.reshape(len(value), -1)
        mean, variance = (state[f"{batch_norm}.running_{each}"][:, None] for each in ("mean", "var"))
        gain, shift = (state[f"{batch_norm}.{each}"][:, None] for each in ("weight", "bias"))
        return np.asarray((value - mean) / np.sqrt(variance + 1e-3) * gain + shift)

    def relu6(value: Array) -> Array:
        return np.clip(value, 0, 6)

    picture = values(1, 3, 4, 4, seed=17)
    value = relu6(pointwise(picture[0, :, ::2, ::2], "_conv_stem", "_bn0"))
    inner = relu6(pointwise(value, "_blocks.0._depthwise_conv", "_blocks.0._bn1"))
    value = value + pointwise(inner, "_blocks.0._project_conv", "_blocks.0._bn2")
    inner = relu6(pointwise(value, "_blocks.1._expand_conv", "_blocks.1._bn0"))[:, :1]
    inner = relu6(pointwise(inner, "_blocks.1._depthwise_conv", "_blocks.1._bn1"))
    value = relu6(pointwise(pointwise(inner, "_blocks.1._project_conv", "_blocks.1._bn2"), "_conv_head", "_bn1"))
    exponents = np.exp(state["_fc.weight"] @ value.mean(axis=1) + state["_fc.bias"])

    result = run(classifier.from_state(state, 4, (1, 2)), picture)["probabilities"]
    np.testing.assert_allclose(result[0], exponents / exponents.sum(), rtol=1e-4)


def test_classifier_without_one_of_its_weights_is_refused() -> None:
    state = small_state()
    del state["_blocks.1._bn1.bias"]
    with pytest.raises(ConversionError, match=r"no tensor '_blocks\.1\._bn1\.bias'"):
        classifier.from_state(state, 4, (1, 2))


def test_classifier_of_another_architecture_is_refused() -> None:
    with pytest.raises(ConversionError):
        classifier.convert({"model.pth": written(small_state())})


def layer(name: str, size: int, channels: tuple[int, int], seed: int) -> dict[str, Array]:
    return {
        f"{name}/conv/filters": values(size, size, *channels, seed=seed) / 2,
        f"{name}/conv/bias": values(channels[1], seed=seed + 1),
        f"{name}/scale/weights": values(channels[1], seed=seed + 2) + 2,
        f"{name}/scale/biases": values(channels[1], seed=seed + 3),
    }


def test_embeddings_follow_their_weights() -> None:
    """A stem, a block that halves the picture and doubles the channels, and one that keeps both."""
    weights = {
        **layer("conv32_down", 1, (3, 2), 1),
        **layer("down/conv1", 3, (2, 4), 2),
        **layer("down/conv2", 1, (4, 4), 3),
        **layer("same/conv1", 1, (4, 4), 4),
        **layer("same/conv2", 1, (4, 4), 5),
        "fc": values(4, 5, seed=6),
    }

    def scaled(value: Array, name: str) -> Array:
        """For filters of one pixel: rows x columns x channels."""
        value = value @ weights[f"{name}/conv/filters"][0, 0] + weights[f"{name}/conv/bias"]
        return np.asarray(value * weights[f"{name}/scale/weights"] + weights[f"{name}/scale/biases"])

    def relu(value: Array) -> Array:
        return np.maximum(value, 0)

    picture = values(1, 3, 17, 17, seed=7)
    value = relu(scaled(picture[0].transpose(1, 2, 0)[::2, ::2], "conv32_down"))  # 9 x 9
    value = np.array([[value[r : r + 3, c : c + 3].max((0, 1)) for c in (0, 2, 4, 6)] for r in (0, 2, 4, 6)])  # 4 x 4
    window = value[:3, :3]  # the only place for 3 x 3 in steps of 2
    inner = np.einsum("rci,rcio->o", window, weights["down/conv1/conv/filters"]) + weights["down/conv1/conv/bias"]
    inner = relu(inner * weights["down/conv1/scale/weights"] + weights["down/conv1/scale/biases"])
    result = np.zeros((2, 2, 4))
    result[:, :, :2] = value.reshape(2, 2, 2, 2, 2).mean((1, 3))
    result[0, 0] += scaled(inner, "down/conv2")
    result = relu(result)
    result = relu(result + scaled(relu(scaled(result, "same/conv1")), "same/conv2"))
    expected = result.mean((0, 1)) @ weights["fc"]

    model = embeddings.from_weights(weights, 17, (("down", True), ("same", False)))
    np.testing.assert_allclose(run(model, picture)["embedding"][0], expected, rtol=1e-4)


def test_embeddings_without_one_of_their_weights_are_refused() -> None:
    with pytest.raises(ConversionError, match="no weights 'conv32_1/conv1/conv/filters'"):
        embeddings.from_weights(layer("conv32_down", 7, (3, 32), 1), 150, embeddings.BLOCKS)


def published(shape: tuple[int, ...], outputs: Mapping[str, tuple[int, ...]], given: str) -> Any:
    """An ONNX model as old exporters write it: fixed sizes, and constants among the inputs."""
    four = [helper.make_tensor_value_info(name, TensorProto.FLOAT, each) for name, each in outputs.items()]
    return helper.make_model(
        helper.make_graph(
            [helper.make_node("Mul", [given, "factor"], [name]) for name in outputs],
            "old",
            [
                helper.make_tensor_value_info(given, TensorProto.FLOAT, shape),
                helper.make_tensor_value_info("factor", TensorProto.FLOAT, ()),
                helper.make_tensor_value_info("unused", TensorProto.FLOAT, ()),
            ],
            four,
            [helper.make_tensor(name, TensorProto.FLOAT, (), [3]) for name in ("factor", "unused")],
        ),
        opset_imports=[helper.make_opsetid("", 9)],
        ir_version=4,
    )


def test_faces_are_found_in_pictures_of_any_size() -> None:
    size = (10, 3, 32, 32)
    old = published(size, dict.fromkeys(("537", "538", "539", "540"), size), "input.1")
    model = faces.convert({"centerface.onnx": old.SerializeToString()})
    picture = values(1, 3, 64, 96, seed=1)
    results = run(model, picture)
    assert list(results) == ["heatmap", "scale", "offset", "landmarks"]
    for result in results.values():
        np.testing.assert_allclose(result, picture * 3)
    assert [each.name for each in model.graph.input] == ["input"]
    assert [each.name for each in model.graph.initializer] == ["factor"]


def test_explicit_has_the_names_of_ours() -> None:
    old = published((1, 2), {"outputs": (1, 2)}, "input:0")
    value = values(1, 2, seed=1)
    results = run(explicit.convert({"open-nsfw.onnx": old.SerializeToString()}), value)
    np.testing.assert_allclose(results["probabilities"], value * 3)


@pytest.mark.parametrize(
    ("convert", "model"),
    [
        (faces.convert, published((1, 2), {"outputs": (1, 2)}, "input:0")),
        (explicit.convert, published((1, 2), {"537": (1, 2)}, "input.1")),
    ],
)
def test_other_onnx_model_is_refused(convert: Callable[[Mapping[str, bytes]], Any], model: Any) -> None:
    with pytest.raises(ConversionError, match="no input or output named"):
        convert({"model.onnx": model.SerializeToString()})


@pytest.mark.parametrize("convert", [faces.convert, explicit.convert])
def test_file_that_is_not_onnx_is_refused(convert: Callable[[Mapping[str, bytes]], Any]) -> None:
    with pytest.raises(ConversionError, match="not an ONNX model"):
        convert({"model.onnx": b"\xff\xff\xff\xff"})


def test_detector_graph_without_its_outputs_is_refused() -> None:
    model = {"modelTopology": {"node": []}, "weightsManifest": []}
    with pytest.raises(ConversionError, match="no node Postprocessor"):
        detector.convert({"models/model.json": json.dumps(model).encode()})


def test_conversion_has_the_same_bytes_each_time() -> None:
    once, again = (
        classifier.from_state(small_state(), 4, (1, 2)).SerializeToString(deterministic=True) for _ in range(2)
    )
    assert once == again
    assert onnx.load_model_from_string(once).opset_import[0].version == 17
