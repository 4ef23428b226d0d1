"""What a preview reads from S3: little of a photo with a thumbnail, nothing of a photo that was shown before."""

from __future__ import annotations

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, cast

import pytest
from image_labels_cli.browse.previews import Abandoned, Kept, NotPreviewable, Preview, Previews, service
from PIL import Image
from support.fakes import BUCKET

from bench.camera import exif_of, jpeg, scene

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mypy_boto3_s3 import S3Client

KEY = "images/a photo & more.jpg"
MEGABYTE = 1_000_000


class CountingS3:
    """Counts what GetObject returns. `before` runs before each call, `at_once` is the most that were read together."""

    def __init__(self, s3: S3Client) -> None:
        self._s3 = s3
        self.meta = s3.meta
        self.received: list[int] = []
        self.before: Callable[[], None] = lambda: None
        self.at_once = self._now = 0
        self._lock = threading.Lock()

    def get_object(self, **request: Any) -> Any:
        with self._lock:
            self._now += 1
            self.at_once = max(self.at_once, self._now)
        try:
            self.before()
            answer = self._s3.get_object(**request)
            content = answer["Body"].read()
            self.received.append(len(content))
            return cast("dict[str, Any]", answer) | {"Body": io.BytesIO(content)}
        finally:
            with self._lock:
                self._now -= 1


@pytest.fixture
def counting(s3: S3Client) -> CountingS3:
    return CountingS3(s3)


@pytest.fixture
def previews(counting: CountingS3, tmp_path: Path) -> Previews:
    return Previews(cast("Any", counting), BUCKET, Kept(tmp_path))


def size_of(preview: Preview) -> tuple[int, int]:
    return Image.open(io.BytesIO(preview.content)).size


def upload(s3: S3Client, body: bytes, key: str = KEY) -> str:
    return s3.put_object(Bucket=BUCKET, Key=key, Body=body)["ETag"].strip('"')


PHOTO = jpeg(scene(1600, 1200), 4 * MEGABYTE, exif=exif_of(scene(160, 120)))


def test_thumbnail_saves_the_download_of_a_large_photo(s3: S3Client, counting: CountingS3, previews: Previews) -> None:
    etag = upload(s3, PHOTO)
    preview = previews.get(KEY, etag)
    assert preview.current
    assert size_of(preview) == (160, 120)
    assert counting.received == [service.FIRST_BYTES]


def test_sharp_preview_replaces_the_thumbnail(s3: S3Client, counting: CountingS3, previews: Previews) -> None:
    etag = upload(s3, PHOTO)
    assert size_of(previews.get(KEY, etag)) == (160, 120)
    assert size_of(previews.get(KEY, etag, sharp=True)) == (512, 384)
    read = sum(counting.received)
    assert read == service.FIRST_BYTES + 4 * MEGABYTE
    assert size_of(previews.get(KEY, etag)) == (512, 384)
    assert size_of(previews.get(KEY, etag, sharp=True)) == (512, 384)
    assert sum(counting.received) == read


def test_thumbnail_behind_maker_notes_is_read_with_a_second_request(
    s3: S3Client, counting: CountingS3, previews: Previews
) -> None:
    etag = upload(s3, jpeg(scene(1600, 1200), 4 * MEGABYTE, exif=exif_of(scene(160, 120), room=50_000)))
    assert size_of(previews.get(KEY, etag)) == (160, 120)
    assert len(counting.received) == 2
    assert sum(counting.received) < 65_536


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (jpeg(scene(1600, 1200), 4 * MEGABYTE), (512, 384)),  # no thumbnail
        (jpeg(scene(1600, 1200), MEGABYTE, exif=exif_of(scene(160, 120))), (512, 384)),  # small: sharper
        (jpeg(scene(1200, 1200), 4 * MEGABYTE, exif=exif_of(scene(160, 120))), (512, 512)),  # cropped afterwards
    ],
)
def test_other_photos_are_read_once(
    s3: S3Client, counting: CountingS3, previews: Previews, body: bytes, expected: tuple[int, int]
) -> None:
    etag = upload(s3, body)
    assert size_of(previews.get(KEY, etag)) == expected
    assert sum(counting.received) == len(body)
    assert previews.get(KEY, etag).current
    assert sum(counting.received) == len(body)


