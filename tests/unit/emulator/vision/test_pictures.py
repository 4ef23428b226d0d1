"""Scaled pictures and overlapping boxes."""

from __future__ import annotations

import numpy as np
from image_labels_emulator.vision.pictures import BILINEAR, channels_first, scaled, strongest

BOXES = np.array([[0, 0, 10, 10], [1, 1, 11, 11], [20, 20, 30, 30], [0, 0, 4, 10]], np.float32)


def kept(scores: list[float], overlap: float) -> list[int]:
    return strongest(BOXES, np.array(scores, np.float32), overlap)


def test_weaker_of_two_overlapping_boxes_is_left_out() -> None:
    # The first two share 81 of 119, the first and the last 40 of 100.
    assert kept([0.9, 0.8, 0.7, 0.6], 0.5) == [0, 2, 3]
    assert kept([0.8, 0.9, 0.7, 0.6], 0.5) == [1, 2, 3]
    assert kept([0.9, 0.8, 0.7, 0.6], 0.4) == [0, 2]
    assert kept([0.9, 0.8, 0.7, 0.6], 0.7) == [0, 1, 2, 3]


def test_best_score_is_first() -> None:
    assert kept([0.1, 0.2, 0.9, 0.3], 0.9) == [2, 3, 1, 0]


def test_no_boxes() -> None:
    assert strongest(np.empty((0, 4), np.float32), np.empty(0, np.float32), 0.5) == []


def test_boxes_without_area_are_kept() -> None:
    boxes = np.zeros((2, 4), np.float32)
    assert strongest(boxes, np.array([0.5, 0.6], np.float32), 0.5) == [1, 0]


def test_picture_is_scaled_to_the_size() -> None:
    pixels = np.zeros((10, 20, 3), np.uint8)
    pixels[:, 10:] = (200, 100, 50)
    small = scaled(pixels, 4, 6, BILINEAR)
    assert small.shape == (6, 4, 3)
    np.testing.assert_array_equal(small[0, -1], [200, 100, 50])
    batch = channels_first(small)
    assert batch.shape == (1, 3, 6, 4)
    assert batch.dtype == np.float32
    np.testing.assert_array_equal(batch[0, :, 0, -1], [200, 100, 50])
