"""`python -m bench.learned`: train the labels of sources.toml, and write emulator/.../vision/learned.json.

It downloads 1.2 GB from Debian at first, and takes some 10 minutes. The classifier must be installed
(python -m image_labels_emulator.models).

Each label is a ridge regression of 1 and 0 on vision.learned.features, with pictures that show the label and those that
do not counted alike in sum. All pictures are used twice, in colour and in grey. The thresholds come from photographs
without the label, each judged by a model of the three quarters of the files that it does not belong to. Numbered files,
as brick1.png and brick2.png, belong together. bench/photographs/truth.toml: the strength of the ridge and the share of
false labels were chosen on its part "tuning".
"""

from __future__ import annotations

import itertools
import json
import re
import tomllib
import zlib
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from image_labels_emulator.vision import classifier, labels, learned

from bench.learned.pictures import Picture, pictures

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
    """Features of the pictures in colour, followed by those in grey; the rest for each picture."""

    names: list[str]
    photographs: NDArray[np.bool_]
    features: Floats


def main() -> None:
    """Train all labels."""
    sources = tomllib.loads(SOURCES.read_text())
    pool = _pool(sources)
    trained = [_trained(label, patterns, pool) for label, patterns in sorted(sources["labels"].items())]
    OUT.write_text(json.dumps(trained, indent=1) + "\n")
    for each in trained:
        print({key: value for key, value in each.items() if key != "weights"})


def _pool(sources: Mapping[str, Any]) -> Pool:
    seen: list[tuple[str, bool, Floats, Floats]] = []
    with ProcessPoolExecutor() as pool:
        found = pictures(sources)
        while batch := list(itertools.islice(found, BATCH)):
            seen += pool.map(_seen, batch)
            print(f"\r{len(seen)} pictures", end="", flush=True)
    print()
    names, are_photographs, colour, grey = zip(*seen, strict=True)
    return Pool(list(names), np.array(are_photographs), np.array([*colour, *grey]))


def _seen(picture: Picture) -> tuple[str, bool, Floats, Floats]:
    square = labels.middle(picture.pixels)
    grey = np.repeat(square.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
    colour, without = (learned.features(classifier.classify(each)) for each in (square, grey))
    return picture.name, picture.is_photograph, colour, without


def _trained(label: str, patterns: Mapping[str, str], pool: Pool) -> dict[str, Any]:
    """An entry of learned.json."""
    shown = np.array([bool(re.search(patterns["shows"], name)) for name in pool.names])
    against = np.array([not re.search(patterns["unclear"], name) for name in pool.names]) & ~shown
    fold = np.array([_fold(name) for name in pool.names])
    scores = np.empty(len(pool.names) * 2)
    for each in range(FOLDS):
        weights, bias = _ridge(pool, shown & (fold != each), against & (fold != each))
        judged = np.tile(fold == each, 2)
        scores[judged] = pool.features[judged] @ weights + bias
    false = np.sort(scores[np.tile(against & pool.photographs, 2)])[::-1]
    points = [(round(float(false[int(len(false) * share)]), 3), confidence) for share, confidence in FALSE]
    found = float(np.mean(scores[: len(shown)][shown] > points[-1][0]))
    print(f"{label}: {found:.0%} of the pictures that show it are above {FALSE[-1][1]:.0f}, of {len(false)} views")
    weights, bias = _ridge(pool, shown, against)
    return {
        "label": label,
        "points": [(0.0, 0.0), *points, (1.0, MOST)],
        "shown": int(shown.sum()),
        "against": int(against.sum()),
        "bias": round(bias, 5),
        "weights": learned.encoded(weights),
    }


def _fold(name: str) -> int:
    stem = re.sub(r"[\d_]*[a-z]?\.\w+$", "", Path(name).name)
    return zlib.crc32(stem.encode()) % FOLDS


def _ridge(pool: Pool, shown: NDArray[np.bool_], against: NDArray[np.bool_]) -> tuple[Floats, float]:
    """Weights and bias."""
    used = np.tile(shown | against, 2)
    target = np.tile(shown, 2)[used].astype(float)
    share = np.where(target > 0, 0.5 / target.sum(), 0.5 / (1 - target).sum())
    seen = pool.features[used]
    mean, middle = share @ seen, share @ target
    root = np.sqrt(share * len(target))[:, None]
    centred = (seen - mean) * root
    matrix = centred.T @ centred + STRENGTH * np.eye(seen.shape[1])
    weights = np.linalg.solve(matrix, centred.T @ ((target - middle) * root[:, 0]))
    return weights, float(middle - mean @ weights)


if __name__ == "__main__":
    main()
