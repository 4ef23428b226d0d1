"""The page's server: on loopback, for as long as the command runs."""

from __future__ import annotations

import os
import secrets
import socket
import webbrowser
from typing import TYPE_CHECKING, Any

from image_labels.search.finder import Finder
from waitress import create_server  # type: ignore[import-untyped]

from image_labels_cli.browse.app import create_app
from image_labels_cli.browse.photos import Finds, Library
from image_labels_cli.browse.security import LOOPBACK

if TYPE_CHECKING:
    from image_labels_cli.browse.access import Access

THREADS = 8


class BrowseError(Exception):
    """The page could not be served; the message is one line for the operator."""


class PageServer:
    """A page that listens as soon as this is made, and answers while `run` runs."""

    def __init__(self, access: Access, *, port: int = 0, finder: Finds | None = None) -> None:
        finder = finder or Finder(access.dynamodb, labels_table=access.labels_table, images_table=access.images_table)
        listener = _listen(port)
        self.port: int = listener.getsockname()[1]
        self.token = secrets.token_urlsafe(32)
        app = create_app(Library(access, finder), token=self.token, port=self.port)
        # No Server header; keys of 1,024 bytes, each byte as %XX, a hundred at a time.
        self._channels: dict[int, Any] = {}
        self._server = create_server(
            app, self._channels, sockets=[listener], threads=THREADS, ident=None, max_request_header_size=512_000
        )

    @property
    def url(self) -> str:
        """The address to open; the token in it is the key to the page."""
        return f"http://{LOOPBACK}:{self.port}/?token={self.token}"

    def run(self) -> None:
        """Answer until Ctrl-C or `close`."""
        self._server.run()
        self._server.task_dispatcher.shutdown()

    def close(self) -> None:
        """End `run`, which another thread is in."""
        self._server.trigger.pull_trigger(self._close_all)  # where it waits: what it waits for may not go meanwhile

    def _close_all(self) -> None:
        for channel in list(self._channels.values()):
            channel.close()


def serve(access: Access, *, port: int = 0, open_browser: bool = True) -> None:
    """Serve the page until Ctrl-C; port 0 takes a free one. Raises BrowseError if the port is taken."""
    server = PageServer(access, port=port)
    print(f"The photos of {access.bucket}, for this machine only, until Ctrl-C:\n\n    {server.url}\n", flush=True)
    if open_browser:
        webbrowser.open(server.url)
    server.run()


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # elsewhere it would let two programs have the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, port))
    except OSError as error:
        listener.close()
        raise BrowseError(f"port {port} cannot be listened on ({error.strerror}): choose another, or 0") from None
    return listener
