"""The training of learned labels: its lock, and which pictures it takes. `python -m bench.learned` trains."""

from __future__ import annotations

import io
import re
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from image_labels_emulator.rekognition import taxonomy
from image_labels_emulator.vision import learned
from PIL import Image
from support.archives import debian_package, qt_resources

from bench.learned import pictures
from bench.learned.__main__ import SOURCES
from bench.photographs.fetch import Photograph, Truth

LOCKED: dict[str, Any] = tomllib.loads(SOURCES.read_text())


def png(seed: int, side: int = 90) -> bytes:
    """A picture of 6 x 6 squares of different grey."""
    squares = np.random.default_rng(seed).integers(0, 256, (6, 6), np.uint8)
    out = io.BytesIO()
    Image.fromarray(squares).resize((side, side), Image.Resampling.NEAREST).save(out, "PNG")
    return out.getvalue()


def cutout(seed: int) -> bytes:
    """The same, with a transparent left half."""
    picture = Image.open(io.BytesIO(png(seed))).convert("RGBA")
    picture.paste((0, 0, 0, 0), (0, 0, 45, 90))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def pk3(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as zipped:
        for name, content in files.items():
            zipped.writestr(name, content)
    return out.getvalue()


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, pictures.Picture]:
    """The pictures of a package; one of them is measured by `make bench-see`, in another size."""
    package = tmp_path / "sample_1_all.deb"
    files = {
        "./coins/euro.png": cutout(1),
        "./coins/never.png": png(2),
        "./other/measured.png": png(3, side=200),
        "./other/tiny.png": png(4, side=30),
        "./other/notes.txt": b"none",
        "./textures.pk3": pk3({"brick.png": png(5), "readme": b"none"}),
        "./animals.rcc": qt_resources("fish.png", png(6)),
    }
    package.write_bytes(debian_package(files))
    measured = Photograph("measured", "sample", png(3), Truth("held-out", "", (), (), ()))
    monkeypatch.setattr(pictures, "photographs", lambda: ([measured], []))
    monkeypatch.setattr(pictures, "fetch_archive", lambda _package: package)
    sources = {
        "never": "never",
        "always": "brick",
        "packages": [{"name": "sample", "pictures": ".", "photographs": "coins|fish", "every": 1}],
        "labels": {"Coin": {"shows": "coins", "unclear": "^$"}},
    }
    return {each.name: each for each in pictures.pictures(sources)}


def test_pictures_are_read_from_a_package_and_from_archives_in_it(found: dict[str, pictures.Picture]) -> None:
    assert found.keys() == {"./coins/euro.png", "./textures.pk3#brick.png", "./animals.rcc#/fish.png"}
    assert all(each.pixels.shape == (90, 90, 3) for each in found.values())


def test_a_photograph_that_the_benchmark_measures_is_never_trained_on(found: dict[str, pictures.Picture]) -> None:
    assert "./other/measured.png" not in found


def test_only_photographs_set_thresholds(found: dict[str, pictures.Picture]) -> None:
    assert {name for name, each in found.items() if each.is_photograph} == {
        "./coins/euro.png",
        "./animals.rcc#/fish.png",
    }


def test_a_cut_out_is_on_white_and_keeps_its_outline(found: dict[str, pictures.Picture]) -> None:
    euro = found["./coins/euro.png"]
    assert (euro.pixels[:, :45] == 255).all()
    assert euro.opacity is not None
    assert (euro.opacity[:, :45] == 0).all()
    assert (euro.opacity[:, 45:] == 255).all()
    assert found["./animals.rcc#/fish.png"].opacity is None


def test_every_package_is_locked_and_has_a_licence() -> None:
    for package in LOCKED["packages"]:
        assert re.fullmatch("[0-9a-f]{64}", package["sha256"])
        assert package["version"]
        assert package["licence"]


def test_the_committed_table_has_the_labels_of_the_sources() -> None:
    assert {each.label for each in learned.load()} == LOCKED["labels"].keys()
    assert LOCKED["labels"].keys() <= taxonomy.load().labels.keys()
