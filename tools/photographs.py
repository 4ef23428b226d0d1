"""Photographs for the demo: copyright-free ones from scikit-image, or the user's own. None of them has labels."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from image_labels_emulator.rekognition import image
from image_labels_emulator.rekognition.errors import RekognitionError

PREFIX = "images/"
# The default of filter_suffixes, which are case-sensitive.
SUFFIXES = (".jpg", ".jpeg", ".png", ".JPG", ".JPEG", ".PNG")
MAX_KEY_BYTES = 1024
_TYPES = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png"}


class PhotographsError(Exception):
    """The user's directory does not exist; the message is one line."""


@dataclass(frozen=True, slots=True)
class Photograph:
    """A file, and its name in the bucket, below PREFIX."""

    path: Path
    name: str

    @property
    def key(self) -> str:
        return PREFIX + self.name

    @property
    def content_type(self) -> str:
        return _TYPES[self.path.suffix.lower()]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file or directory that is not uploaded. `why` includes what the user can do about it."""

    name: str
    why: str


# scikit-image's file -> its name in the bucket, with spaces, capitals and special characters, as real files have.
_SHIPPED = {
    "astronaut.png": "NASA/Eileen Collins.PNG",  # NASA, public domain
    "rocket.jpg": "rocket launch + smoke.jpg",  # SpaceX, public domain: before the launch of DSCOVR
    "chelsea.png": "Chelsea (my cat).png",  # CC0, Stefan van der Walt
    "coffee.png": "café & spoon 100%.png",  # CC0, Rachel Michetti
    "motorcycle_left.png": "Uncle's garage/motorcycle #1.png",  # Middlebury 2014 stereo benchmark
    "coins.png": "coins%20from Pompeii = 24; old?.png",  # Brooklyn Museum, no known copyright restrictions
    "hubble_deep_field.jpg": "hubble_deep_field.jpg",  # NASA, public domain
    "camera.png": "🎥 cameraman.png",  # CC0, Lav Varshney
}


def shipped() -> list[Photograph]:
    """Photographs of scikit-image, from the package's metadata because its import takes seconds."""
    files = {file.name: file for file in importlib.metadata.files("scikit-image") or () if file.parent.name == "data"}
    return [Photograph(Path(str(files[file].locate())), name) for file, name in _SHIPPED.items()]


def own(directory: Path) -> tuple[list[Photograph], list[LeftOut]]:
    """The photos under the user's directory that the pipeline can label, under their own names, and the other files.

    Raises PhotographsError if the directory does not exist.
    """
    if not directory.is_dir():
        raise PhotographsError(f"PHOTOS={directory} is not a directory: name one with .jpg or .png files")
    photos, left_out = [], []
    for path in _walk(directory):
        name = path.relative_to(directory).as_posix()
        if why := _refusal(path, name):
            left_out.append(LeftOut(name + "/" * _is_directory(path), why))
        else:
            photos.append(Photograph(path, name))
    return photos, left_out


def _walk(directory: Path) -> Iterator[Path]:
    """Files, and the directories that are not entered: hidden ones, symbolic links, and unreadable ones."""
    try:
        entries = sorted(directory.iterdir())
    except OSError:
        yield directory
        return
    for path in entries:
        if _is_directory(path) and not path.is_symlink() and not path.name.startswith("."):
            yield from _walk(path)
        else:
            yield path


def _is_directory(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # its directory can be listed, but not entered
        return False


def _refusal(path: Path, name: str) -> str:
    """Why the file is not uploaded; empty if it is."""
    try:
        return _unsuitable_kind(path) or _unsuitable_name(path.suffix, name) or _unsuitable_content(path)
    except OSError as error:
        return f"unreadable: {error.strerror}"


def _unsuitable_kind(path: Path) -> str:
    if path.name.startswith("."):
        return "hidden: rename it without the dot if it is a photo"
    if path.is_symlink():
        return "a symbolic link: copy the file instead"
    if path.is_dir():
        return "a directory that cannot be read: check its permissions"
    return "" if path.is_file() else "not a regular file"


def _unsuitable_name(suffix: str, name: str) -> str:
    if suffix.lower() not in _TYPES:
        return "not a .jpg, .jpeg or .png file: convert it if it is a photo"
    if suffix not in SUFFIXES:
        return f"suffix {suffix}: filter_suffixes takes {suffix.lower()} and {suffix.upper()} only; rename it"
    try:
        size = len((PREFIX + name).encode())
    except UnicodeEncodeError:
        return "a name that is not UTF-8: rename it"
    return f"a key of {size:,} bytes, and S3 takes {MAX_KEY_BYTES:,}: shorten its path" if size > MAX_KEY_BYTES else ""


def _unsuitable_content(path: Path) -> str:
    size = path.stat().st_size
    if size > image.MAX_S3_BYTES:
        return f"{size / 1024**2:.1f} MB, and Rekognition takes at most 15 MB: scale it down"
    try:
        image.load(path.read_bytes())
    except RekognitionError as error:
        match error.code:
            case "ImageTooLargeException":
                return f"over {image.MAX_SIDE:,} pixels on a side: scale it down"
            case "InvalidParameterException":
                return f"under {image.MIN_SIDE} pixels on a side: choose a larger one"
            case _:
                return "not a JPEG or PNG that can be decoded: save it again with an image editor"
    return ""
