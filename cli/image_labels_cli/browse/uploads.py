"""Uploads of the page: the key of a file, its checks, and its transfer to S3 with progress."""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
import unicodedata
from collections.abc import Iterator
from concurrent.futures import Future, wait
from dataclasses import asdict
from typing import IO, TYPE_CHECKING, Any

from image_labels.calls import MAX_BYTES
from image_labels.search.printable import without_hidden

from image_labels_cli.browse.problems import BadRequest, problem_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from image_labels_cli.inventory.keys import KeyFilter

Json = dict[str, Any]

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
MAX_KEY_BYTES = 1024
REPORT_SECONDS = 0.1
_IN_MEMORY = 1_000_000  # bytes; the rest of a larger file is on the disk
# The formats that Rekognition accepts, by their first bytes.
_TYPES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}

log = logging.getLogger(__name__)


class Uploads:
    """Puts files into the bucket under keys that the module labels. `keys` is the module's filter."""

    def __init__(self, s3: S3Client, bucket: str, keys: KeyFilter) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._keys = keys

    def about(self) -> Json:
        """The key prefix and the suffixes that the module labels, and the largest file in bytes."""
        return {"prefix": self._keys.prefix, "suffixes": list(self._keys.suffixes), "maxBytes": MAX_BYTES}

    def key_of(self, folder: str, name: str) -> str:
        """The key of a file in a folder. Hidden characters and slashes of its name are left out.

        Names are composed (NFC), because macOS decomposes them: "é" as typed in a search is one character. Raises
        BadRequest if the module would not label the object.
        """
        folder, name = _clean(folder), _clean(name.replace("/", "").replace("\\", ""))
        if folder and folder != self._keys.prefix and not folder.endswith("/"):
            folder += "/"
        key = folder + name
        if not name:
            raise BadRequest("The file has no name.")
        if {".", ".."} & set(key.split("/")):
            raise BadRequest("Neither a folder nor a file can be named “.” or “..”.")
        if not key.startswith(self._keys.prefix):
            raise BadRequest(f"The module labels only keys that start with “{self._keys.prefix}”.")
        if not self._keys.matches(key):
            suffixes = ", ".join(self._keys.suffixes)
            raise BadRequest(f"The module labels only files whose names end with {suffixes}. Rename the file.")
        if (size := len(key.encode(errors="surrogatepass"))) > MAX_KEY_BYTES:
            raise BadRequest(f"The key has {size:,} bytes, and S3 allows {MAX_KEY_BYTES:,}. Shorten the name.")
        return key

    def receive(self, body: IO[bytes]) -> IO[bytes]:
        """A temporary copy of a file, which the caller closes. Raises BadRequest if Rekognition would reject it."""
        file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed at the end of the transfer
        shutil.copyfileobj(body, file)
        try:
            if not (size := file.tell()):
                raise BadRequest("The file is empty.")
            if size > MAX_BYTES:
                raise BadRequest(f"The file has {size / 1024**2:.1f} MB, and Rekognition accepts at most 15 MB.")
            _type_of(file)
        except BadRequest:
            file.close()
            raise
        return file

    def send(self, key: str, file: IO[bytes], *, replace: bool = False) -> Iterator[Json]:
        """Put a received file into the bucket, and close it. Yields {"sent": bytes} now and then.

        The last one has "etag" and "versionId" (None without versioning), or a "problem". Without `replace`, an object
        with the same key is a problem of kind "exists", and stays as it is.
        """
        counted = _Counted(file)
        result: Future[Json] = Future()
        # Not a thread of a pool, because Ctrl-C would wait for it. S3 stores a photo as a whole, or not at all.
        arguments = (key, counted, replace, result)
        threading.Thread(target=self._put, args=arguments, daemon=True).start()
        reported = -1
        while not result.done():
            if counted.sent != reported:
                reported = counted.sent
                yield {"sent": reported}
            wait([result], timeout=REPORT_SECONDS)
        yield result.result()

    def _put(self, key: str, counted: _Counted, replace: bool, result: Future[Json]) -> None:
        condition: Any = {} if replace else {"IfNoneMatch": "*"}
        try:
            with counted.file as file:
                answer = self._s3.put_object(
                    Bucket=self._bucket,
                    Key=key,
                    Body=counted,  # type: ignore[arg-type]
                    ContentType=_type_of(file),
                    **condition,
                )
        except Exception as error:
            problem = problem_of(error)
            if problem.kind == "unknown":
                log.error("upload of %s", key, exc_info=error)
            result.set_result({"problem": asdict(problem)})
        else:
            version = answer.get("VersionId")
            # As the function stores it: the version "null" of a bucket with suspended versioning is none.
            result.set_result({"etag": answer["ETag"].strip('"'), "versionId": None if version == "null" else version})


class _Counted:
    """The bytes of a file, read so far. botocore rewinds it after it has computed a checksum, and for a retry."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.sent = 0

    def read(self, size: int = -1) -> bytes:
        data = self.file.read(size)
        self.sent = self.file.tell()
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        return self.file.seek(offset, whence)

    def tell(self) -> int:
        return self.file.tell()


def _clean(text: str) -> str:
    return without_hidden(unicodedata.normalize("NFC", text)).strip()


def _type_of(file: IO[bytes]) -> str:
    """The media type of a file, by its content. Rewinds it. Raises BadRequest if it is neither JPEG nor PNG."""
    file.seek(0)
    start = file.read(8)
    file.seek(0)
    for signature, media_type in _TYPES.items():
        if start.startswith(signature):
            return media_type
    raise BadRequest("The file is neither a JPEG nor a PNG.")
