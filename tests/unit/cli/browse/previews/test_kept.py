"""Previews on the disk: file modes, the limit of their total size, and disks that fail."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from image_labels_cli.browse.previews import Kept, default_directory

NAMES = [f"{number:064x}" for number in range(100, 120)]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "previews"


def test_content_is_kept_for_the_next_run(directory: Path) -> None:
    Kept(directory).put(NAMES[0], b"one")
    assert Kept(directory).get(NAMES[0]) == b"one"
    assert Kept(directory).get(NAMES[1]) is None


@pytest.mark.skipif(os.name != "posix", reason="file modes of POSIX")
def test_only_the_user_can_read_the_files(directory: Path) -> None:
    before = os.umask(0)
    try:
        Kept(directory).put(NAMES[0], b"one")
    finally:
        os.umask(before)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in [directory, *directory.glob("*")]}
    files = {stat.S_IMODE(path.stat().st_mode) for path in directory.glob("*/*")}
    assert (modes, files) == ({0o700}, {0o600})


def test_least_recently_used_are_deleted_first(directory: Path) -> None:
    kept = Kept(directory, max_bytes=1000)
    for hours, name in enumerate(NAMES[:9]):
        kept.put(name, bytes(100))
        [path] = directory.glob(f"*/{name[2:]}*")
        os.utime(path, (1_000_000 + hours * 3600,) * 2)
    assert kept.get(NAMES[0])  # which is a use
    kept.put(NAMES[9], bytes(100))
    kept.put(NAMES[10], bytes(100))
    left = [name for name in NAMES if Kept(directory).get(name)]
    assert left == [NAMES[0], *NAMES[3:11]]
    assert sum(path.stat().st_size for path in directory.glob("*/*")) <= 1000


def test_limit_includes_the_files_of_earlier_runs(directory: Path) -> None:
    for name in NAMES:
        Kept(directory).put(name, bytes(100))
    Kept(directory, max_bytes=1000).put("f" * 64, bytes(100))
    assert sum(path.stat().st_size for path in directory.glob("*/*")) <= 1000


def test_disk_that_fails_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")
    kept = Kept(tmp_path / "file" / "previews")
    kept.put(NAMES[0], b"one")
    assert kept.get(NAMES[0]) is None


def test_interrupted_write_leaves_nothing(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    Kept(directory).put(NAMES[0], b"one")
    assert not list(directory.glob("*/*"))


def test_directory_is_below_the_users_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    if os.name == "posix" and os.uname().sysname == "Linux":
        assert default_directory() == tmp_path / "image-labels" / "previews"
    assert default_directory().parts[-2:] == ("image-labels", "previews") or os.name == "nt"
