"""The demo's photographs: real files with labels, or the user's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tools import photographs
from tools.photographs import PhotographsError


def test_shipped_photographs_are_there_and_labelled() -> None:
    shipped = photographs.shipped()
    assert len(shipped) == 6
    for photo in shipped:
        with Image.open(photo.path) as image:
            assert min(image.size) >= 80
            assert image.get_format_mimetype() == photo.content_type
        assert photo.labels


def test_own_photographs_are_found_below_a_directory(tmp_path: Path) -> None:
    (tmp_path / "sub dir").mkdir()
    for name in ("b.Jpg", "sub dir/a.png", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    assert [photo.name for photo in photographs.own(tmp_path)] == ["b.jpg", "sub dir/a.png"]


def test_directory_without_photographs_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(PhotographsError, match=r"has no \.jpg"):
        photographs.own(tmp_path)
    with pytest.raises(PhotographsError, match="is not a directory"):
        photographs.own(tmp_path / "none")
