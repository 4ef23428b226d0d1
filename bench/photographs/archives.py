"""Members of archives, by name, without unpacking anything: wheels, source distributions, npm's .tgz and .deb.

A member `file.rcc#/path` is a file inside a Qt resource file. Its format is described in Qt's source (qresource.cpp):
big-endian numbers; a header with the offsets of a tree of nodes, of the data and of the names. WebP pictures become
PNG, because Rekognition takes JPEG and PNG only.
"""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

_AR_START = b"!<arch>\n"
_AR_HEADER = 60
_RCC_START = b"qres"
_NODE_SIZES = {1: 14, 2: 22, 3: 22}  # by version of the format; later versions add a time to each node
_COMPRESSED, _DIRECTORY, _ZSTD = 1, 2, 4


class ArchiveError(Exception):
    """A member is missing, or an archive has an unexpected format."""


def read(archive: Path, members: list[str]) -> dict[str, bytes]:
    """The members of an archive, by name. Raises ArchiveError if one is missing."""
    files = {member.partition("#")[0] for member in members}
    found = _files(archive, files)
    if missing := files - found.keys():
        raise ArchiveError(f"{archive.name} has no {', '.join(sorted(missing))}")
    return {member: _photograph(found, member) for member in members}


def _files(archive: Path, names: set[str]) -> dict[str, bytes]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as zipped:
            return {name: zipped.read(name) for name in names & set(zipped.namelist())}
    source = io.BytesIO(_debian_data(archive.read_bytes())) if archive.suffix == ".deb" else archive.open("rb")
    with source, tarfile.open(fileobj=source) as tar:
        found = {}
        for member in tar:
            content = tar.extractfile(member) if member.name in names and member.isfile() else None
            if content is not None:
                found[member.name] = content.read()
        return found


def files_of_debian(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Path and content of each file of a .deb. Raises ArchiveError."""
    with tarfile.open(fileobj=io.BytesIO(_debian_data(archive.read_bytes()))) as tar:
        for member in tar:
            if member.isfile() and (content := tar.extractfile(member)):
                yield member.name, content.read()


def _debian_data(package: bytes) -> bytes:
    """The member data.tar.* of a Debian package, which is an ar archive."""
    if not package.startswith(_AR_START):
        raise ArchiveError("a .deb file is not an ar archive")
    at = len(_AR_START)
    while at + _AR_HEADER <= len(package):
        name = package[at : at + 16].rstrip(b" /")
        size = int(package[at + 48 : at + 58])
        at += _AR_HEADER
        if name.startswith(b"data.tar"):
            return package[at : at + size]
        at += size + size % 2
    raise ArchiveError("a .deb file has no data.tar")


def _photograph(files: dict[str, bytes], member: str) -> bytes:
    file, _, inside = member.partition("#")
    data = resource(files[file], inside) if inside else files[file]
    if not member.endswith(".webp"):
        return data
    png = io.BytesIO()
    Image.open(io.BytesIO(data)).convert("RGB").save(png, "PNG")
    return png.getvalue()


def resource(rcc: bytes, path: str) -> bytes:
    """A file of a Qt resource file. Raises ArchiveError."""
    for name, flags, start in _resource_files(rcc):
        if name == path:
            return _content(rcc, path, flags, start)
    raise ArchiveError(f"the resource file has no {path}")


def resources(rcc: bytes) -> Iterator[tuple[str, bytes]]:
    """Path and content of each file of a Qt resource file. Raises ArchiveError."""
    for path, flags, start in _resource_files(rcc):
        yield path, _content(rcc, path, flags, start)


def _resource_files(rcc: bytes) -> Iterator[tuple[str, int, int]]:
    """Path, flags and offset of the content of each file."""
    if not rcc.startswith(_RCC_START):
        raise ArchiveError("a .rcc file is not a Qt resource file")
    version, tree, data, names = struct.unpack_from(">4I", rcc, len(_RCC_START))
    if version not in _NODE_SIZES:
        raise ArchiveError(f"version {version} of Qt resource files is not supported")
    for path, flags, node in _nodes(rcc, tree, names, _NODE_SIZES[version], 0, ""):
        (start,) = struct.unpack_from(">I", rcc, node + 10)
        yield path, flags, data + start


def _content(rcc: bytes, path: str, flags: int, start: int) -> bytes:
    (length,) = struct.unpack_from(">I", rcc, start)
    content = rcc[start + 4 : start + 4 + length]
    if flags & _ZSTD:
        raise ArchiveError(f"{path} is compressed with zstd")
    return zlib.decompress(content[4:]) if flags & _COMPRESSED else content


def _nodes(rcc: bytes, tree: int, names: int, size: int, index: int, parent: str) -> Iterator[tuple[str, int, int]]:
    """Path, flags and offset of each file under a node."""
    node = tree + index * size
    name_at, flags = struct.unpack_from(">IH", rcc, node)
    path = parent + "/" + _name(rcc, names + name_at) if index else ""
    if not flags & _DIRECTORY:
        yield path, flags, node
        return
    count, first = struct.unpack_from(">II", rcc, node + 6)
    for child in range(first, first + count):
        yield from _nodes(rcc, tree, names, size, child, path)


def _name(rcc: bytes, at: int) -> str:
    (length,) = struct.unpack_from(">H", rcc, at)
    return rcc[at + 6 : at + 6 + 2 * length].decode("utf-16-be")
