"""Collages: cut-out pictures, several on one ground.

Packages have some things as single cut-outs only, such as coins. Photographs show many of them, in any size, on any
ground. A label of sources.toml with `collages = true` is also trained with collages of its cut-outs, and against
collages of all other cut-outs, which are arranged alike: neither rows nor the ground tell the label.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from bench.learned.pictures import Picture, fold

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.learned.pictures import Patterns

_SEED = 1
_SIDE = 320  # pixels, of a collage
_PER_FOLD = {True: 64, False: 128}  # collages that show the label, and that do not
_MOST_KINDS, _MOST_ROWS = 8, 5
_GROUNDS = 10  # one of so many pictures is a ground


@dataclass(frozen=True, slots=True)
class Collages:
    """Cut-outs, and pictures that are grounds of collages."""

    cutouts: list[Picture] = field(default_factory=list)
    grounds: list[Image.Image] = field(default_factory=list)

    def add(self, picture: Picture) -> None:
        """Keep a picture if it is a cut-out, or a texture that is chosen as a ground."""
        if picture.opacity is not None:
            self.cutouts.append(picture)
        elif not picture.is_photograph and zlib.crc32(picture.name.encode()) % _GROUNDS == 0:
            self.grounds.append(Image.fromarray(picture.pixels).resize((_SIDE, _SIDE)))

    def of(self, patterns: Patterns, folds: int) -> Iterator[Picture]:
        """Collages for the training of a label, always the same.

        The cut-outs of a collage belong to one fold, and all show the label or none does. It has the name of one of
        them.
        """
        rng = np.random.default_rng(_SEED)
        for number in range(folds):
            own = [each for each in self.cutouts if fold(each.name, folds) == number]
            shown = [each for each in own if re.search(patterns["shows"], each.name)]
            against = [each for each in own if not re.search(f"{patterns['shows']}|{patterns['unclear']}", each.name)]
            for chosen, count in ((shown, _PER_FOLD[True]), (against, _PER_FOLD[False])):
                yield from (self._collage(chosen, rng) for _ in range(count if chosen else 0))

    def _collage(self, cutouts: Sequence[Picture], rng: np.random.Generator) -> Picture:
        kinds = rng.choice(len(cutouts), min(len(cutouts), int(rng.integers(1, _MOST_KINDS + 1))), replace=False)
        picture = self._ground(rng)
        rows = int(rng.integers(1, _MOST_ROWS + 1))
        cell = _SIDE / rows
        disorder = rng.choice([0.0, 0.15]) * cell
        for place in range(rows * rows):
            if place and rng.random() < 0.12:
                continue  # a gap
            kind = kinds[rng.integers(len(kinds)) if place else 0]
            piece = _turned(cutouts[kind], cell * rng.uniform(0.55, 1.1), rng)
            centre = (np.array([place % rows, place // rows]) + 0.5) * cell + rng.normal(0, 1, 2) * disorder
            left, top = map(int, centre - np.array(piece.size) / 2)
            picture.paste(piece, (left, top), piece)
        return Picture(cutouts[kinds[0]].name, False, np.asarray(picture))

    def _ground(self, rng: np.random.Generator) -> Image.Image:
        """A picture, or one colour that changes to another from one side to the opposite one."""
        if self.grounds and rng.random() < 0.5:
            return self.grounds[rng.integers(len(self.grounds))].copy()
        colours = rng.integers(0, 256, (2, 3)) if rng.random() < 0.5 else np.tile(rng.integers(0, 256, (2, 1)), (1, 3))
        change = np.linspace(0, rng.choice([0.3, 1.0], p=[0.8, 0.2]), _SIDE)[:, None, None]
        rows: NDArray[Any] = np.broadcast_to(colours[0] + (colours[1] - colours[0]) * change, (_SIDE, _SIDE, 3))
        return Image.fromarray((rows if rng.random() < 0.5 else rows.transpose(1, 0, 2)).astype(np.uint8))


def _turned(cutout: Picture, side: float, rng: np.random.Generator) -> Image.Image:
    """A cut-out whose longer side has so many pixels; more than half of them are then turned by any angle."""
    piece = Image.fromarray(cutout.pixels).convert("RGBA")
    piece.putalpha(Image.fromarray(cutout.opacity) if cutout.opacity is not None else 255)
    piece = piece.crop(piece.getchannel("A").getbbox())
    scale = side / max(piece.size)
    piece = piece.resize((max(8, round(piece.width * scale)), max(8, round(piece.height * scale))))
    if rng.random() < 0.6:
        return piece.rotate(rng.uniform(0, 360), Image.Resampling.BICUBIC, expand=True)
    return piece
