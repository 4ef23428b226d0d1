"""Labels of a photo: what the classifier, the detector and the faces say together.

`see` runs the models, `decide` makes labels of their results. The rules prefer silence to a wrong label:

- The classifier sees the square in the middle of the photo. A label has the sum of the probabilities of its classes and
  of those of all labels below it: tabby cats and Persian cats are cats, and cats and dogs are mammals. So the
  classifier can be sure of Vehicle and not of any vehicle. Classes marked as weak count half. What the sum would be if
  all classes were equally probable is subtracted: 398 of the 1000 classes are animals, and a texture is a bit of each.
- A class brings labels that most of its pictures also show, as a lighthouse does Sky (also.json). It counts for them
  with the share of its pictures that do. So four views of a coast of which none is sure are sure to have a sky. The
  same holds for objects that count: each is a piece of evidence. These labels neither support nor refute an object.
- A few labels without a class are learned from what the classifier takes their pictures for (learned.py).
- An object of the detector counts if the classifier sees something of its kind (the label of the object, or one above
  it that is not among the most general), because the detector takes a pagoda for a boat. Without such support it counts
  only if it is small, so that the classifier may overlook it, and if its score is high; or if there are several of its
  class, as cars on a road, that are not seen, more surely, as something else. It does not count if the
  classifier is sure of another label of this kind: the detector takes a kangaroo for a bear. People are not among the
  classifier's classes, so a person needs no support.
- A face gives Face, Head and Person. Faces are looked for if the detector has any suspicion of a person.
- If both the classifier and the detector see a label, its confidence rises: they err independently.
- Boxes come from objects and faces. A label that only the classifier sees has none. The box of a face is not that of
  the head or of the person.

Confidence. A sum or a score becomes a percentage by linear interpolation between points. They were chosen on the
photographs of bench/photographs/truth.toml whose part is "tuning". There, of the labels with a sum (less chance) of at
least .25, 130 of 138 were right; of .2 to .25, 7 of 13; of .1 to .2, 16 of 68. Objects without support were wrong up to
a score of .9, those with support were right from .4, persons from .6. `make bench-see` measures the held-out part, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from image_labels_emulator.rekognition import taxonomy
from image_labels_emulator.rekognition.sources import Box, Found
from image_labels_emulator.vision import classes, classifier, detector, faces, learned
from image_labels_emulator.vision.models import ModelMissing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from image_labels_emulator.rekognition.image import Photo
    from image_labels_emulator.vision.classes import ModelClass
    from image_labels_emulator.vision.detector import DetectedObject
    from image_labels_emulator.vision.faces import Face

LEAST = 50.0  # percent: less is not reported
WEAK = 0.5

Points = Sequence[tuple[float, float]]  # (sum or score, percent)
CLASSIFIER: Points = ((0, 0), (0.1, 33), (0.2, 55), (0.25, 80), (0.5, 90), (0.9, 98), (1, 99.5))
OBJECT: Points = ((0, 0), (0.3, 40), (0.5, 70), (0.6, 85), (0.8, 95), (1, 99.5))
PERSON: Points = ((0, 0), (0.5, 55), (0.6, 78), (0.65, 85), (0.8, 95), (1, 99.5))
FACE: Points = ((0, 0), (0.5, 50), (0.6, 80), (0.8, 95), (1, 99.5))

OBJECT_SCORE = 0.3  # lowest score of the detector that is looked at
LEAST_SUM = 0.05  # lowest sum of the classifier that is looked at
SUPPORT = 0.1  # sum of a kind that supports an object
RIVAL = 0.6  # sum of another label of the kind that refutes an object
SMALL = 0.1  # share of the photo
SCORE_WITHOUT_SUPPORT = 0.8
SEVERAL, SCORE_OF_SEVERAL = 3, 0.55  # so many objects of one class support each other
SAME_PLACE = 0.5  # share of the union of two boxes

PERSON_CLASS, FACE_LABEL = "person", "Face"

# Labels so general that they support nothing.
_GENERAL = {"Animal", "Architecture", "Clothing", "Food", "Indoors", "Nature", "Outdoors", "Transportation", "Vehicle"}


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights of classes of the classifier in labels, as a sparse matrix, and the mean of each row: chance."""

    names: tuple[str, ...]
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    weights: NDArray[np.float64]
    chances: NDArray[np.float64]


