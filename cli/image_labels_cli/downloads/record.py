"""The files of a directory of downloads: which photo each one is, so that a second run skips it.

The record is a file of JSON lines in the directory, to which each download appends: a line with the path and the photo
before the file has its name, and one with ETag and size after it. Without the second line, the photo is downloaded
again.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from image_labels_cli.downloads.names import RESERVED, folded, marked, parts_of

NAME = f"{RESERVED}-downloads.jsonl"
_HASHES = (12, 24, 64)  # hexadecimal digits


@dataclass(frozen=True)
class Entry:
    """A file of an earlier download: its path below the directory. `etag` is "" if the download was interrupted."""

    path: str
    etag: str = ""
    size: int = -1


class Record:
    """Chooses the files of photos, and remembers them. `claim` is for one thread, the other methods for several.

    Raises OSError if the directory cannot be read or written.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._entries: dict[str, Entry] = {}
        self._files: dict[str, str] = {}  # URI by folded path
        self._directories: set[str] = set()
        self._lock = threading.Lock()
        self._file = directory / NAME
        self._appended: TextIO | None = None
        for uri, entry in _read(self._file):
            self._entries[uri] = entry
            parts = entry.path.split("/")
            self._files[folded(parts)] = uri
            self._directories.update(folded(parts[:depth]) for depth in range(1, len(parts)))

    def claim(self, uri: str, key: str) -> Entry:
        """The file of a photo: that of an earlier download, or one that neither another photo nor a user has."""
        if uri in self._entries:
            return self._entries[uri]
        parts = list(parts_of(key))
        for depth in range(1, len(parts)):
            self._rename(parts, depth, "/".join(key.split("/")[:depth]), self._is_free_directory)
            self._directories.add(folded(parts[:depth]))
        self._rename(parts, len(parts), uri, self._is_free)
        self._files[folded(parts)] = uri
        self._entries[uri] = entry = Entry("/".join(parts))
        return entry

    def begin(self, uri: str, path: str) -> None:
        """Record the path of a photo, before its file is there."""
        self._append({"path": path, "uri": uri})

    def done(self, uri: str, path: str, etag: str, size: int) -> None:
        """Record a complete file."""
        self._append({"path": path, "uri": uri, "etag": etag, "size": size})

    def close(self) -> None:
        if self._appended:
            self._appended.close()

    def _rename(self, parts: list[str], depth: int, text: str, is_free: Callable[[list[str]], bool]) -> None:
        """Give the last of the first `depth` parts another name until the path is free."""
        name = parts[depth - 1]
        for digits in _HASHES:
            if is_free(parts[:depth]):
                return
            parts[depth - 1] = marked(name, text, digits)

    def _is_free_directory(self, parts: list[str]) -> bool:
        path = folded(parts)
        return path in self._directories or (path not in self._files and not self._is_file(parts))

    def _is_free(self, parts: list[str]) -> bool:
        path = folded(parts)
        taken = path in self._files or path in self._directories
        return not taken and not os.path.lexists(self.directory.joinpath(*parts))

    def _is_file(self, parts: list[str]) -> bool:
        path = self.directory.joinpath(*parts)
        return os.path.lexists(path) and not path.is_dir()

    def _append(self, line: dict[str, Any]) -> None:
        with self._lock:
            if self._appended is None:
                _end_last_line(self._file)
                self._appended = self._file.open("a", encoding="utf-8")
            self._appended.write(json.dumps(line) + "\n")
            self._appended.flush()


def _end_last_line(file: Path) -> None:
    """A run that was killed may have left a part of a line, to which the next one must not be appended."""
    if file.exists() and not file.read_bytes().endswith(b"\n"):
        with file.open("a", encoding="utf-8") as opened:
            opened.write("\n")


def _read(file: Path) -> Iterator[tuple[str, Entry]]:
    """The entries in the order of the file. Lines that the command did not write are skipped."""
    if not file.exists():
        return
    with file.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                match json.loads(line):
                    case {"path": str(path), "uri": str(uri), "etag": str(etag), "size": int(size)}:
                        entry = Entry(path, etag, size)
                    case {"path": str(path), "uri": str(uri)}:
                        entry = Entry(path)
                    case _:
                        continue
            except ValueError:
                continue
            if _is_below(path):
                yield uri, entry


def _is_below(path: str) -> bool:
    """Whether the path stays in the directory on each system. The file may come from someone else, as in an archive."""
    return all(parts_of(part) == (part.replace("%", "%25"),) for part in path.split("/"))
