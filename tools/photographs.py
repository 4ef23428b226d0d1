"""The photographs of the demo: some that scikit-image ships, all free of copyright, or the user's own."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png"}


class PhotographsError(Exception):
    """The user's directory has no photos; the message is one line."""


@dataclass(frozen=True, slots=True)
class Photograph:
    """A file to upload under a name; `labels` is what a person sees in it, for the emulated Rekognition.

    They travel as the object's metadata, `x-amz-meta-labels`. Without them the emulator labels by itself.
    """

    path: Path
    name: str
    labels: str = ""

    @property
    def content_type(self) -> str:
        return SUFFIXES[Path(self.name).suffix.lower()]


# scikit-image's file -> the name it gets in the bucket (as cameras and people name files: with spaces, capitals and
# signs), and what a person sees in it.
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
    """The photographs that come with scikit-image, by the record of its files (importing it would take seconds)."""
    files = {file.name: file for file in importlib.metadata.files("scikit-image") or () if file.parent.name == "data"}
    return [Photograph(Path(str(files[file].locate())), name, labels) for file, (name, labels) in _SHIPPED.items()]


def own(directory: Path) -> list[Photograph]:
    """The JPEG and PNG files under a directory of the user's.

    The module's suffixes are case-sensitive (".jpg" and ".JPG", not ".Jpg"), so the names get small ones.
    Raises PhotographsError if there is no such directory or no photo in it.
    """
    if not directory.is_dir():
        raise PhotographsError(f"PHOTOS={directory} is not a directory: name one that holds .jpg or .png files")
    found = sorted(path for path in directory.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not found:
        raise PhotographsError(f"PHOTOS={directory} holds no .jpg, .jpeg or .png file")
    return [Photograph(path, path.relative_to(directory).with_suffix(path.suffix.lower()).as_posix()) for path in found]
