"""A generated collection of photos for `make bench-find`, with labels about as frequent as in real collections.

A photo shows a scene (people, a street, food …). The scene determines which labels are likely, whether there is a
person, and whether the photo is taken outdoors or indoors. The labels of a scene follow Zipf's law: the n-th is 1/n as
frequent as the first. As in an answer of Rekognition, a label comes with its ancestors, which have at least its
confidence, and there are at most MaxLabels labels. Confidences are between 80 (MinConfidence) and 100, and most are
high. Labels of outdoor scenes are rare in indoor photos.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, count

from image_labels.model import Instance, Label, Labels, Photo
from image_labels_emulator.rekognition import taxonomy

SEED = 1
MAX_LABELS = 10  # as in the lab
MIN_LABELS = 8
MIN_CONFIDENCE = 80.0
EXPONENT = 1.0
# One photo in 1,000 is both outdoors and indoors: a terrace, a window, a mistake.
PHOTOS_PER_EXCEPTION = 1000


@dataclass(frozen=True)
class Scene:
    """Likely contents of a photo. `weight`, `person`, `outdoors` and `indoors` are percentages of photos."""

    weight: float
    person: float
    outdoors: float
    indoors: float
    categories: tuple[str, ...]


SCENES = (
    Scene(22, 98, 15, 25, ("Person Description", "Apparel and Accessories", "Expressions and Emotions")),
    Scene(16, 10, 85, 0, ("Nature and Outdoors", "Plants and Flowers")),
    Scene(12, 45, 70, 0, ("Buildings and Architecture", "Transport and Logistics", "Vehicles and Automotive")),
    Scene(12, 40, 0, 90, ("Home and Indoors", "Furniture and Furnishings")),
    Scene(10, 15, 35, 10, ("Animals and Pets",)),
    Scene(10, 10, 5, 60, ("Food and Beverage", "Kitchen and Dining")),
    Scene(8, 50, 0, 55, ("Technology and Computing", "Text and Documents", "Symbols and Flags")),
    Scene(6, 95, 60, 10, ("Sports", "Actions")),
    Scene(4, 80, 30, 40, ("Hobbies and Interests", "Performing Arts", "Toys and Gaming", "Events and Attractions")),
)
# The most frequent labels of their categories. The others have no particular order.
FREQUENT = (
    *("Face", "Adult", "Clothing", "Smile", "Sky", "Tree", "Flower", "Building", "Car", "Street", "Furniture", "Chair"),
    *("Dog", "Cat", "Bird", "Meal", "Phone", "Laptop", "Text", "Soccer", "Walking", "Portrait"),
)


class Collection:
    """An endless, reproducible sequence of photos: a small table holds the first photos of a large one."""

    def __init__(self) -> None:
        self._random = random.Random(SEED)  # noqa: S311
        self._known = taxonomy.load()
        names = sorted(self._known.labels)
        self._random.shuffle(names)
        names.sort(key=lambda name: FREQUENT.index(name) if name in FREQUENT else len(FREQUENT))
        self._all = _Zipf(names)
        self._scenes = [_Zipf([n for n in names if set(self._categories(n)) & set(s.categories)]) for s in SCENES]
        self._boxes = [self._box() for _ in range(1000)]

    def photos(self) -> Iterator[tuple[Photo, Labels]]:
        """Photos and their labels, without end."""
        for n in count():
            key = f"photos/{2010 + n % 15}/{1 + n % 12:02}/IMG_{n:06}.jpg"
            etag = f"{self._random.getrandbits(128):032x}"
            photo = Photo("photos", key, etag, None, self._random.randrange(200_000, 8_000_000))
            yield photo, Labels(self._labels(), "3.0")

    def _labels(self) -> tuple[Label, ...]:
        number = self._random.choices(range(len(SCENES)), [scene.weight for scene in SCENES])[0]
        scene = SCENES[number]
        place = self._place(scene)
        found = {place: self._confidence()} if place else {}
        if self._occurs(scene.person):
            found["Person"] = self._confidence()
        number_of_labels = self._random.randint(MIN_LABELS, MAX_LABELS)
        while len(found) < number_of_labels:
            names = self._scenes[number] if self._random.random() < 0.9 else self._all
            self._add(found, names.one(self._random), place)
        best = sorted(found.items(), key=lambda each: -each[1])[:number_of_labels]
        return tuple(self._label(name, confidence) for name, confidence in best)

    def _add(self, found: dict[str, float], name: str, place: str | None) -> None:
        parents = self._known.get(name).parents
        other = {"Outdoors": "Indoors", "Indoors": "Outdoors"}.get(place or "")
        if other in (name, *parents) and self._random.randrange(PHOTOS_PER_EXCEPTION):
            return
        confidence = found[name] = max(found.get(name, 0), self._confidence())
        for parent in parents:
            surer = confidence + (100 - confidence) * self._random.random()
            found[parent] = max(found.get(parent, 0), surer)

    def _place(self, scene: Scene) -> str | None:
        where = self._random.random() * 100
        if where < scene.outdoors:
            return "Outdoors"
        return "Indoors" if where < scene.outdoors + scene.indoors else None

    def _occurs(self, percent: float) -> bool:
        return self._random.random() * 100 < percent

    def _confidence(self) -> float:
        return 100 - (100 - MIN_CONFIDENCE) * self._random.random() ** 2

    def _categories(self, name: str) -> tuple[str, ...]:
        return self._known.get(name).categories

    def _label(self, name: str, confidence: float) -> Label:
        known = self._known.get(name)
        boxes = tuple(self._random.sample(self._boxes, self._random.choice((1, 1, 1, 2, 3)))) if known.has_boxes else ()
        return Label(name, confidence, known.parents, known.aliases, known.categories, boxes)

    def _box(self) -> Instance:
        left, top, width, height = (self._random.uniform(0.05, 0.5) for _ in range(4))
        return Instance(left, top, width, height, self._confidence())


class _Zipf:
    """Names distributed by Zipf's law: the n-th is 1/n as frequent as the first."""

    def __init__(self, names: list[str]) -> None:
        self._names = names
        self._until = list(accumulate(1 / n**EXPONENT for n in range(1, len(names) + 1)))

    def one(self, generator: random.Random) -> str:
        return generator.choices(self._names, cum_weights=self._until)[0]
