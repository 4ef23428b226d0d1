"""Chromium of this machine, for the tests of the page, its benchmark and its screenshots."""

from __future__ import annotations

import shutil

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
MISSING = "no Chromium on the PATH: apt-get install chromium (Debian; others: any Chromium or Chrome will do)"
# No requests of the browser's own.
ARGUMENTS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
]


def executable() -> str | None:
    """The path of Chromium or Chrome, None if there is none."""
    return next(filter(None, map(shutil.which, _NAMES)), None)
