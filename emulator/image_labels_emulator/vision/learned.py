"""Labels that the classifier has no class for, learned from what it takes pictures of them for.

The classifier knows 1000 things, and galaxies are not among them. But it answers pictures of galaxies alike: a bit of
jellyfish, a bit of fountain, nothing of a dog. So each label here is a linear function of the logarithms of the 1000
probabilities, less their mean, and scaled to length 1. bench/learned trained it with pictures of Debian packages, and
Coin also with collages of pictures of single coins. None is a picture that make bench-see measures.

`learned.json` has the weights, and the points from a score to a confidence. 80 % is the score that 1 in 1000
photographs that do not show the label exceeds, 20 % that of 1 in 100. The photographs were not used in the training of
the weights that judged them (4-fold).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEAST = 1e-30  # probability: smaller ones are rounding errors


@dataclass(frozen=True, slots=True)
class Learned:
    """A label; a score of at least 0 and its confidence in percent by interpolation between `points`.

    `shown` and `against` are the number of pictures with and without the label in the training; collages are not
    counted. `weights` has the shape (1000,), in the order of the classifier's classes.
    """

    label: str
    points: Sequence[tuple[float, float]]
    shown: int
    against: int
    bias: float
    weights: NDArray[np.float64]


@cache
def load() -> tuple[Learned, ...]:
    """The labels of learned.json."""
    raw = json.loads(files(__package__).joinpath("learned.json").read_text(encoding="utf-8"))
    return tuple(
        Learned(**{**each, "weights": decoded(each["weights"]), "points": tuple(map(tuple, each["points"]))})
        for each in raw
    )


def confidences(probabilities: NDArray[np.float32]) -> dict[str, float]:
    """The confidence in percent of each label, given the classifier's probabilities, shape (1000,)."""
    seen = features(probabilities)
    return {each.label: _confidence(each, seen) for each in load()}


def _confidence(label: Learned, seen: NDArray[np.float64]) -> float:
    # Not a product of vectors: see labels.py.
    score = label.bias + float(np.sum(label.weights * seen))
    scores, percents = ([point[axis] for point in label.points] for axis in (0, 1))
    return float(np.interp(score, scores, percents))


def features(probabilities: NDArray[np.float32]) -> NDArray[np.float64]:
    """What the labels are a function of: shape (1000,), length 1, or 0 if all probabilities are equal."""
    logarithms = np.log(np.maximum(probabilities.astype(np.float64), _LEAST))
    logarithms -= logarithms.mean()
    return np.asarray(logarithms / max(float(np.sqrt(np.sum(logarithms**2))), 1e-6))


def encoded(weights: NDArray[np.float64]) -> str:
    """Weights as learned.json has them: base64 of little-endian float16."""
    return base64.b64encode(weights.astype("<f2").tobytes()).decode()


def decoded(weights: str) -> NDArray[np.float64]:
    """The weights of a string of learned.json."""
    return np.frombuffer(base64.b64decode(weights), "<f2").astype(np.float64)
