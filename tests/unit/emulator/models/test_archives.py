"""Files of wheels and npm's archives."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from image_labels_emulator.models import archives
from image_labels_emulator.models.archives import ArchiveError, read_files

Maker = Callable[[Path, Mapping[str, bytes]], Path]

CONTENT = {"package/model.json": b"{}", "package/weights.bin": b"\0\1\2" * 1000}


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def hashes(files: Mapping[str, bytes]) -> dict[str, str]:
    return {path: sha256(content) for path, content in files.items()}


def wheel(where: Path, files: Mapping[str, bytes]) -> Path:
    archive = where / "package.whl"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as stream:
        for path, content in files.items():
            stream.writestr(path, content)
    return archive


def tarball(where: Path, files: Mapping[str, bytes]) -> Path:
    archive = where / "package.tgz"
    with tarfile.open(archive, "w:gz") as stream:
        for path, content in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(content)
            stream.addfile(member, io.BytesIO(content))
    return archive


MAKERS: list[Maker] = [wheel, tarball]
each_kind = pytest.mark.parametrize("make", MAKERS)


def read(archive: Path, files: Mapping[str, str]) -> dict[str, bytes]:
    return read_files(archive, sha256(archive.read_bytes()), files)


@each_kind
def test_named_files_are_read_and_nothing_is_written(make: Maker, tmp_path: Path) -> None:
    archive = make(tmp_path, {**CONTENT, "setup.py": b"raise SystemExit", "../outside": b"", "/absolute": b""})
    assert read(archive, hashes(CONTENT)) == CONTENT
    assert list(tmp_path.iterdir()) == [archive]


@each_kind
def test_archive_with_another_hash_is_refused(make: Maker, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="does not have the SHA-256 0000"):
        read_files(make(tmp_path, CONTENT), "0" * 64, hashes(CONTENT))


@each_kind
def test_file_with_another_hash_is_refused(make: Maker, tmp_path: Path) -> None:
    archive = make(tmp_path, {**CONTENT, "package/model.json": b"[]"})
    with pytest.raises(ArchiveError, match=r"package/model\.json in package\.\w+ does not have the SHA-256"):
        read(archive, hashes(CONTENT))


@each_kind
def test_missing_file_is_refused(make: Maker, tmp_path: Path) -> None:
    archive = make(tmp_path, {"package/model.json": b"{}"})
    with pytest.raises(ArchiveError, match=r"has no file package/weights\.bin"):
        read(archive, hashes(CONTENT))


@each_kind
def test_file_over_the_limit_is_refused(make: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_FILE", 100)
    with pytest.raises(ArchiveError, match=r"package/weights\.bin has more than 100 bytes"):
        read(make(tmp_path, CONTENT), hashes(CONTENT))


def test_tarball_over_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_ARCHIVE", 1000)
    with pytest.raises(ArchiveError, match="has more than 1000 bytes when unpacked"):
        read(tarball(tmp_path, CONTENT), hashes(CONTENT))


@each_kind
def test_damaged_archive_is_refused(make: Maker, tmp_path: Path) -> None:
    archive = make(tmp_path, CONTENT)
    archive.write_bytes(archive.read_bytes()[:-40])
    with pytest.raises(ArchiveError, match="cannot be read"):
        read(archive, hashes(CONTENT))


def test_link_in_a_tarball_is_not_followed(tmp_path: Path) -> None:
    archive = tmp_path / "package.tgz"
    with tarfile.open(archive, "w:gz") as stream:
        link = tarfile.TarInfo("package/model.json")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        stream.addfile(link)
    with pytest.raises(ArchiveError, match="has no file"):
        read(archive, {"package/model.json": sha256(b"")})
