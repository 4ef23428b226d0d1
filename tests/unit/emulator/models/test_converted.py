"""The converted models, against other ways of running the published ones on the same input.

The references were computed once, in November 2026, on parts of scikit-image's photograph of an astronaut, which are
not scaled, so that no other library has a part in them:

- classifier: a forward pass in NumPy with float64, written from table 1 of the paper, on the weights of the .pth file
  read by another reader.
- detector: the published graph in TensorFlow.js 4.22 on its CPU backend.
- faces and explicit: the published ONNX files in onnx.reference, which is NumPy. It runs BatchNormalization of opset 9
  as in training, so the formula of inference was given to it. The input for explicit is a blurred spot, because the
  score of the astronaut is near 0 in any case.
- embeddings: a forward pass in NumPy with float64, written from face-api's TypeScript.

The largest difference was 2e-5.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from image_labels_emulator.vision import models
from numpy.typing import NDArray
from support.vision_models import photograph, require_model

Array = NDArray[Any]

TOLERANCE = 1e-3


def run(name: str, value: Array, *outputs: str) -> list[Array]:
    require_model(name)
    results: list[Array] = models.session(name).run(list(outputs), {"input": np.ascontiguousarray(value, np.float32)})
    return results


def part_of_astronaut(top: int, left: int, side: int) -> Array:
    return photograph("astronaut")[top : top + side, left : left + side].astype(np.float32)


def channels_first(picture: Array) -> Array:
    return picture.transpose(2, 0, 1)[None]


def test_classifier() -> None:
    picture = channels_first((part_of_astronaut(0, 100, 224) - 127) / 128)
    (probabilities,) = run("classifier", picture, "probabilities")
    expected = {420: 0.25707, 566: 0.09463, 513: 0.06033, 875: 0.04094, 560: 0.03871, 776: 0.0311}
    best = probabilities[0].argsort()[::-1][: len(expected)]
    assert list(best) == list(expected)
    np.testing.assert_allclose(probabilities[0, best], list(expected.values()), atol=TOLERANCE)
    assert probabilities.sum() == pytest.approx(1)


def test_detector() -> None:
    picture = part_of_astronaut(0, 50, 300)[None] / 127.5 - 1
    scores, boxes = run("detector", picture, "scores", "boxes")
    expected = {(1911, 0): 0.92032, (1745, 0): 0.06598, (1724, 0): 0.04873, (837, 47): 0.04195, (1578, 66): 0.03732}
    for (anchor, number), score in expected.items():
        assert scores[0, anchor, number] == pytest.approx(score, abs=TOLERANCE)
    assert scores.argmax() == 1911 * 90
    corners = {
        0: [0.00618, -0.00047, 0.05010, 0.04337],
        700: [0.55995, 0.20841, 0.74461, 0.42915],
        1911: [0.05951, 0.23767, 0.98628, 0.97914],
    }
    for anchor, box in corners.items():
        np.testing.assert_allclose(boxes[0, anchor, 0], box, atol=TOLERANCE)


def test_faces() -> None:
    picture = channels_first(part_of_astronaut(32, 160, 160))
    heatmap, scale, offset, landmarks = run("faces", picture, "heatmap", "scale", "offset", "landmarks")
    row, column = np.unravel_index(heatmap[0, 0].argmax(), (40, 40))
    assert (row, column) == (21, 16)
    assert heatmap[0, 0, row, column] == pytest.approx(0.92024, abs=TOLERANCE)
    np.testing.assert_allclose(scale[0, :, row, column], [3.40169, 3.10182], atol=TOLERANCE)
    np.testing.assert_allclose(offset[0, :, row, column], [0.01352, -0.06838], atol=TOLERANCE)
    np.testing.assert_allclose(
        landmarks[0, :, row, column],
        [0.36388, 0.2454, 0.38942, 0.74238, 0.56018, 0.47173, 0.70509, 0.24738, 0.72415, 0.67611],
        atol=TOLERANCE,
    )


def test_embeddings() -> None:
    picture = (part_of_astronaut(60, 170, 150) - np.array([122.782, 117.001, 104.298])) / 255
    (embedding,) = run("embeddings", channels_first(picture), "embedding")
    np.testing.assert_allclose(
        embedding[0, :8],
        [-0.08681, 0.07685, 0.09936, -0.07833, -0.17952, -0.035, -0.06821, -0.11484],
        atol=TOLERANCE,
    )
    assert np.linalg.norm(embedding) == pytest.approx(1.55237, abs=TOLERANCE)


def test_explicit() -> None:
    y, x = np.mgrid[:224, :224]
    spot = np.exp(-((y - 112) ** 2 + (x - 112) ** 2) / (2 * 150**2))[..., None]
    picture = spot * np.array([220, 150, 130]) + (1 - spot) * 40
    (probabilities,) = run("explicit", picture[None, ..., ::-1] - np.array([104, 117, 123]), "probabilities")
    np.testing.assert_allclose(probabilities, [[0.3789, 0.6211]], atol=TOLERANCE)
