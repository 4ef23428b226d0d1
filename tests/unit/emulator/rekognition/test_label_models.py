"""The names of the models that the emulator states are those of the installed models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from image_labels_emulator.models.catalog import MODELS
from image_labels_emulator.models.directory import CLASSIFIER, DIRECTORY_VARIABLE, EXPLICIT, FACES, file_of
from image_labels_emulator.rekognition.label_models import TITLES, installed_titles

if TYPE_CHECKING:
    import pytest


def test_titles_are_those_of_the_catalog() -> None:
    catalog = {model.name: model.title for model in MODELS}
    assert {name: catalog[name] for name in TITLES} == TITLES


def test_only_installed_models_that_label_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(tmp_path))
    assert installed_titles() == []
    for name in (FACES, EXPLICIT):
        file_of(name, tmp_path).touch()
    assert installed_titles() == []  # no photo gets labels
    file_of(CLASSIFIER, tmp_path).touch()
    assert installed_titles() == ["EfficientNet-Lite0", "CenterFace"]
