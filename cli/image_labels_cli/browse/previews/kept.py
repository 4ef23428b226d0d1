"""The previews on the operator's disk, below the user's cache directory. The least recently used are deleted first."""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
import time
from pathlib import Path

import platformdirs

MAX_BYTES = 500_000_000  # about 20,000 previews
_AFTER_CLEANUP = 0.9  # of the limit, so that not every further preview needs a clean-up
_USED_SECONDS = 3600  # the time of last use is recorded this often
_SUFFIX = ".webp"


def default_directory() -> Path:
    """For example ~/.cache/image-labels/previews, or below XDG_CACHE_HOME, ~/Library/Caches or %LOCALAPPDATA%."""
    return Path(platformdirs.user_cache_path("image-labels", appauthor=False)) / "previews"


class Kept:
    """Files by name, at most `max_bytes` in total. Several processes may use the same directory.

    Only the user can read the files (modes 0700 and 0600). All failures of the disk are ignored: a preview that cannot
    be kept is made again.
    """

    def __init__(self, directory: Path, max_bytes: int = MAX_BYTES) -> None:
        self._directory = directory
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._bytes: int | None = None  # counted at the first write

    def get(self, name: str) -> bytes | None:
        """The content, or None."""
        path = self._path(name)
        try:
            content = path.read_bytes()
            if time.time() - path.stat().st_mtime > _USED_SECONDS:
                os.utime(path)
        except OSError:
            return None
        return content or None

    def put(self, name: str, content: bytes) -> None:
        """Keeps the content, and deletes the least recently used files if there are too many."""
        with contextlib.suppress(OSError):
            self._write(self._path(name), content)
            with self._lock:
                if self._bytes is None:
                    self._bytes = sum(size for _, size, _ in self._files())
                else:
                    self._bytes += len(content)
                if self._bytes > self._max_bytes:
                    self._clean_up()

    def _path(self, name: str) -> Path:
        """`name` is hexadecimal. Its first two digits are a directory, because a long directory is slow to list."""
        return self._directory / name[:2] / (name[2:] + _SUFFIX)

    def _write(self, path: Path, content: bytes) -> None:
        """Writes a file that is complete under its name, whatever interrupts it."""
        for directory in (self._directory, path.parent):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = path.with_name(f".{secrets.token_hex(8)}")
        try:
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            new.replace(path)
        finally:
            new.unlink(missing_ok=True)

    def _files(self) -> list[tuple[float, int, Path]]:
        """Time of last use, size and path of all files."""
        found = []
        for path in self._directory.glob("??/*"):
            with contextlib.suppress(OSError):  # another process deleted it
                state = path.stat()
                found.append((state.st_mtime, state.st_size, path))
        return found

    def _clean_up(self) -> None:
        files = sorted(self._files())
        total = sum(size for _, size, _ in files)
        for _, size, path in files:
            if total <= self._max_bytes * _AFTER_CLEANUP:
                break
            path.unlink(missing_ok=True)
            total -= size
        self._bytes = total
