"""Downloads photos in parallel. A file has its final name only once it is complete."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, IncompleteReadError
from botocore.exceptions import ConnectionError as BotoConnectionError
from image_labels.aws_errors import Kind, code_of, kind_of
from image_labels.search.printable import visible

from image_labels_cli.downloads.names import RESERVED
from image_labels_cli.downloads.record import Entry, Record
from image_labels_cli.invocation import UsageError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

WORKERS = 8  # botocore's pool has ten connections
MAX_WAITING = 200  # photos that wait for a worker; the search waits in turn
CHUNK = 1024 * 1024  # bytes
ATTEMPTS = 3  # if the connection breaks within a photo, where botocore does not retry

_BROKEN = (HTTPClientError, IncompleteReadError, BotoConnectionError)
# With these, every other photo would fail, too.
_FATAL = (Kind.EXPIRED, Kind.UNKNOWN_CREDENTIALS)


@dataclass
class Outcome:
    """Numbers of photos: downloaded, in the directory already, no longer in the bucket. `size` is in bytes.

    `failed` has the key and the error of each photo that S3 refused.
    """

    directory: str
    downloaded: int = 0
    size: int = 0
    present: int = 0
    gone: int = 0
    failed: list[tuple[str, ClientError]] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.downloaded + self.present + self.gone + len(self.failed)

    def __str__(self) -> str:
        photos = f"{self.downloaded:,} photo{'' if self.downloaded == 1 else 's'}"
        parts = [f"downloaded {photos} ({self.size / 1e6:,.1f} MB) to {visible(self.directory)}"]
        if self.present:
            parts.append(f"{self.present:,} {'was' if self.present == 1 else 'were'} there already")
        if self.gone:
            parts.append(f"{self.gone:,} {'is' if self.gone == 1 else 'are'} no longer in the bucket")
        return "; ".join(parts)

    def as_json(self) -> dict[str, Any]:
        return {
            "directory": self.directory,
            "downloaded": self.downloaded,
            "bytes": self.size,
            "present": self.present,
            "gone": self.gone,
            "failed": [{"key": key, "error": str(error)} for key, error in self.failed],
        }


class Downloads:
    """Downloads each added photo, unless the directory has it with the ETag that it has in S3. A context manager.

    `tell` is called with the number of finished photos, from any thread. The methods raise botocore's errors if all
    downloads would fail, and UsageError if the directory cannot be written.
    """

    def __init__(self, s3: S3Client, bucket: str, directory: Path, tell: Callable[[int], None]) -> None:
        self.outcome = Outcome(str(directory))
        self._s3 = s3
        self._bucket = bucket
        self._directory = directory
        self._tell = tell
        self._lock = threading.Lock()
        self._waiting = threading.Semaphore(MAX_WAITING)
        self._stop = threading.Event()
        self._error: BaseException | None = None
        self._numbers = count(1)
        self._executor = ThreadPoolExecutor(WORKERS, thread_name_prefix="download")

    def __enter__(self) -> Self:
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            self._record = Record(self._directory)
            self._parts = Path(tempfile.mkdtemp(prefix=f"{RESERVED}-partial-", dir=self._directory))
        except OSError as error:
            raise _unwritable(error, self._directory) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._executor.shutdown()
        finally:  # after Ctrl-C, which is most likely while this waits, the threads stop at their next chunk
            self._stop.set()
            self._executor.shutdown(cancel_futures=True)
            self._record.close()
            shutil.rmtree(self._parts, ignore_errors=True)
        if error is None:
            self._raise()

    def add(self, key: str) -> None:
        """Download the photo. Waits if many photos wait already."""
        self._raise()
        uri = f"s3://{self._bucket}/{key}"
        entry = self._record.claim(uri, key)
        self._waiting.acquire()
        self._executor.submit(self._download, key, uri, entry)

    def _raise(self) -> None:
        if isinstance(self._error, OSError):
            raise _unwritable(self._error, self._directory) from None
        if self._error is not None:
            raise self._error

    def _download(self, key: str, uri: str, entry: Entry) -> None:
        try:
            if not self._stop.is_set():
                self._try(key, uri, entry)
        except ClientError as error:
            if kind_of(error) in _FATAL or code_of(error) == "NoSuchBucket":
                self._fail(error)
            else:
                with self._lock:
                    self.outcome.failed.append((key, error))
        except (BotoCoreError, OSError) as error:
            self._fail(error)
        except _Stopped:
            pass
        finally:
            self._waiting.release()
            with self._lock:
                self._tell(self.outcome.total)

    def _fail(self, error: BaseException) -> None:
        self._error = self._error or error
        self._stop.set()

    def _try(self, key: str, uri: str, entry: Entry) -> None:
        target = self._directory.joinpath(*entry.path.split("/"))
        for attempt in range(1, ATTEMPTS + 1):
            try:
                answer = self._get(key, entry, target)
                if answer is None:
                    return
                part = self._save(answer)
                break
            except _BROKEN:
                if attempt == ATTEMPTS:
                    raise
        size = answer["ContentLength"]
        os.utime(part, (answer["LastModified"].timestamp(),) * 2)
        self._record.begin(uri, entry.path)
        target.parent.mkdir(parents=True, exist_ok=True)
        part.replace(target)
        self._record.done(uri, entry.path, answer["ETag"], size)
        with self._lock:
            self.outcome.downloaded += 1
            self.outcome.size += size

    def _get(self, key: str, entry: Entry, target: Path) -> Any:
        """S3's answer; None if the photo is gone, or if the file is that photo already."""
        known: Any = {}
        if entry.etag and target.is_file() and target.stat().st_size == entry.size:
            known = {"IfNoneMatch": entry.etag}
        try:
            return self._s3.get_object(Bucket=self._bucket, Key=key, **known)
        except ClientError as error:
            code = code_of(error)
            if code not in ("304", "NotModified", "NoSuchKey", "404"):
                raise
            with self._lock:
                if code in ("304", "NotModified"):
                    self.outcome.present += 1
                else:
                    self.outcome.gone += 1
            return None

    def _save(self, answer: Any) -> Path:
        """The content in a partial file. botocore raises IncompleteReadError if S3 sends less than it promised."""
        path = self._parts / str(next(self._numbers))
        with path.open("xb") as file, closing(answer["Body"]) as body:
            while chunk := body.read(CHUNK):
                if self._stop.is_set():
                    raise _Stopped
                file.write(chunk)
        return path


class _Stopped(Exception):  # noqa: N818 - not an error: another thread has failed, or the user has pressed Ctrl-C
    pass


def _unwritable(error: OSError, directory: Path) -> UsageError:
    return UsageError(f"cannot write {visible(str(error.filename or directory))}: {error.strerror}")
