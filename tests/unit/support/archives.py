"""Archives as Debian and Qt write them, with the given files."""

from __future__ import annotations

import io
import struct
import tarfile
from collections.abc import Mapping


def tarball(files: Mapping[str, bytes]) -> bytes:
    """A .tar.gz."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


def debian_package(files: Mapping[str, bytes]) -> bytes:
    """A .deb."""
    members = {
        "debian-binary": b"2.0\n",
        "control.tar.gz": tarball({"./control": b"odd"}),
        "data.tar.gz": tarball(files),
    }
    return b"!<arch>\n" + b"".join(_ar(name, content) for name, content in members.items())


def qt_resources(name: str, content: bytes) -> bytes:
    """A Qt resource file of version 1 with one file in its root."""
    data = struct.pack(">I", len(content)) + content
    names = struct.pack(">HI", len(name), 0) + name.encode("utf-16-be")
    root = struct.pack(">IHII", 0, 2, 1, 1)
    file = struct.pack(">IHHHI", 0, 0, 0, 0, 0)
    header = struct.pack(">4I", 1, 20, 20 + len(root + file), 20 + len(root + file + data))
    return b"qres" + header + root + file + data + names


def _ar(name: str, content: bytes) -> bytes:
    header = f"{name:16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode()
    return header + content + b"\n" * (len(content) % 2)
