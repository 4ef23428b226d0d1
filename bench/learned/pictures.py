"""The pictures of sources.toml: read from Debian's packages, and from the archives inside these, without unpacking."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

import numpy as np
from PIL import Image

from bench.photographs.archives import files_of_debian, resources
from bench.photographs.fetch import fetch_archive, photographs

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SUFFIXES = (".jpg", ".jpeg", ".png", ".tga", ".webp")
_LEAST_SIDE, _MOST_SIDE = 64, 800  # pixels
_THUMBNAIL = 16
_SAME = 0.985  # correlation of thumbnails of the same picture in another size or format


@dataclass(frozen=True, slots=True)
class Picture:
    """`name` is the path in the package, with the path in an archive of the package after "#".

    `opacity` is 0 to 255, of rows x columns; None if nothing is transparent.
    """

    name: str
    is_photograph: bool
    pixels: NDArray[np.uint8]
    opacity: NDArray[np.uint8] | None = None


class Patterns(TypedDict):
    """A label of sources.toml, which describes the fields."""

    shows: str
    unclear: str
    collages: NotRequired[bool]


def pictures(sources: Mapping[str, Any]) -> Iterator[Picture]:
    """The pictures of all packages, without those that bench/photographs has, and without `never`."""
    measured = np.array([thumbnail(_pixels(each.data)[0]) for each in photographs()[0]])
    always = [sources["always"], *(each["shows"] for each in sources["labels"].values())]
    for package in sources["packages"]:
        archive = fetch_archive({**package, "registry": "Debian"})
        for name, data in _files(archive):
            wanted = re.search(package["pictures"], name) and not re.search(sources["never"], name)
            chosen = any(re.search(each, name) for each in always)
            if not wanted or not (chosen or zlib.crc32(name.encode()) % package["every"] == 0):
                continue
            pixels, opacity = _pixels(data)
            if min(pixels.shape[:2]) < _LEAST_SIDE or (measured @ thumbnail(pixels)).max() > _SAME:
                continue
            yield Picture(name, bool(re.search(package["photographs"], name)), pixels, opacity)


def thumbnail(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """A picture as a vector of length 1. The product of two is their correlation."""
    small = Image.fromarray(pixels).convert("L").resize((_THUMBNAIL, _THUMBNAIL), Image.Resampling.BOX)
    values = np.asarray(small, float).ravel()
    values = values - values.mean()
    return np.asarray(values / max(np.linalg.norm(values), 1e-6))


def _files(archive: Path) -> Iterator[tuple[str, bytes]]:
    for name, data in files_of_debian(archive):
        inside = Path(name).suffix.lower()
        if inside == ".pk3":
            with zipfile.ZipFile(io.BytesIO(data)) as zipped:
                yield from ((f"{name}#{each}", zipped.read(each)) for each in zipped.namelist() if _is_picture(each))
        elif inside == ".rcc":
            yield from ((f"{name}#{path}", content) for path, content in resources(data) if _is_picture(path))
        elif _is_picture(name):
            yield name, data


def _is_picture(name: str) -> bool:
    return name.lower().endswith(_SUFFIXES)


def fold(name: str, folds: int) -> int:
    """The fold of a picture. Numbered files, as brick1.png and brick2.png, belong to the same."""
    stem = re.sub(r"[\d_]*[a-z]?\.\w+$", "", Path(name).name)
    return zlib.crc32(stem.encode()) % folds


def _pixels(data: bytes) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
    """RGB, on white where the picture is transparent, and the opacity."""
    file = Image.open(io.BytesIO(data))
    file.draft("RGB", (2 * _MOST_SIDE, 2 * _MOST_SIDE))
    picture = file.convert("RGBA")
    picture.thumbnail((_MOST_SIDE, _MOST_SIDE))
    white = Image.new("RGBA", picture.size, "white")
    opacity = np.asarray(picture.getchannel("A"))
    on_white = np.asarray(Image.alpha_composite(white, picture).convert("RGB"))
    return on_white, opacity if opacity.min() == 0 < opacity.max() else None
