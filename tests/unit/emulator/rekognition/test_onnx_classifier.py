from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from image_labels_emulator.rekognition import image
from image_labels_emulator.rekognition.onnx_classifier import (
    ClassifierSettingsError,
    OnnxClassifier,
    class_name,
    from_environment,
)
from onnx import TensorProto, helper
from PIL import Image
from support.rekognition_model import encode

CLASSES = "n02123045 tabby, tabby cat\ntraffic_light\nsports car, sport car\n"
RED = image.load(encode(Image.new("RGB", (100, 100), (255, 0, 0))))
GREEN = image.load(encode(Image.new("RGB", (100, 100), (0, 255, 0))))
# ImageNet's normalisation, which such models expect.
ONE = (1 - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225])
ZERO = -np.array([0.485, 0.456, 0.406]) / np.array([0.229, 0.224, 0.225])


def build(path: Path, *, channels_first: bool, softmax: bool = False, side: int | str = 8) -> Path:
    """A model whose three outputs are the means of the three colour channels."""
    shape = [1, 3, side, side] if channels_first else [1, side, side, 3]
    axes = [2, 3] if channels_first else [1, 2]
    nodes = [helper.make_node("ReduceMean", ["x"], ["mean"], axes=axes, keepdims=0)]
    if softmax:
        nodes.append(helper.make_node("Softmax", ["mean"], ["y"], axis=1))
    graph = helper.make_graph(
        nodes,
        "means",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y" if softmax else "mean", TensorProto.FLOAT, [1, 3])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path


@pytest.fixture
def classes(tmp_path: Path) -> Path:
    file = tmp_path / "classes.txt"
    file.write_text(CLASSES)
    return file


@pytest.mark.parametrize("channels_first", [True, False])
@pytest.mark.parametrize("softmax", [True, False])
@pytest.mark.parametrize("side", [8, "any"])
def test_classes_with_probabilities(
    tmp_path: Path, classes: Path, channels_first: bool, softmax: bool, side: int | str
) -> None:
    model = build(tmp_path / "m.onnx", channels_first=channels_first, softmax=softmax, side=side)
    classify = OnnxClassifier(model, classes)
    red = classify(RED)
    assert next(found.name for found in red) == "Tabby"
    assert classify(GREEN)[0].name == "Traffic Light"
    scores = np.array([ONE[0], ZERO[1], ZERO[2]])
    expected = np.exp(scores) / np.exp(scores).sum() * 100
    assert red[0].confidence == pytest.approx(expected[0], abs=0.01)
    assert sum(found.confidence for found in red) == pytest.approx(100, abs=0.01)


@pytest.mark.parametrize(
    ("line", "name"),
    [("n02123045 tabby, tabby cat", "Tabby"), ("traffic_light", "Traffic Light"), ("Egyptian cat", "Egyptian Cat")],
)
def test_class_names(line: str, name: str) -> None:
    assert class_name(line) == name


def test_no_classifier_unless_named() -> None:
    assert from_environment({}) is None
    assert from_environment({"REKOGNITION_EMULATOR_ONNX_MODEL": "", "REKOGNITION_EMULATOR_ONNX_CLASSES": ""}) is None


def test_the_environment_names_both_files(tmp_path: Path, classes: Path) -> None:
    model = build(tmp_path / "m.onnx", channels_first=True)
    found = from_environment(
        {"REKOGNITION_EMULATOR_ONNX_MODEL": str(model), "REKOGNITION_EMULATOR_ONNX_CLASSES": str(classes)}
    )
    assert found is not None
    assert found(RED)[0].name == "Tabby"


def test_bad_settings_name_the_variable(tmp_path: Path, classes: Path) -> None:
    model, labels = "REKOGNITION_EMULATOR_ONNX_MODEL", "REKOGNITION_EMULATOR_ONNX_CLASSES"
    with pytest.raises(ClassifierSettingsError, match=f"set both {model} and {labels}"):
        from_environment({model: str(classes)})
    with pytest.raises(ClassifierSettingsError, match=f"{model}=.* is not a file"):
        from_environment({model: str(tmp_path / "none"), labels: str(classes)})
    with pytest.raises(ClassifierSettingsError, match=f"{model}=.* cannot be loaded"):
        from_environment({model: str(classes), labels: str(classes)})


def test_a_model_of_another_kind_is_refused(tmp_path: Path, classes: Path) -> None:
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "other",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, str(tmp_path / "other.onnx"))
    with pytest.raises(ClassifierSettingsError, match="expected float, N x 3 x height x width"):
        OnnxClassifier(tmp_path / "other.onnx", classes)


def test_as_many_classes_as_outputs(tmp_path: Path, classes: Path) -> None:
    classes.write_text("one\n")
    classify = OnnxClassifier(build(tmp_path / "m.onnx", channels_first=True), classes)
    with pytest.raises(ClassifierSettingsError, match="1 classes, but the model has 3"):
        classify(RED)
