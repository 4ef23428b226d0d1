"""Previews of the photos of one bucket: from the disk, else from the object's embedded thumbnail, else from the object.

Each preview is made once per machine. What it reads from S3:

    photo up to SMALL bytes                 the photo
    JPEG with an embedded thumbnail         its first FIRST_BYTES, and the rest of its EXIF data if that is longer
    other photos                            the photo

An embedded thumbnail is not sharp. The photo replaces it once a sharp preview is requested.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from image_labels.aws_errors import code_of

from image_labels_cli.browse.previews.jpeg_head import TruncatedError, is_jpeg, read_head
from image_labels_cli.browse.previews.picture import NotPreviewable, preview_of, preview_of_thumbnail

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

    from image_labels_cli.browse.previews.kept import Kept

FIRST_BYTES = 24_576
MAX_HEAD_BYTES = 200_000
SMALL = 1_000_000  # below this, the photo itself gives a sharper preview at little cost
# Rekognition labels no larger photo: https://docs.aws.amazon.com/rekognition/latest/dg/limits.html
MAX_BYTES = 15_728_640
READS_AT_ONCE = 6
DECODES_AT_ONCE = 2  # of up to 200 MB each
_PIECE = 65_536
_REFUSALS_KEPT = 10_000
_FORM = 1  # increase it when previews change


class Abandoned(Exception):  # noqa: N818 - not an error
    """The browser no longer waits for the preview."""


@dataclass(frozen=True)
class Preview:
    """A WebP. `current` says whether it shows the object with the requested ETag."""

    content: bytes
    current: bool


@dataclass
class _Object:
    """What was read of an object so far, its total size, and its ETag."""

    key: str
    etag: str
    size: int
    start: bytes


class Previews:
    """Makes previews, several at once. Threads may share it."""

    def __init__(self, s3: S3Client, bucket: str, kept: Kept) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._kept = kept
        self._reads = threading.BoundedSemaphore(READS_AT_ONCE)
        self._decodes = threading.BoundedSemaphore(DECODES_AT_ONCE)
        self._refused: dict[str, str] = {}
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Abandons all previews that are being made, so that the server can end."""
        self._stopped.set()

    def get(
        self, key: str, etag: str, abandoned: Callable[[], bool] = lambda: False, *, sharp: bool = False
    ) -> Preview:
        """The preview of the object with this ETag, or, if it has been replaced, of the present object.

        `etag` may be "" if it is unknown. `sharp` excludes an embedded thumbnail. Raises NotPreviewable, Abandoned, and
        botocore's errors.
        """

        def is_abandoned() -> bool:
            return self._stopped.is_set() or abandoned()

        if etag and (content := self._find(key, etag, sharp)):
            return Preview(content, current=True)
        while not self._reads.acquire(timeout=0.5):
            if is_abandoned():
                raise Abandoned
        try:
            if is_abandoned():
                raise Abandoned
            found = self._open(key, etag)
            content = self._find(key, found.etag, sharp) or self._make(found, is_abandoned, sharp)
            return Preview(content, current=found.etag == etag)
        finally:
            self._reads.release()

    def _find(self, key: str, etag: str, sharp: bool) -> bytes | None:
        name = self._name(key, etag)
        content = self._kept.get(name) or (None if sharp else self._kept.get(self._name(key, etag, thumbnail=True)))
        if content is None and (why := self._refused.get(name)):
            raise NotPreviewable(why)
        return content

    def _name(self, key: str, etag: str, *, thumbnail: bool = False) -> str:
        """The name of the preview on the disk. An emulator's bucket may have the same name as one of AWS."""
        identity = [_FORM, self._s3.meta.endpoint_url, self._bucket, key, etag, thumbnail]
        return hashlib.sha256(json.dumps(identity).encode()).hexdigest()

    def _open(self, key: str, etag: str) -> _Object:
        """Reads the start of the object with this ETag, else of the present object."""
        try:
            answer = self._read(key, 0, FIRST_BYTES, etag)
        except ClientError as error:
            if code_of(error) in ("412", "PreconditionFailed"):
                return self._open(key, "")
            if code_of(error) in ("416", "InvalidRange"):
                raise NotPreviewable("The object is empty.") from error
            raise
        with closing(answer["Body"]) as body:
            start = body.read()
        total = answer.get("ContentRange", "").rpartition("/")[2]
        return _Object(key, answer["ETag"].strip('"'), int(total) if total.isdecimal() else len(start), start)

    def _make(self, found: _Object, abandoned: Callable[[], bool], sharp: bool) -> bytes:
        thumbnail = None if sharp else self._from_thumbnail(found, abandoned)
        try:
            content = thumbnail or self._from_photo(found, abandoned)
        except NotPreviewable as error:
            if len(self._refused) < _REFUSALS_KEPT:
                self._refused[self._name(found.key, found.etag)] = str(error)
            raise
        self._kept.put(self._name(found.key, found.etag, thumbnail=thumbnail is not None), content)
        return content

    def _from_thumbnail(self, found: _Object, abandoned: Callable[[], bool]) -> bytes | None:
        if found.size <= SMALL or not is_jpeg(found.start):
            return None
        while True:
            try:
                head = read_head(found.start)
            except TruncatedError as truncated:
                if truncated.needs > min(MAX_HEAD_BYTES, found.size):
                    return None
                self._read_on(found, truncated.needs, abandoned)
            else:
                return None if head is None else preview_of_thumbnail(head)

    def _from_photo(self, found: _Object, abandoned: Callable[[], bool]) -> bytes:
        if found.size > MAX_BYTES:
            raise NotPreviewable(f"The photo has more than {MAX_BYTES // 1024**2} MB.")
        self._read_on(found, found.size, abandoned)
        with self._decodes:
            return preview_of(found.start)

    def _read_on(self, found: _Object, end: int, abandoned: Callable[[], bool]) -> None:
        """Reads up to `end`, which may be beyond the object's end. The object must not have been replaced."""
        end = min(end, found.size)
        if end <= len(found.start):
            return
        pieces = [found.start]
        with closing(self._read(found.key, len(found.start), end, found.etag)["Body"]) as body:
            while piece := body.read(_PIECE):
                pieces.append(piece)
                if abandoned():
                    raise Abandoned
        found.start = b"".join(pieces)

    def _read(self, key: str, start: int, end: int, etag: str) -> GetObjectOutputTypeDef:
        span = f"bytes={start}-{end - 1}"
        if etag:
            return self._s3.get_object(Bucket=self._bucket, Key=key, Range=span, IfMatch=f'"{etag}"')
        return self._s3.get_object(Bucket=self._bucket, Key=key, Range=span)
