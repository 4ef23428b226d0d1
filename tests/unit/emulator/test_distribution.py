"""The emulator as a distribution of its own: what its wheel holds, and that the project's wheel does not hold it."""

from __future__ import annotations

import configparser
import email
import importlib
import subprocess
import sys
import zipfile
from email.message import Message
from pathlib import Path

import pytest

from tools.terraform import ROOT

EMULATOR = ROOT / "emulator"
PACKAGE = EMULATOR / "image_labels_emulator"


def build(source: Path, directory: Path) -> zipfile.ZipFile:
    """The wheel of a source tree, built without network access."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(directory)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (wheel,) = directory.glob("*.whl")
    return zipfile.ZipFile(wheel)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return build(EMULATOR, tmp_path_factory.mktemp("emulator"))


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> Message:
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return email.message_from_string(wheel.read(name).decode())


def test_wheel_has_the_package_with_its_data_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    files = {path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert names == {path.relative_to(EMULATOR).as_posix() for path in files}
    assert "image_labels_emulator/rekognition/taxonomy.json" in names
    assert all(Path(name).suffix in (".py", ".json", ".toml", ".txt", ".md") for name in names)


def test_metadata_is_complete(metadata: Message, wheel: zipfile.ZipFile) -> None:
    assert metadata["Name"] == "localstack-rekognition"
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert str(metadata.get_payload()).strip() == (EMULATOR / "README.md").read_text().strip()
    licences = {name.rpartition("/")[2] for name in wheel.namelist() if "/licenses/" in name}
    assert licences == {"LICENSE", "NOTICE"}  # the NOTICE is about the models
    assert (EMULATOR / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()
    assert "text" in metadata.get_all("Provides-Extra", [])
    assert "localstack-core[runtime]==4.8.1" in metadata.get_all("Requires-Dist", [])


def test_entry_points_exist(wheel: zipfile.ZipFile) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith("/entry_points.txt"))
    groups = configparser.ConfigParser(delimiters="=")
    groups.read_string(wheel.read(name).decode())
    assert "localstack.aws.provider" in groups.sections()
    for group in groups.sections():
        for value in groups[group].values():
            module, _, attribute = value.partition(":")
            assert hasattr(importlib.import_module(module), attribute)


def test_wheel_of_the_command_has_no_emulator(tmp_path: Path) -> None:
    names = build(ROOT, tmp_path).namelist()
    assert "image_labels_cli/main.py" in names
    assert [name for name in names if "image_labels_emulator" in name or "localstack" in name] == []
