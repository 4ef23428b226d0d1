"""Without a model, an operation says how to install it, and invents nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from image_labels_emulator.rekognition.inference import Inference
from image_labels_emulator.rekognition.store import stores
from support.rekognition_calls import Service
from support.rekognition_model import picture

IMAGE = {"Bytes": picture()}


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setenv("REKOGNITION_EMULATOR_MODELS", str(tmp_path))
    stores.reset()
    made = Service(Inference())
    made("CreateCollection", CollectionId="family")
    yield made
    stores.reset()


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("DetectLabels", {"Image": IMAGE}),
        ("DetectFaces", {"Image": IMAGE}),
        ("CompareFaces", {"SourceImage": IMAGE, "TargetImage": IMAGE}),
        ("IndexFaces", {"CollectionId": "family", "Image": IMAGE}),
        ("SearchFacesByImage", {"CollectionId": "family", "Image": IMAGE}),
        ("DetectModerationLabels", {"Image": IMAGE}),
    ],
)
def test_a_missing_model(service: Service, operation: str, request_: dict[str, Any]) -> None:
    code, message = service.refused(operation, **request_)
    assert code == "InternalServerError"
    assert message.startswith("the emulator cannot look at the image: ")
    assert "python -m image_labels_emulator.models" in message


def test_neither_metadata_nor_models_is_an_error_that_names_both(service: Service) -> None:
    code, message = service.refused("DetectLabels", Image=IMAGE)
    assert code == "InternalServerError"
    assert re.search(r"image_labels_emulator\.models.*x-amz-meta-labels", message)


def test_a_missing_package(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "image_labels_emulator.vision.models", None)
    code, message = service.refused("DetectFaces", Image=IMAGE)
    assert code == "InternalServerError"
    assert "python -m image_labels_emulator.models" in message
