"""The demo's photographs: those that are included, or the user's own and the files that are left out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import hcl2
import pytest
from PIL import Image
from support.rekognition_model import picture

from tools import photographs
from tools.photographs import PhotographsError
from tools.terraform import ROOT


def test_included_photographs_are_valid() -> None:
    shipped = photographs.shipped()
    assert 8 <= len(shipped) <= 10
    for photo in shipped:
        with Image.open(photo.path) as image:
            assert min(image.size) >= 80
            assert image.get_format_mimetype() == photo.content_type
        assert photo.name.endswith(photographs.SUFFIXES)
        assert photo.key == f"images/{photo.name}"


@pytest.mark.parametrize("trap", [" ", "+", "&", "%", "#", "?", "=", ";", "'", "(", "/", "é", "🎥", ".PNG", "%20"])
def test_names_of_included_photographs_have_each_trap(trap: str) -> None:
    assert any(trap in photo.name for photo in photographs.shipped())


def test_suffixes_are_those_that_the_example_labels() -> None:
    with (ROOT / "variables.tf").open() as source:
        parsed: dict[str, Any] = hcl2.load(source)
    variables = {name.strip('"'): value for each in parsed["variable"] for name, value in each.items()}
    assert [suffix.strip('"') for suffix in variables["filter_suffixes"]["default"]] == list(photographs.SUFFIXES)
    assert "filter_suffixes" not in (ROOT / "examples" / "complete" / "main.tf").read_text()


def write(path: Path, data: bytes | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(picture() if data is None else data)


def reasons(directory: Path) -> dict[str, str]:
    return {each.name: each.why for each in photographs.own(directory)[1]}


def test_own_photographs_keep_their_names(tmp_path: Path) -> None:
    names = ["A b+c.JPG", "b.JPEG", "c.jpeg", "sub dir/ü & 100%.png"]
    for name in names:
        write(tmp_path / name)
    photos, left_out = photographs.own(tmp_path)
    assert [photo.name for photo in photos] == names
    assert [photo.content_type for photo in photos] == ["image/jpeg"] * 3 + ["image/png"]
    assert left_out == []


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("a.Jpg", None, "suffix .Jpg: filter_suffixes takes .jpg and .JPG only; rename it"),
        ("notes.txt", b"x", "not a .jpg, .jpeg or .png file"),
        ("IMG_1.HEIC", b"x", "convert it"),
        ("jpg", None, "not a .jpg"),
        (".hidden.jpg", None, "hidden"),
        (".git/a.jpg", None, "hidden"),
        ("text.jpg", b"This is a text.", "not a JPEG or PNG that can be decoded"),
        ("empty.jpg", b"", "not a JPEG or PNG that can be decoded"),
        ("half.jpg", picture()[:400], "not a JPEG or PNG that can be decoded"),
        ("small.png", picture(200, 79, "PNG"), "under 80 pixels on a side"),
        ("wide.png", picture(10_001, 80, "PNG"), "over 10,000 pixels on a side: scale it down"),
        ("large.jpg", b"\xff\xd8\xff" + bytes(15 * 1024 * 1024), "15.0 MB, and Rekognition takes at most 15 MB"),
        ("/".join(["directory" * 20] * 6) + "/a.jpg", None, "and S3 takes 1,024: shorten its path"),
    ],
)
def test_file_that_cannot_be_labelled_is_left_out_with_the_reason(
    tmp_path: Path, name: str, data: bytes | None, why: str
) -> None:
    write(tmp_path / "good.jpg")
    write(tmp_path / name, data)
    photos, left_out = photographs.own(tmp_path)
    assert [photo.name for photo in photos] == ["good.jpg"]
    (only,) = left_out
    assert only.name == (".git/" if name.startswith(".git") else name)
    assert why in only.why


def test_symbolic_links_are_left_out(tmp_path: Path) -> None:
    """They may lead out of the directory."""
    write(tmp_path / "elsewhere" / "secret.jpg")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "link.jpg").symlink_to(tmp_path / "elsewhere" / "secret.jpg")
    (tmp_path / "photos" / "broken.jpg").symlink_to("nowhere")
    (tmp_path / "photos" / "directory").symlink_to(tmp_path / "elsewhere")
    assert photographs.own(tmp_path / "photos")[0] == []
    assert {name.rstrip("/"): why for name, why in reasons(tmp_path / "photos").items()} == dict.fromkeys(
        ("broken.jpg", "directory", "link.jpg"), "a symbolic link: copy the file instead"
    )


def test_file_that_is_none_and_name_that_is_not_utf8(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / os.fsdecode(b"caf\xe9.jpg")).write_bytes(picture())
    assert sorted(reasons(tmp_path).values()) == ["a name that is not UTF-8: rename it", "not a regular file"]


def test_directory_that_does_not_exist_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(PhotographsError, match="is not a directory"):
        photographs.own(tmp_path / "none")
