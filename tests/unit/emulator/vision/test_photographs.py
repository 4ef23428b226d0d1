"""What the models see in real photographs: those that scikit-image contains. Positions were checked by eye."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from image_labels_emulator.models.directory import CLASSIFIER, DETECTOR, EMBEDDINGS, EXPLICIT, FACES
from image_labels_emulator.vision import classifier, detector, embeddings, explicit, faces
from numpy.typing import NDArray
from PIL import Image
from support.vision_models import photograph, require_model

if TYPE_CHECKING:
    from image_labels_emulator.vision.detector import DetectedObject
    from image_labels_emulator.vision.faces import Face

Pixels = NDArray[np.uint8]

EGYPTIAN_CAT, ESPRESSO, TRIPOD = 285, 967, 872  # of ImageNet's classes
MOON = "moon"


def overlap(one: DetectedObject | Face, box: tuple[float, float, float, float]) -> float:
    """Intersection over union with (left, top, right, bottom)."""
    left, top = max(one.left, box[0]), max(one.top, box[1])
    right, bottom = min(one.left + one.width, box[2]), min(one.top + one.height, box[3])
    shared = max(right - left, 0) * max(bottom - top, 0)
    return shared / (one.width * one.height + (box[2] - box[0]) * (box[3] - box[1]) - shared)


def resized(pixels: Pixels, factor: float) -> Pixels:
    size = (round(pixels.shape[1] * factor), round(pixels.shape[0] * factor))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS), np.uint8)


@pytest.mark.parametrize(
    ("name", "index", "probability"),
    [("chelsea", EGYPTIAN_CAT, 0.7), ("coffee", ESPRESSO, 0.8), ("camera", TRIPOD, 0.9)],
)
def test_class_of_a_photo(name: str, index: int, probability: float) -> None:
    require_model(CLASSIFIER)
    probabilities = classifier.classify(photograph(name))
    assert probabilities.shape == (classifier.CLASSES,)
    assert probabilities.dtype == np.float32
    assert probabilities.sum() == pytest.approx(1)
    assert probabilities.argmax() == index
    assert probabilities[index] > probability


def test_class_of_a_part_of_a_photo() -> None:
    """The cup, without the rest of the table."""
    require_model(CLASSIFIER)
    probabilities = classifier.classify(photograph("coffee")[20:260, 160:430])
    assert probabilities.argmax() == ESPRESSO


@pytest.mark.parametrize(
    ("name", "object_name", "box"),
    [
        ("chelsea", "cat", (0.0, 0.0, 0.9, 1.0)),
        ("coffee", "cup", (0.28, 0.06, 0.7, 0.64)),
        ("astronaut", "person", (0.05, 0.03, 0.75, 1.0)),
        ("camera", "person", (0.0, 0.12, 0.64, 1.0)),
    ],
)
def test_object_with_its_box(name: str, object_name: str, box: tuple[float, float, float, float]) -> None:
    require_model(DETECTOR)
    best = detector.find_objects(photograph(name))[0]
    assert best.name == object_name
    assert best.score > 0.6
    assert overlap(best, box) > 0.75


def test_objects_are_sorted_and_above_the_threshold() -> None:
    require_model(DETECTOR)
    many = detector.find_objects(photograph("coffee"), at_least=0.05)
    assert [each.score for each in many] == sorted((each.score for each in many), reverse=True)
    assert len(many) > len(detector.find_objects(photograph("coffee"), at_least=0.5)) > 0
    assert all(each.score >= 0.05 for each in many)
    for each in many:
        assert 0 <= each.left <= each.left + each.width <= 1
        assert 0 <= each.top <= each.top + each.height <= 1


def test_detector_knows_80_classes() -> None:
    assert len(detector.CLASSES) == len(set(detector.CLASSES)) == 80


@pytest.mark.parametrize(
    ("name", "box"), [("astronaut", (0.35, 0.12, 0.53, 0.35)), ("camera", (0.39, 0.22, 0.51, 0.39))]
)
def test_face_with_its_box(name: str, box: tuple[float, float, float, float]) -> None:
    require_model(FACES)
    (face,) = faces.find_faces(photograph(name))
    assert face.score > 0.7
    assert overlap(face, box) > 0.75


def test_landmarks_of_a_face() -> None:
    require_model(FACES)
    (face,) = faces.find_faces(photograph("astronaut"))
    expected = [(0.396, 0.2), (0.48, 0.203), (0.436, 0.244), (0.4, 0.278), (0.47, 0.281)]
    np.testing.assert_allclose(face.landmarks, expected, atol=0.02)


@pytest.mark.parametrize("name", ["chelsea", "coffee", MOON])
def test_photo_without_people_has_no_faces(name: str) -> None:
    require_model(FACES)
    assert faces.find_faces(photograph(name)) == []


def test_largest_face_is_first() -> None:
    require_model(FACES)
    astronaut = photograph("astronaut")
    small = resized(astronaut, 0.4)
    wide = np.zeros((astronaut.shape[0], 1000, 3), np.uint8)
    wide[: small.shape[0], : small.shape[1]] = small
    wide[:, 480:992] = astronaut
    first, second = faces.find_faces(wide)
    assert (first.left > 0.5, second.left < 0.2) == (True, True)
    assert first.width / second.width == pytest.approx(1 / 0.4, rel=0.15)


def test_face_at_the_edge_has_a_box_within_the_photo() -> None:
    require_model(FACES)
    (face,) = faces.find_faces(photograph("astronaut")[:, 200:])
    assert face.left == pytest.approx(0, abs=0.03)
    assert face.left >= 0
    assert face.left + face.width < 0.3


def only_face(pixels: Pixels) -> NDArray[Any]:
    return embeddings.embed(pixels, faces.find_faces(pixels)[0])


@pytest.fixture(scope="module")
def astronaut_embedding() -> NDArray[Any]:
    require_model(FACES)
    require_model(EMBEDDINGS)
    return only_face(photograph("astronaut"))


@pytest.mark.parametrize(
    "change",
    [
        lambda pixels: pixels[:, ::-1],
        lambda pixels: resized(pixels, 0.5),
        lambda pixels: resized(pixels, 2.4),
        lambda pixels: (pixels * 0.5).astype(np.uint8),
        lambda pixels: np.asarray(Image.fromarray(pixels).rotate(20), np.uint8),
    ],
    ids=["mirrored", "small", "large", "dark", "rotated"],
)
def test_embedding_of_the_same_person_is_near(astronaut_embedding: NDArray[Any], change: Any) -> None:
    assert astronaut_embedding.shape == (embeddings.SIZE,)
    assert np.linalg.norm(only_face(change(photograph("astronaut"))) - astronaut_embedding) < 0.45


def test_embedding_of_another_person_is_far(astronaut_embedding: NDArray[Any]) -> None:
    assert np.linalg.norm(only_face(photograph("camera")) - astronaut_embedding) > 0.55


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee", "camera"])
def test_harmless_photo_is_not_explicit(name: str) -> None:
    require_model(EXPLICIT)
    assert 0 <= explicit.score(photograph(name)) < 0.1


def test_results_do_not_depend_on_other_threads() -> None:
    for name in (CLASSIFIER, FACES, EXPLICIT):
        require_model(name)
    pixels = photograph("astronaut")
    expected = (classifier.classify(pixels).tolist(), faces.find_faces(pixels), explicit.score(pixels))
    results: list[Any] = []

    def see() -> None:
        results.append((classifier.classify(pixels).tolist(), faces.find_faces(pixels), explicit.score(pixels)))

    threads = [threading.Thread(target=see) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert results == [expected] * 4


@pytest.mark.parametrize("shape", [(80, 80), (80, 1280), (1280, 80)])
def test_photo_of_any_shape_is_seen(shape: tuple[int, int]) -> None:
    for name in (CLASSIFIER, DETECTOR, FACES, EXPLICIT):
        require_model(name)
    pixels = np.full((*shape, 3), 128, np.uint8)
    assert classifier.classify(pixels).sum() == pytest.approx(1)
    assert faces.find_faces(pixels) == []
    assert 0 <= explicit.score(pixels) <= 1
    assert detector.find_objects(pixels, at_least=0.9) == []
