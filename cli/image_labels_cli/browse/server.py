"""The web server of the page. It listens on loopback while the command runs."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import webbrowser
from typing import TYPE_CHECKING, Any

from image_labels.calls import MAX_BYTES
from image_labels.search.finder import Finder
from image_labels.search.printable import visible
from waitress import create_server  # type: ignore[import-untyped]

from image_labels_cli.browse.app import create_app
from image_labels_cli.browse.photos import FinderLike, Library
from image_labels_cli.browse.previews import Kept, Previews, default_directory
from image_labels_cli.browse.security import LOOPBACK

if TYPE_CHECKING:
    from pathlib import Path

    from image_labels_cli.browse.access import Access

# waitress receives a request as a whole before it calls the application, and refuses this size.
TOO_LARGE = MAX_BYTES + 1_000_000
THREADS = 16  # more than a browser's six connections, because a preview takes a while to make after the browser left it


class BrowseError(Exception):
    """The server cannot start. The message is one line for the operator."""


class PageServer:
    """Listens once constructed, and answers requests while `run` runs. `previews` is the directory to keep them in."""

    def __init__(
        self, access: Access, *, port: int = 0, finder: FinderLike | None = None, previews: Path | None = None
    ) -> None:
        finder = finder or Finder(access.dynamodb, labels_table=access.labels_table, images_table=access.images_table)
        listener = _listen(port)
        self.port: int = listener.getsockname()[1]
        self.token = secrets.token_urlsafe(32)
        self._previews = Previews(access.s3, access.bucket, Kept(previews or default_directory()))
        app = create_app(Library(access, finder, self._previews), token=self.token, port=self.port)
        self._channels: dict[int, Any] = {}
        self._server = create_server(
            app,
            self._channels,
            sockets=[listener],
            threads=THREADS,
            ident=None,  # no Server header
            max_request_header_size=512_000,  # a request may have 100 keys of 1,024 bytes, each byte encoded as %XX
            max_request_body_size=TOO_LARGE if access.uploads else 1,
            channel_request_lookahead=1,  # detects that the browser has closed the connection
        )

    @property
    def url(self) -> str:
        """The address of the page, with its access token."""
        return f"http://{LOOPBACK}:{self.port}/?token={self.token}"

    def run(self) -> None:
        """Answers requests until Ctrl-C or `close`."""
        self._server.run()
        self._previews.stop()
        self._server.task_dispatcher.shutdown()

    def close(self) -> None:
        """Stops `run`, which runs in another thread."""
        self._server.trigger.pull_trigger(self._close_all)  # in the server's thread, which selects on the channels

    def _close_all(self) -> None:
        for channel in list(self._channels.values()):
            channel.close()


def serve(access: Access, *, port: int = 0, open_browser: bool = True) -> None:
    """Serves the page until Ctrl-C. Port 0 selects a free port. Raises BrowseError if the port is in use."""
    server = PageServer(access, port=port)
    # waitress warns each time that a request waits for a thread, and of threads that still run after Ctrl-C. The
    # operator can do nothing about either.
    logging.getLogger("waitress").setLevel(logging.ERROR)
    print(f"Photos of {access.bucket}, on this machine only. Press Ctrl-C to stop.\n\n    {server.url}\n", flush=True)
    if access.uploads:
        print(f"Uploads go to s3://{visible(access.bucket + '/' + access.uploads.prefix)}\n", flush=True)
    if open_browser:
        webbrowser.open(server.url)
    server.run()


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # on Windows it would let two programs share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, port))
    except OSError as error:
        listener.close()
        raise BrowseError(f"cannot listen on port {port} ({error.strerror}): choose another port, or 0") from None
    return listener
