from __future__ import annotations

import numpy as np
import pytest
from image_labels_emulator.rekognition.similarity import similarities


def at(*distances: float) -> list[float]:
    """Similarities of embeddings with these distances."""
    return similarities(np.zeros(2, np.float32), np.array([[0, distance] for distance in distances], np.float32))


def test_the_two_points_of_the_curve() -> None:
    assert at(0.5, 0.6) == pytest.approx([80, 50], abs=0.01)


def test_similarity_falls_with_the_distance_and_stays_a_percentage() -> None:
    found = at(0, 0.1, 0.3, 0.45, 0.8, 1.2, 50)
    assert found == sorted(found, reverse=True)
    assert found[0] > 99.9
    assert found[4] < 10
    assert all(0 <= percent <= 100 for percent in found)
