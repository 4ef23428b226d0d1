"""The files of a directory of downloads."""

from __future__ import annotations

from pathlib import Path

from image_labels_cli.downloads.record import NAME, Entry, Record


def test_earlier_download_keeps_its_file(tmp_path: Path) -> None:
    first = Record(tmp_path)
    paths = [first.claim(f"s3://b/{key}", key).path for key in ("A.jpg", "a.jpg", "a.JPG/b")]
    assert paths[0] == "A.jpg"
    assert [path[:2] for path in paths[1:]] == ["a~", "a~"]
    for key, path in zip(("A.jpg", "a.jpg", "a.JPG/b"), paths, strict=True):
        first.done(f"s3://b/{key}", path, '"e"', 5)
    first.close()
    second = Record(tmp_path)
    assert second.claim("s3://b/a.jpg", "a.jpg") == Entry(paths[1], '"e"', 5)
    assert second.claim("s3://b/a.JPG/b", "a.JPG/b").path == paths[2]
    assert second.claim("s3://other/A.jpg", "A.jpg").path not in paths


def test_file_of_the_user_is_kept(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("mine")
    (tmp_path / "b").write_text("mine")
    record = Record(tmp_path)
    assert record.claim("s3://x/a.jpg", "a.jpg").path.startswith("a~")
    assert record.claim("s3://x/b/c.jpg", "b/c.jpg").path.startswith("b~")


def test_interrupted_download_is_not_complete(tmp_path: Path) -> None:
    record = Record(tmp_path)
    record.done("s3://b/k", "k", '"old"', 5)
    record.begin("s3://b/k", "k")
    record.close()
    assert Record(tmp_path).claim("s3://b/k", "k") == Entry("k")


def test_lines_of_others_and_unsafe_paths_are_ignored(tmp_path: Path) -> None:
    lines = [
        "not JSON",
        "[1]",
        '{"path": "../x", "uri": "s3://b/k", "etag": "e", "size": 1}',
        '{"path": "/etc/x", "uri": "s3://b/k"}',
        '{"path": "a\\\\..\\\\b", "uri": "s3://b/k"}',
        '{"path": ".image-labels-downloads.jsonl", "uri": "s3://b/k"}',
        '{"path": "good", "uri": "s3://b/good", "etag": "e", "size": 1}',
        '{"path": "cut", "uri": "s3://b/c',
    ]
    (tmp_path / NAME).write_text("\n".join(lines))
    record = Record(tmp_path)
    assert record.claim("s3://b/k", "k") == Entry("k")
    assert record.claim("s3://b/good", "good") == Entry("good", "e", 1)
    record.done("s3://b/k", "k", "e", 2)
    record.close()
    assert Record(tmp_path).claim("s3://b/k", "k") == Entry("k", "e", 2)
