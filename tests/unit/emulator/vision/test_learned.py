"""Labels that are learned from the classifier's probabilities: the committed table, and scikit-image's photographs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from image_labels_emulator.models.directory import CLASSIFIER
from image_labels_emulator.rekognition import taxonomy
from image_labels_emulator.vision import classes, classifier, labels, learned
from support.vision_models import photograph, require_model

if TYPE_CHECKING:
    from numpy.typing import NDArray

TABLE = {each.label: each for each in learned.load()}


def spread(seed: int) -> NDArray[np.float32]:
    """Probabilities of 1000 classes."""
    values = np.random.default_rng(seed).exponential(size=classifier.CLASSES) ** 4
    return np.asarray(values / values.sum(), np.float32)


def like(label: str) -> NDArray[np.float32]:
    """Probabilities that go with the label as far as its weights say."""
    powers = np.exp(TABLE[label].weights * 12 / np.abs(TABLE[label].weights).max())
    return np.asarray(powers / powers.sum(), np.float32)


def test_the_table_has_these_labels_of_rekognition() -> None:
    assert sorted(TABLE) == ["Astronomy", "Coin", "Flower", "Grass", "Moon"]
    assert TABLE.keys() <= taxonomy.load().labels.keys()


@pytest.mark.parametrize("label", TABLE)
def test_a_learned_label_has_its_weights_its_pictures_and_rising_points(label: str) -> None:
    each = TABLE[label]
    assert each.weights.shape == (len(classes.load().classifier),)
    assert np.isfinite(each.weights).all()
    assert each.shown >= 20
    assert each.against >= 1000
    scores, percents = zip(*each.points, strict=True)
    assert sorted(set(scores)) == list(scores)
    assert percents == (0.0, 20.0, 80.0, 97.0)


def test_features_are_the_logarithms_without_their_mean_at_length_1() -> None:
    probabilities = spread(1)
    found = learned.features(probabilities)
    expected = np.log(probabilities) - np.log(probabilities).mean()
    assert found == pytest.approx(expected / np.linalg.norm(expected), abs=1e-3)
    assert np.linalg.norm(found) == pytest.approx(1)


def test_a_surer_classifier_does_not_change_what_a_picture_is_like() -> None:
    probabilities = spread(2).astype(np.float64)
    surer = probabilities**1.5 / np.sum(probabilities**1.5)
    assert learned.confidences(surer.astype(np.float32)) == pytest.approx(
        learned.confidences(probabilities.astype(np.float32)), abs=1e-3
    )


def test_a_probability_of_0_is_no_error() -> None:
    probabilities = np.zeros(classifier.CLASSES, np.float32)
    probabilities[0] = 1
    assert all(0 <= each <= 97 for each in learned.confidences(probabilities).values())


@pytest.mark.parametrize("label", TABLE)
def test_a_learned_label_comes_with_the_labels_above_it_and_without_a_box(label: str) -> None:
    found = {each.name: each for each in labels.decide(like(label), [], [])}
    assert found[label].confidence >= 80
    assert found[label].boxes == ()
    assert all(found[each].confidence >= found[label].confidence for each in taxonomy.load().get(label).parents)


def test_weights_survive_the_file_to_three_digits() -> None:
    weights = np.linspace(-2, 2, classifier.CLASSES)
    assert learned.decoded(learned.encoded(weights)) == pytest.approx(weights, abs=1e-3)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("grass", {"Grass"}),
        ("coins", {"Coin"}),
        ("brick", set()),
        ("gravel", set()),
        ("chelsea", set()),
        ("coffee", set()),
        ("astronaut", set()),
        ("camera", set()),
    ],
)
def test_photographs_of_scikit_image(name: str, expected: set[str]) -> None:
    require_model(CLASSIFIER)
    found = learned.confidences(classifier.classify(labels.middle(photograph(name))))
    assert {label for label, confidence in found.items() if confidence >= 80} == expected
