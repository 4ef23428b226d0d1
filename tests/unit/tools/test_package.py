"""The zip has our code only, and is reproducible."""

from __future__ import annotations

import ast
import io
import os
import shutil
import zipfile
from pathlib import Path

import pytest
import typer

from tools import package


def test_zip_has_the_package_only() -> None:
    with zipfile.ZipFile(io.BytesIO(package.build())) as archive:
        names = archive.namelist()
    assert "image_labels/handler.py" in names
    assert all(name.startswith("image_labels/") and name.endswith(".py") for name in names)
    assert not any(name.startswith("image_labels/search/") for name in names)


def test_modules_in_the_zip_do_not_import_search() -> None:
    with zipfile.ZipFile(io.BytesIO(package.build())) as archive:
        sources = {name: archive.read(name).decode() for name in archive.namelist()}
    imported = {
        (name, node.module or "")
        for name, source in sources.items()
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom)
    }
    assert not {(name, module) for name, module in imported if module.startswith("image_labels.search")}


def test_zip_does_not_depend_on_place_time_modes_and_line_endings(tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere"
    shutil.copytree(package.SOURCES, copy)
    for path in copy.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
        path.chmod(0o700)
    handler = copy / "image_labels" / "handler.py"
    handler.write_bytes(handler.read_bytes().replace(b"\n", b"\r\n"))
    (copy / "image_labels" / "__pycache__").mkdir(exist_ok=True)
    (copy / "image_labels" / "__pycache__" / "handler.cpython-311.pyc").write_bytes(b"x")
    assert package.build(copy) == package.build()


def test_changed_source_changes_the_zip(tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere"
    shutil.copytree(package.SOURCES, copy)
    with (copy / "image_labels" / "handler.py").open("a") as handler:
        handler.write("\n")
    assert package.build(copy) != package.build()


def test_stale_zip_fails_the_check(tmp_path: Path) -> None:
    zip_ = tmp_path / "dist" / "lambda.zip"
    package.update(zip_, check=False)
    package.update(zip_, check=True)
    zip_.write_bytes(b"old")
    with pytest.raises(typer.Exit):
        package.update(zip_, check=True)


def test_each_example_with_a_function_has_its_zip() -> None:
    functions = {path.parent for path in (package.ROOT / "examples").rglob("*.py")}
    assert functions == package.ZIPS.keys() - {package.SOURCES}
