"""Photographs for the demo: copyright-free ones from scikit-image, or the user's own."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png"}


class PhotographsError(Exception):
    """The user's directory is missing or has no photos; the message is one line."""


@dataclass(frozen=True, slots=True)
class Photograph:
    """A file, its name in the bucket, and the labels that a person assigned.

    The labels are uploaded as the metadata `x-amz-meta-labels`. Without them the emulator uses its other sources.
    """

    path: Path
    name: str
    labels: str = ""

    @property
    def content_type(self) -> str:
        return SUFFIXES[Path(self.name).suffix.lower()]


# scikit-image's file -> its name in the bucket (with spaces, capitals and special characters, as real files have), and
# its labels.
_SHIPPED = {
    # NASA, public domain: Eileen Collins
    "astronaut.png": (
        "NASA/Eileen Collins.PNG",
        "Astronaut=99.6,Adult=98.9,Female=98.9,Woman=98.9,Person=99.7,Smile=97.1,Flag=93.4,Portrait=92.8",
    ),
    # SpaceX, public domain: launch of DSCOVR
    "rocket.jpg": ("rocket launch + smoke.jpg", "Rocket=99.2,Launch=98.7,Night=84.2,Smoke=81.9"),
    # CC0, Stefan van der Walt
    "chelsea.png": ("Chelsea (my cat).png", "Cat=99.8,Kitten=91.3,Pet=99.8"),
    # CC0, Rachel Michetti
    "coffee.png": ("café & spoon 100%.png", "Coffee=99.1,Coffee Cup=99.4,Cup=99.4,Spoon=95.7,Saucer=90.2"),
    # NASA, public domain
    "hubble_deep_field.jpg": ("hubble_deep_field.jpg", "Astronomy=99.9,Outer Space=99.9,Nature=88.0,Galaxy=96.4"),
    # CC0, Lav Varshney
    "camera.png": (
        "🎥 cameraman.png",
        "Photographer=98.2,Tripod=97.6,Camera=95.5,Adult=96.3,Male=95.8,Man=95.8,Person=98.2",
    ),
}


def shipped() -> list[Photograph]:
    """Photographs of scikit-image, from the package's metadata because its import takes seconds."""
    files = {file.name: file for file in importlib.metadata.files("scikit-image") or () if file.parent.name == "data"}
    return [Photograph(Path(str(files[file].locate())), name, labels) for file, (name, labels) in _SHIPPED.items()]


def own(directory: Path) -> list[Photograph]:
    """The JPEG and PNG files under the user's directory.

    Suffixes become lower case, because the module's suffixes are case-sensitive (".jpg" and ".JPG", not ".Jpg").
    Raises PhotographsError if the directory does not exist or has no photo.
    """
    if not directory.is_dir():
        raise PhotographsError(f"PHOTOS={directory} is not a directory: name one with .jpg or .png files")
    found = sorted(path for path in directory.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not found:
        raise PhotographsError(f"PHOTOS={directory} has no .jpg, .jpeg or .png file")
    return [Photograph(path, path.relative_to(directory).with_suffix(path.suffix.lower()).as_posix()) for path in found]
