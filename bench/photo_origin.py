"""S3 on a port of this machine: GetObject and HeadObject of photos that are made when they are read.

A thousand photos of 4 MB would fill the memory of an emulator. Here all photos have the bytes of a few, and each has
its own ETag. The link can be as slow as a real one. The answers are those of S3 to the requests of the page:
https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_PIECE = 65_536


@dataclass(frozen=True)
class Link:
    """The way to S3: bits per second, shared by all requests, and seconds until the first byte of each."""

    bits_per_second: float
    latency: float


def etag_of(key: str) -> str:
    """The ETag of the photo with this key."""
    return hashlib.md5(key.encode()).hexdigest()  # noqa: S324 - as S3's


class PhotoOrigin:
    """Serves `photo(key)` for each key of any bucket. `sent` counts bytes of bodies, `requests` counts requests."""

    def __init__(
        self, photo: Callable[[str], bytes], link: Link | None = None, *, etag: Callable[[str], str] = etag_of
    ) -> None:
        self.photo = photo
        self.etag = etag
        self.link = link
        self.sent = 0
        self.requests = 0
        self._lock = threading.Lock()
        self._free_at = 0.0  # when the link has sent everything so far
        origin = self

        class Handler(_Handler):
            server_origin = origin

        self._server = _Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def client(self) -> S3Client:
        """A client for this origin."""
        return boto3.client(
            "s3",
            region_name="eu-west-1",
            endpoint_url=f"http://127.0.0.1:{self._server.server_address[1]}",
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - not a secret
            config=Config(signature_version="s3v4", s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
        )

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def count_request(self) -> None:
        with self._lock:
            self.requests += 1
        if self.link:
            time.sleep(self.link.latency)

    def count_bytes(self, size: int) -> None:
        """Counts bytes that are sent, and waits as long as the link takes for them."""
        with self._lock:
            self.sent += size
            if not self.link:
                return
            now = time.monotonic()
            self._free_at = max(now, self._free_at) + size * 8 / self.link.bits_per_second
            wait = self._free_at - now
        time.sleep(wait)

    def reset(self) -> None:
        with self._lock:
            self.sent = self.requests = 0


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: Any) -> None:
        """Nothing: a reader that has enough resets the connection."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_origin: PhotoOrigin

    def do_GET(self) -> None:
        origin = self.server_origin
        origin.count_request()
        key = unquote(urlsplit(self.path).path).lstrip("/").partition("/")[2]
        etag = f'"{origin.etag(key)}"'
        if self.headers.get("If-Match", etag) != etag:
            self._answer(412, b"<Error><Code>PreconditionFailed</Code></Error>", {})
            return
        content = origin.photo(key)
        headers = {"ETag": etag, "Content-Type": "image/jpeg", "Accept-Ranges": "bytes"}
        status, span = 200, self.headers.get("Range", "").removeprefix("bytes=")
        if span:
            start, _, end = span.partition("-")
            last = min(int(end or len(content)), len(content) - 1)
            headers["Content-Range"] = f"bytes {start}-{last}/{len(content)}"
            status, content = 206, content[int(start) : last + 1]
        self._answer(status, content, headers)

    def do_HEAD(self) -> None:
        self.do_GET()

    def _answer(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "HEAD":
            return
        try:
            for start in range(0, len(content), _PIECE):
                piece = content[start : start + _PIECE]
                self.server_origin.count_bytes(len(piece))
                self.wfile.write(piece)
        except OSError:  # the reader has enough
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Nothing: the default writes to stderr."""
