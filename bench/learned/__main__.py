"""`python -m bench.learned`: train the labels of sources.toml, and write emulator/.../vision/learned.json.

It downloads 1.2 GB from Debian at first, and takes some 10 minutes. The classifier must be installed
(python -m image_labels_emulator.models).

Each label is a ridge regression of 1 and 0 on vision.learned.features, with pictures that show the label and those that
do not counted alike in sum. All pictures are used twice, in colour and in grey. The thresholds come from photographs
without the label, each judged by a model of the three quarters of the files that it does not belong to. A label can
also be trained with collages (collages.py). bench/photographs/truth.toml: the strength of the ridge, the share of false
labels and the labels with collages were chosen on its part "tuning".
"""

from __future__ import annotations

import itertools
import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from image_labels_emulator.vision import classifier, labels, learned

from bench.learned.collages import Collages
from bench.learned.pictures import Patterns, Picture, fold, pictures

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SOURCES = Path(__file__).with_name("sources.toml")
OUT = Path(learned.__file__).with_name("learned.json")
STRENGTH = 10.0  # of the ridge, for pictures that count 1 on average
FOLDS = 4
# Share of false labels at most, and the confidence above it. Of "tuning", 5 of 5 labels between the two were false.
FALSE = ((0.01, 20.0), (0.001, 80.0))
MOST = 97.0  # confidence of a score of 1
BATCH = 64


@dataclass(frozen=True, slots=True)
class Pool:
    """Names of n pictures, which of them are photographs, and features in colour and in grey, shape (2, n, 1000)."""

    names: list[str]
    photographs: NDArray[np.bool_]
    features: Floats

    def __add__(self, other: Pool) -> Pool:
        return Pool(
            self.names + other.names,
            np.concatenate([self.photographs, other.photographs]),
            np.concatenate([self.features, other.features], axis=1),
        )


def main() -> None:
    """Train all labels."""
    sources = tomllib.loads(SOURCES.read_text())
    collages = Collages()
    pool = _pool(_noted(pictures(sources), collages))
    trained = []
    for label, patterns in sorted(sources["labels"].items()):
        own = _pool(collages.of(patterns, FOLDS)) if patterns.get("collages") else None
        trained.append(train(label, patterns, pool, own))
    OUT.write_text(json.dumps(trained, indent=1) + "\n")
    for each in trained:
        print({key: value for key, value in each.items() if key != "weights"})


def _noted(found: Iterable[Picture], collages: Collages) -> Iterator[Picture]:
    for each in found:
        collages.add(each)
        yield each


def _pool(found: Iterator[Picture]) -> Pool:
    seen: list[tuple[str, bool, Floats, Floats]] = []
    with ProcessPoolExecutor() as pool:
        while batch := list(itertools.islice(found, BATCH)):
            seen += pool.map(_seen, batch)
            print(f"\r{len(seen)} pictures", end="", flush=True)
    print()
    names, are_photographs, colour, grey = zip(*seen, strict=True)
    return Pool(list(names), np.array(are_photographs), np.array([colour, grey]))


def _seen(picture: Picture) -> tuple[str, bool, Floats, Floats]:
    square = labels.middle(picture.pixels)
    grey = np.repeat(square.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
    colour, without = (learned.features(classifier.classify(each)) for each in (square, grey))
    return picture.name, picture.is_photograph, colour, without


def train(label: str, patterns: Patterns, pool: Pool, collages: Pool | None = None) -> dict[str, Any]:
    """An entry of learned.json. The collages are pictures, too, but set no threshold and are not counted."""
    pictures_only = len(pool.names)
    if collages is not None:
        pool += collages
    shown = np.array([bool(re.search(patterns["shows"], name)) for name in pool.names])
    against = np.array([not re.search(patterns["unclear"], name) for name in pool.names]) & ~shown
    folds = np.array([fold(name, FOLDS) for name in pool.names])
    scores = np.empty((2, len(pool.names)))
    for each in range(FOLDS):
        weights, bias = _ridge(pool, shown & (folds != each), against & (folds != each))
        judged = folds == each
        scores[:, judged] = pool.features[:, judged] @ weights + bias
    false = np.sort(scores[:, against & pool.photographs], axis=None)[::-1]
    points = [(round(float(false[int(len(false) * share)]), 3), confidence) for share, confidence in FALSE]
    above = scores > points[-1][0]
    of_pictures = np.arange(len(pool.names)) < pictures_only
    print(
        f"{label}: {np.mean(above[0, shown & of_pictures]):.0%} of the pictures that show it are above "
        f"{FALSE[-1][1]:.0f}, of {len(false)} views"
    )
    if collages is not None:
        shares = [np.mean(above[:, each & ~of_pictures]) for each in (shown, against)]
        print(f"  collages: {shares[0]:.0%} of those that show it, {shares[1]:.1%} of the others")
    weights, bias = _ridge(pool, shown, against)
    return {
        "label": label,
        "points": [(0.0, 0.0), *points, (1.0, MOST)],
        "shown": int(shown[:pictures_only].sum()),
        "against": int(against[:pictures_only].sum()),
        "bias": round(bias, 5),
        "weights": learned.encoded(weights),
    }


def _ridge(pool: Pool, shown: NDArray[np.bool_], against: NDArray[np.bool_]) -> tuple[Floats, float]:
    """Weights and bias."""
    used = shown | against
    target = np.tile(shown[used], 2).astype(float)
    share = np.where(target > 0, 0.5 / target.sum(), 0.5 / (1 - target).sum())
    seen = pool.features[:, used].reshape(len(target), -1)
    mean, middle = share @ seen, share @ target
    root = np.sqrt(share * len(target))[:, None]
    centred = (seen - mean) * root
    matrix = centred.T @ centred + STRENGTH * np.eye(seen.shape[1])
    weights = np.linalg.solve(matrix, centred.T @ ((target - middle) * root[:, 0]))
    return weights, float(middle - mean @ weights)


if __name__ == "__main__":
    main()
