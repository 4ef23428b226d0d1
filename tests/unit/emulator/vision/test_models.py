"""Sessions of installed models."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from image_labels_emulator.models.convert.graph import Graph
from image_labels_emulator.models.directory import DIRECTORY_VARIABLE, NAMES, directory
from image_labels_emulator.vision import classifier, detector, embeddings, explicit, faces, models
from image_labels_emulator.vision.models import ModelMissing

PIXELS = np.zeros((100, 120, 3), np.uint8)
FACE = faces.Face(0.2, 0.2, 0.5, 0.5, ((0.3, 0.3), (0.6, 0.3), (0.45, 0.45), (0.35, 0.6), (0.55, 0.6)), 0.9)


@pytest.fixture
def where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(tmp_path))
    return tmp_path


def install(where: Path, name: str, factor: float) -> None:
    graph = Graph()
    graph.node("Mul", "input", graph.constant(factor), output="output")
    model = graph.model("small", {"input": (1,)}, {"output": (1,)})
    (where / f"{name}.onnx").write_bytes(model.SerializeToString())


def result(name: str) -> float:
    (value,) = models.session(name).run(["output"], {"input": np.ones(1, np.float32)})
    return float(value[0])


def test_directory_is_in_the_python_environment_unless_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.prefix", "/environment")
    monkeypatch.delenv(DIRECTORY_VARIABLE, raising=False)
    assert directory() == Path("/environment/share/image-labels-emulator/models")
    monkeypatch.setenv(DIRECTORY_VARIABLE, "/elsewhere")
    assert directory() == Path("/elsewhere")


def test_installed_models_are_listed(where: Path) -> None:
    assert models.installed() == {}
    install(where, "faces", 2)
    (where / "another.onnx").write_bytes(b"")
    assert models.installed() == {"faces": where / "faces.onnx"}


@pytest.mark.parametrize("name", NAMES)
def test_missing_model_says_how_to_install_it(where: Path, name: str) -> None:
    with pytest.raises(
        ModelMissing, match=f"'{name}' is not installed.*python -m image_labels_emulator.models"
    ) as caught:
        models.session(name)
    assert caught.value.name == name


def test_every_function_says_which_model_it_misses(where: Path) -> None:
    calls: dict[str, Callable[[], object]] = {
        "classifier": lambda: classifier.classify(PIXELS),
        "detector": lambda: detector.find_objects(PIXELS),
        "faces": lambda: faces.find_faces(PIXELS),
        "embeddings": lambda: embeddings.embed(PIXELS, FACE),
        "explicit": lambda: explicit.score(PIXELS),
    }
    assert set(calls) == set(NAMES)
    for name, call in calls.items():
        with pytest.raises(ModelMissing) as caught:
            call()
        assert caught.value.name == name


def test_model_that_is_installed_later_is_found(where: Path) -> None:
    with pytest.raises(ModelMissing):
        models.session("faces")
    install(where, "faces", 3)
    assert result("faces") == 3


def test_each_directory_has_its_own_models(where: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(where, "faces", 3)
    assert result("faces") == 3
    other = tmp_path / "other"
    other.mkdir()
    install(other, "faces", 4)
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(other))
    assert result("faces") == 4


def test_model_is_loaded_once_by_any_number_of_threads(where: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(where, "faces", 3)
    loaded: list[str] = []
    all_ready = threading.Barrier(8)

    class Session(onnxruntime.InferenceSession):  # type: ignore[misc]
        def __init__(self, file: str, *arguments: object, **options: object) -> None:
            loaded.append(file)
            super().__init__(file, *arguments, **options)

    monkeypatch.setattr(onnxruntime, "InferenceSession", Session)
    results: list[float] = []

    def call() -> None:
        all_ready.wait(timeout=10)
        results.append(result("faces"))

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert results == [3] * 8
    assert loaded == [str(where / "faces.onnx")]
