"""How similar two faces are, in percent, from the distance of their embeddings.

The service's measure is not published; its threshold is 80 percent by default. Here the similarity falls with the
Euclidean distance along a logistic curve through two points:

- 80 percent at 0.5: in photographs of the same person the distances were at most 0.45, and of others 0.46 at least and
  0.80 in the middle (measured on photographs of five packages).
- 50 percent at 0.6: the distance at which dlib, whose network this is, tells people apart (documentation of
  face_recognition_model_v1).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

DEFAULT_THRESHOLD = 80.0  # percent: API reference, "CompareFaces" and "SearchFaces"
_DISTANCE_AT_80 = 0.5
_DISTANCE_AT_50 = 0.6
_STEEPNESS = math.log(80 / 20) / (_DISTANCE_AT_50 - _DISTANCE_AT_80)


def similarities(one: NDArray[np.float32], others: NDArray[np.float32]) -> list[float]:
    """The similarity (0 to 100) of an embedding, shape (n,), to each of others, shape (m, n)."""
    distances = np.linalg.norm(others.astype(np.float64) - one, axis=1)
    return [float(percent) for percent in 100 / (1 + np.exp(_STEEPNESS * (distances - _DISTANCE_AT_50)))]