def test_next_run_reads_nothing(s3: S3Client, counting: CountingS3, previews: Previews, tmp_path: Path) -> None:
    etag = upload(s3, PHOTO)
    first = previews.get(KEY, etag)
    counting.received.clear()
    assert Previews(cast("Any", counting), BUCKET, Kept(tmp_path)).get(KEY, etag) == first
    assert not counting.received


def test_replaced_photo_has_another_preview(s3: S3Client, previews: Previews) -> None:
    old = upload(s3, jpeg(scene(400, 300)))
    assert size_of(previews.get(KEY, old)) == (400, 300)
    new = upload(s3, jpeg(scene(300, 400)))
    assert size_of(previews.get(KEY, new)) == (300, 400)


@pytest.mark.parametrize("etag", ["", "0" * 32])
def test_present_object_is_shown_if_the_etag_is_unknown_or_old(s3: S3Client, previews: Previews, etag: str) -> None:
    upload(s3, jpeg(scene(300, 400)))
    preview = previews.get(KEY, etag)
    assert (size_of(preview), preview.current) == ((300, 400), False)


@pytest.mark.parametrize(("body", "words"), [(b"", "empty"), (b"This is a text.", "not a JPEG or PNG")])
def test_other_objects_are_refused_once(
    s3: S3Client, counting: CountingS3, previews: Previews, body: bytes, words: str
) -> None:
    etag = upload(s3, body)
    for _ in range(2):
        with pytest.raises(NotPreviewable, match=words):
            previews.get(KEY, etag)
    assert sum(counting.received) == len(body)


def test_object_over_the_limit_is_not_downloaded(s3: S3Client, counting: CountingS3, previews: Previews) -> None:
    etag = upload(s3, jpeg(scene(400, 300), service.MAX_BYTES + 1))
    with pytest.raises(NotPreviewable, match="15 MB"):
        previews.get(KEY, etag)
    assert counting.received == [service.FIRST_BYTES]


def test_abandoned_preview_is_not_downloaded(s3: S3Client, counting: CountingS3, previews: Previews) -> None:
    etag = upload(s3, PHOTO)
    with pytest.raises(Abandoned):
        previews.get(KEY, etag, lambda: True)
    assert not counting.received


def test_server_that_ends_downloads_nothing_more(s3: S3Client, counting: CountingS3, previews: Previews) -> None:
    etag = upload(s3, jpeg(scene(400, 300), 4 * MEGABYTE))
    counting.before = previews.stop  # during the first request
    with pytest.raises(Abandoned):
        previews.get(KEY, etag)
    requests = len(counting.received)
    with pytest.raises(Abandoned):
        previews.get(KEY, etag)
    assert len(counting.received) == requests


def test_reads_at_once_are_limited(s3: S3Client, counting: CountingS3, previews: Previews) -> None:
    """All readers meet at a barrier of the limit's size, so there are as many, and no more."""
    meeting = threading.Barrier(service.READS_AT_ONCE)
    counting.before = lambda: cast("None", meeting.wait(timeout=30))
    keys = [f"images/{number}.jpg" for number in range(2 * service.READS_AT_ONCE)]
    for number, key in enumerate(keys):
        upload(s3, jpeg(scene(200, 150, seed=number)), key)
    with ThreadPoolExecutor(len(keys)) as pool:
        assert all(size_of(preview) == (200, 150) for preview in pool.map(lambda key: previews.get(key, ""), keys))
    assert counting.at_once == service.READS_AT_ONCE