def see(photo: Photo) -> list[Found]:
    """The labels of a photo, best first. Raises ModelMissing if the classifier is not installed.

    Without the detector, only faces have boxes.
    """
    probabilities = classifier.classify(middle(photo.pixels))
    try:
        objects = detector.find_objects(photo.pixels, OBJECT_SCORE)
        may_have_faces = any(each.name == PERSON_CLASS for each in objects)
    except ModelMissing:
        objects, may_have_faces = [], True
    try:
        # The sample is enough for the faces that a photo is about, in a quarter of the time of 640 pixels per side.
        people = faces.find_faces(photo.sample) if may_have_faces else []
    except ModelMissing:
        people = []
    return decide(probabilities, objects, people)


def decide(
    probabilities: NDArray[np.float32], objects: Iterable[DetectedObject], people: Iterable[Face]
) -> list[Found]:
    """The labels of at least LEAST percent, best first. `probabilities` are in the order of the classifier's classes.

    With a label come all labels above it, with at least its confidence.
    """
    sums = _sums(probabilities, _weights())
    objects = list(objects)
    several = _several(objects)
    counted = [each for each in objects if _counts(each, sums, several)]
    boxes: dict[str, list[Box]] = {}
    for label, box in (*_of_objects(counted), *_of_faces(people)):
        boxes.setdefault(label, []).append(box)
    totals = sums | _sums(probabilities, _weights_with_also())
    confidences = {label: percent(total, CLASSIFIER) for label, total in totals.items()}
    for label, learnt in learned.confidences(probabilities).items():
        confidences[label] = max(confidences.get(label, 0.0), learnt)  # not independent: from the same probabilities
    for label, found in (*_best(boxes).items(), *_beside(counted)):
        confidences[label] = _both(confidences.get(label, 0.0), found)
    labels = [
        Found(label, round(confidence, 4), _boxes(label, boxes))
        for label, confidence in _raised(confidences).items()
        if confidence >= LEAST
    ]
    return sorted(labels, key=lambda each: (-each.confidence, each.name))


def percent(value: float, points: Points) -> float:
    """The confidence of a sum of probabilities or of a score."""
    return float(np.interp(value, [each[0] for each in points], [each[1] for each in points]))


def _sums(probabilities: NDArray[np.float32], of: Weights) -> dict[str, float]:
    """The sums of probabilities, less chance, of the labels that have at least LEAST_SUM. 1 is certain."""
    # Not a product of matrices: numpy's BLAS would start threads, which then wait busily while the next model runs.
    weighted = of.weights * probabilities[of.columns]
    sums = (np.bincount(of.rows, weighted, len(of.names)) - of.chances) / (1 - of.chances)
    return {of.names[row]: float(sums[row]) for row in np.flatnonzero(sums >= LEAST_SUM)}


@cache
def _weights() -> Weights:
    """The labels of the classifier's classes and all above these."""
    return _as_weights([_of_class(each) for each in classes.load().classifier])


@cache
def _weights_with_also() -> Weights:
    """The same, and the labels that pictures of the classes also show."""
    known = classes.load()
    weights = []
    for each in known.classifier:
        own = _of_class(each)
        for label, share in known.also_of_classifier.get(each.name, {}).items():
            for name in _with_ancestors(label):
                own[name] = max(own.get(name, 0.0), share)
        weights.append(own)
    return _as_weights(weights)


def _of_class(found: ModelClass) -> dict[str, float]:
    labels = _with_ancestors(found.label) if found.label else ()
    return dict.fromkeys(labels, WEAK if found.weak else 1.0)


def _as_weights(by_class: Sequence[Mapping[str, float]]) -> Weights:
    """The weights of the labels, given for each class."""
    names = tuple(dict.fromkeys(name for each in by_class for name in each))
    rows = {name: row for row, name in enumerate(names)}
    entries = [(rows[name], column, weight) for column, each in enumerate(by_class) for name, weight in each.items()]
    row, column, weight = (np.array(each) for each in zip(*entries, strict=True))
    return Weights(names, row, column, weight, np.bincount(row, weight, len(names)) / len(by_class))


def _of_objects(objects: Iterable[DetectedObject]) -> Iterator[tuple[str, Box]]:
    """The label and the box of each object."""
    known = classes.load().detector
    for each in objects:
        if label := known[each.name].label:
            yield label, _box(each, _confidence(each))


