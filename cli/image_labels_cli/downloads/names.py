"""Names of files for object keys, which may contain anything.

A name is valid on Linux, macOS and Windows, and stays below the directory: no `..`, no absolute path, no device of
Windows, no character that a file system refuses. Such parts are percent-encoded, and so is the percent sign itself, so
different keys have different names. https://learn.microsoft.com/en-us/windows/win32/fileio/naming-a-file
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence

# Files of this prefix in the directory are those of the command.
RESERVED = ".image-labels"
# Linux allows 255 bytes for each part of a path; the rest is for the hash of a name that is taken.
MAX_PART_BYTES = 220

_FORBIDDEN = re.compile('[\x00-\x1f\x7f<>:"\\\\|?*%]|[. ]$')
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:[ .].*)?", re.IGNORECASE)


def parts_of(key: str) -> tuple[str, ...]:
    """The parts of the path of a key's file, below the directory."""
    return tuple(_part(part, first=n == 0) for n, part in enumerate(key.split("/")))


def _part(part: str, *, first: bool) -> str:
    if not part:
        return "%2F"  # of two slashes in a row, or one at either end
    if part in (".", ".."):
        return part.replace(".", "%2E")
    safe = _FORBIDDEN.sub(lambda match: _encoded(match[0]), part)
    if _DEVICE.fullmatch(safe) or (first and safe.casefold().startswith(RESERVED)):
        safe = _encoded(safe[0]) + safe[1:]
    if len(safe.encode()) <= MAX_PART_BYTES:
        return safe
    return marked(safe, part)


def _encoded(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())


def marked(name: str, key: str, digits: int = 12) -> str:
    """The name with a hash of the key before its extension, for a name that is too long, or that another key has."""
    mark = f"~{hashlib.sha256(key.encode()).hexdigest()[:digits]}"
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension.encode()) > 16:
        stem, dot, extension = name, "", ""
    ending = f"{mark}{dot}{extension}"
    room = MAX_PART_BYTES - len(ending.encode())
    kept = stem.encode()[:room].decode(errors="ignore")
    return f"{kept}{ending}"


def folded(parts: Sequence[str]) -> str:
    """The path as file systems compare it that ignore case and Unicode normalisation: those of macOS and Windows."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", "/".join(parts)).casefold())
