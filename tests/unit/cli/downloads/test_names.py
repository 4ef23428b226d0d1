"""Names of files for any object key."""

from __future__ import annotations

import re
from pathlib import Path, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_labels_cli.downloads.names import folded, parts_of
from image_labels_cli.downloads.record import Record

# Texts of parts that have a meaning for a file system, beside random ones.
parts = st.one_of(
    st.sampled_from(
        ["", ".", "..", "a", "A", "CON", "nul.jpg", "a.", "a ", "a:b", "C:", "\\", "%2F", "é", "e\u0301", "~"]
    ),
    st.text(max_size=8),
    st.text(alphabet="aé犬", min_size=200, max_size=300),
)
some_keys = st.lists(parts, min_size=1, max_size=4).map("/".join)


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("images/2026/cat & dog (1).jpg", "images/2026/cat & dog (1).jpg"),
        ("images/.hidden/ü 🐕.jpg", "images/.hidden/ü 🐕.jpg"),
        ("../../etc/passwd", "%2E%2E/%2E%2E/etc/passwd"),
        ("/etc/passwd", "%2F/etc/passwd"),
        ("a//b/./c/", "a/%2F/b/%2E/c/%2F"),
        ("C:\\x\\..\\y", "C%3A%5Cx%5C..%5Cy"),
        ("a\nb\x00.jpg", "a%0Ab%00.jpg"),
        ('what?*<>|".jpg', "what%3F%2A%3C%3E%7C%22.jpg"),
        ("100%.jpg", "100%25.jpg"),
        ("con/AUX.jpg/com1 .txt/console.jpg", "%63on/%41UX.jpg/%63om1 .txt/console.jpg"),
        ("trailing./space /x", "trailing%2E/space%20/x"),
        (".image-labels-downloads.jsonl", "%2Eimage-labels-downloads.jsonl"),
    ],
)
def test_key_has_a_safe_path(key: str, path: str) -> None:
    assert "/".join(parts_of(key)) == path


@given(some_keys)
def test_path_of_any_key_is_valid_everywhere_and_below_the_directory(key: str) -> None:
    for part in parts_of(key):
        assert part not in ("", ".", "..")
        assert not re.search('[\x00-\x1f\x7f<>:"/\\\\|?*]|[. ]$', part)
        assert not PureWindowsPath(part).is_reserved()
        assert len(part.encode()) <= 255
    assert not PureWindowsPath("/".join(parts_of(key))).is_absolute()


@given(st.lists(some_keys, min_size=2, max_size=6, unique=True))
def test_different_keys_have_different_files_on_every_file_system(keys: list[str]) -> None:
    record = Record(Path("no such directory"))
    paths = [record.claim(f"s3://b/{key}", key).path for key in keys]
    whole = {folded(path.split("/")) for path in paths}
    directories = {folded(path.split("/")[:depth]) for path in paths for depth in range(1, path.count("/") + 1)}
    assert len(whole) == len(keys)
    assert not whole & directories
    assert [record.claim(f"s3://b/{key}", key).path for key in keys] == paths
