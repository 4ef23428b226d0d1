"""Downloads into a directory: what is complete, what is skipped, and what an interruption leaves."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ResponseStreamingError
from image_labels_cli.downloads import Downloads, Outcome
from image_labels_cli.downloads.record import NAME
from image_labels_cli.downloads.run import WORKERS
from image_labels_cli.invocation import UsageError
from support.fakes import BUCKET

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PHOTOS = {"images/a.jpg": b"a" * 3_000_000, "images/A.jpg": b"upper", "../up.jpg": b"up", "empty.jpg": b""}


@pytest.fixture
def photos(s3: S3Client) -> S3Client:
    for key, content in PHOTOS.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=content)
    return s3


class Broken:
    """An S3 client whose first answers for each photo break after some bytes."""

    def __init__(self, s3: S3Client, times: int, broken: Exception) -> None:
        self._s3, self._times, self._broken = s3, times, broken
        self._calls: dict[str, int] = {}

    def get_object(self, **request: Any) -> Any:
        answer: Any = self._s3.get_object(**request)
        self._calls[request["Key"]] = self._calls.get(request["Key"], 0) + 1
        if self._calls[request["Key"]] <= self._times:
            answer["Body"] = _BrokenBody(answer["Body"], self._broken)
        return answer


class _BrokenBody:
    def __init__(self, body: Any, broken: Exception) -> None:
        self._body, self._broken, self._read = body, broken, 0

    def read(self, size: int) -> bytes:
        self._read += 1
        if self._read > 1:
            raise self._broken
        return bytes(self._body.read(min(size, 2)))

    def close(self) -> None:
        self._body.close()


def download(s3: Any, directory: Path, *keys: str) -> Outcome:
    told: list[int] = []
    with Downloads(s3, BUCKET, directory, told.append) as downloads:
        for key in keys:
            downloads.add(key)
    assert max(told, default=0) == downloads.outcome.total == len(keys)
    return downloads.outcome


def files(directory: Path) -> dict[str, bytes]:
    """The content of each file, without the record."""
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file() and path.name != NAME
    }


def test_photos_are_downloaded_once(photos: S3Client, tmp_path: Path) -> None:
    directory = tmp_path / "new" / "photos"
    first = download(photos, directory, *PHOTOS)
    assert str(first) == f"downloaded 4 photos (3.0 MB) to {directory}"
    found = files(directory)
    assert sorted(found.values()) == sorted(PHOTOS.values())
    assert found["%2E%2E/up.jpg"] == b"up"
    assert found["images/a.jpg"] == PHOTOS["images/a.jpg"]
    assert list(tmp_path.iterdir()) == [tmp_path / "new"]
    modified = photos.head_object(Bucket=BUCKET, Key="empty.jpg")["LastModified"].timestamp()
    assert (directory / "empty.jpg").stat().st_mtime == modified
    second = download(photos, directory, *PHOTOS)
    assert str(second) == f"downloaded 0 photos (0.0 MB) to {directory}; 4 were there already"
    assert files(directory) == found


def test_changed_photos_and_damaged_files_are_downloaded_again(photos: S3Client, tmp_path: Path) -> None:
    download(photos, tmp_path, *PHOTOS)
    photos.put_object(Bucket=BUCKET, Key="empty.jpg", Body=b"")  # the same content has the same ETag
    photos.put_object(Bucket=BUCKET, Key="../up.jpg", Body=b"pu")
    (tmp_path / "images" / "a.jpg").write_bytes(b"cut")
    outcome = download(photos, tmp_path, *PHOTOS)
    assert (outcome.downloaded, outcome.present) == (2, 2)
    assert files(tmp_path)["%2E%2E/up.jpg"] == b"pu"
    assert files(tmp_path)["images/a.jpg"] == PHOTOS["images/a.jpg"]


def test_deleted_photo_is_counted(photos: S3Client, tmp_path: Path) -> None:
    outcome = download(photos, tmp_path, "gone.jpg", "empty.jpg")
    assert str(outcome).endswith("; 1 is no longer in the bucket")
    assert files(tmp_path) == {"empty.jpg": b""}


def test_broken_connection_is_tried_again(photos: S3Client, tmp_path: Path) -> None:
    broken = ResponseStreamingError(error="connection reset")
    assert download(Broken(photos, 2, broken), tmp_path, *PHOTOS).downloaded == 4
    assert files(tmp_path)["images/a.jpg"] == PHOTOS["images/a.jpg"]


def test_connection_that_always_breaks_leaves_no_partial_file(photos: S3Client, tmp_path: Path) -> None:
    broken = ResponseStreamingError(error="connection reset")
    with pytest.raises(ResponseStreamingError):
        download(Broken(photos, 3, broken), tmp_path, "images/a.jpg")
    assert files(tmp_path) == {}


def test_photo_that_s3_refuses_does_not_stop_the_others(photos: S3Client, tmp_path: Path) -> None:
    class Refusing:
        def get_object(self, **request: Any) -> Any:
            if request["Key"] == "images/a.jpg":
                raise ClientError({"Error": {"Code": "InvalidObjectState", "Message": "archived"}}, "GetObject")
            return photos.get_object(**request)

    outcome = download(Refusing(), tmp_path, *PHOTOS)
    assert outcome.downloaded == 3
    assert [key for key, _ in outcome.failed] == ["images/a.jpg"]


def test_expired_credentials_stop_all_downloads(photos: S3Client, tmp_path: Path) -> None:
    class Expired:
        def get_object(self, **_: Any) -> Any:
            raise ClientError({"Error": {"Code": "ExpiredToken", "Message": "expired"}}, "GetObject")

    with pytest.raises(ClientError, match="ExpiredToken"):
        download(Expired(), tmp_path, *(f"{n}.jpg" for n in range(1000)))
    assert files(tmp_path) == {}


class Endless:
    """An S3 client whose answer for one photo never ends. `reading` is set once a part of it was read."""

    def __init__(self, s3: S3Client) -> None:
        self.reading = threading.Event()
        self._s3 = s3

    def get_object(self, **request: Any) -> Any:
        answer: Any = self._s3.get_object(**request)
        if request["Key"] == "images/a.jpg":
            answer["Body"] = self
        return answer

    def read(self, _size: int) -> bytes:
        self.reading.set()
        return b"a"

    def close(self) -> None:
        pass


def test_interruption_leaves_complete_files_only(photos: S3Client, tmp_path: Path) -> None:
    endless = Endless(photos)

    def interrupted() -> None:
        with Downloads(endless, BUCKET, tmp_path, lambda _done: None) as downloads:  # type: ignore[arg-type]
            downloads.add("empty.jpg")
            downloads.add("images/a.jpg")
            assert endless.reading.wait(60)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert set(files(tmp_path)) <= {"empty.jpg"}
    assert {path.name for path in tmp_path.iterdir()} <= {"empty.jpg", NAME}
    assert download(photos, tmp_path, *PHOTOS).total == 4
    assert sorted(files(tmp_path).values()) == sorted(PHOTOS.values())


def test_interruption_at_the_end_stops_the_downloads_that_are_left(photos: S3Client, tmp_path: Path) -> None:
    endless = Endless(photos)
    main = threading.get_ident()

    def press_ctrl_c() -> None:
        assert endless.reading.wait(60)
        signal.pthread_kill(main, signal.SIGINT)

    def interrupted() -> None:
        with Downloads(endless, BUCKET, tmp_path, lambda _done: None) as downloads:  # type: ignore[arg-type]
            for key in ["images/a.jpg"] * WORKERS + ["empty.jpg"]:
                downloads.add(key)
            threading.Thread(target=press_ctrl_c).start()

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert files(tmp_path) == {}
    assert {path.name for path in tmp_path.iterdir()} <= {NAME}


def test_directory_that_cannot_be_written_is_named(photos: S3Client, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"cannot write .*file.*: (File exists|Not a directory)"):
        download(photos, tmp_path / "file", "empty.jpg")
    with pytest.raises(UsageError, match=r"cannot write .*file/below: Not a directory"):
        download(photos, tmp_path / "file" / "below", "empty.jpg")