def _beside(objects: Iterable[DetectedObject]) -> Iterator[tuple[str, float]]:
    """The labels that pictures of the objects also show. Each object is a piece of evidence."""
    shares = classes.load().also_of_detector
    for each in objects:
        for label, share in shares.get(each.name, {}).items():
            yield label, _confidence(each) * share


def _confidence(found: DetectedObject) -> float:
    return percent(found.score, PERSON if found.name == PERSON_CLASS else OBJECT)


def _several(objects: Sequence[DetectedObject]) -> set[str]:
    """The classes with several objects that are not seen, more surely, as something else."""
    sure = [each for each in objects if each.score >= SCORE_OF_SEVERAL]
    count = Counter(
        each.name
        for each in sure
        if not any(other.score > each.score and other.name != each.name and _overlap(each, other) for other in sure)
    )
    return {name for name, number in count.items() if number >= SEVERAL}


def _overlap(one: DetectedObject, other: DetectedObject) -> bool:
    width = min(one.left + one.width, other.left + other.width) - max(one.left, other.left)
    height = min(one.top + one.height, other.top + other.height) - max(one.top, other.top)
    shared = max(0.0, width) * max(0.0, height)
    return shared > SAME_PLACE * (one.width * one.height + other.width * other.height - shared)


def _counts(found: DetectedObject, sums: Mapping[str, float], several: set[str]) -> bool:
    """Whether an object is a person, or the classifier or others of its class support it, or it is small and sure."""
    label = classes.load().detector[found.name].label
    if label is None or found.name == PERSON_CLASS:
        return label is not None
    kind = set(_with_ancestors(label)) - _GENERAL
    if max((sums.get(each, 0.0) for each in kind), default=0.0) < SUPPORT:
        small = found.score >= SCORE_WITHOUT_SUPPORT and found.width * found.height <= SMALL
        return small or (found.name in several and found.score >= SCORE_OF_SEVERAL)
    return not any(total >= RIVAL and _are_rivals(label, other) for other, total in sums.items())


def _are_rivals(label: str, other: str) -> bool:
    """Whether two labels are of one kind and neither is above the other, as a bear and a kangaroo."""
    own, others = _with_ancestors(label), _with_ancestors(other)
    return label not in others and other not in own and not _GENERAL.issuperset({*own} & {*others})


def _of_faces(people: Iterable[Face]) -> Iterator[tuple[str, Box]]:
    for each in people:
        yield FACE_LABEL, _box(each, percent(each.score, FACE))


def _best(boxes: Mapping[str, Sequence[Box]]) -> dict[str, float]:
    """The confidence of the best box of each label or of a label below it."""
    return _raised({label: max(box.confidence for box in each) for label, each in boxes.items()})


def _raised(confidences: Mapping[str, float]) -> dict[str, float]:
    """Confidences of which none is below that of a label further down: a cat is an animal."""
    raised: dict[str, float] = {}
    for label, confidence in confidences.items():
        for name in _with_ancestors(label):
            raised[name] = max(raised.get(name, 0.0), confidence)
    return raised


def _boxes(label: str, boxes: Mapping[str, Sequence[Box]]) -> tuple[Box, ...]:
    """The boxes of a label and of the labels below it, best first."""
    below = [each for each in boxes if label in _with_ancestors(each) and (each != FACE_LABEL or label == FACE_LABEL)]
    found = (box for each in below for box in boxes[each] if box.confidence >= LEAST)
    return tuple(sorted(found, key=lambda box: -box.confidence))


def _both(first: float, second: float) -> float:
    """The confidence in percent if two models that err independently see a label."""
    return 100 * (1 - (1 - first / 100) * (1 - second / 100))


def _box(found: DetectedObject | Face, confidence: float) -> Box:
    return Box(found.left, found.top, found.width, found.height, round(confidence, 4))


@cache
def _with_ancestors(label: str) -> tuple[str, ...]:
    return (label, *taxonomy.load().get(label).parents)


def middle(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The square in the middle of a picture, which is what the classifier sees of it."""
    rows, columns = pixels.shape[:2]
    side = min(rows, columns)
    top, left = (rows - side) // 2, (columns - side) // 2
    return np.ascontiguousarray(pixels[top : top + side, left : left + side])
