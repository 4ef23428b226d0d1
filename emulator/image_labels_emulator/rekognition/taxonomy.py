"""What Rekognition knows about its labels: ancestors, aliases, categories, and whether it draws boxes.

`taxonomy.json` holds, per label, its direct parents, aliases, categories, whether an answer has boxes (Instances)
for it, and `published`: true if a published answer of label model 3.0 or the Developer Guide ("Detecting labels",
"Detecting labels in an image", "Detecting labels in a video") shows these facts; false if they were put together
from answers of model 2.0 and their like, which may differ from model 3.0 in detail. It is a small part of the real
list of some 3,000 labels, and a label outside it simply has no parents, aliases or categories here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Label:
    """A label; `parents` are all its ancestors, in alphabetical order, as the service answers them."""

    name: str
    parents: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    has_boxes: bool = False
    published: bool = False


class Taxonomy:
    """Labels by name or alias, without regard to case."""

    def __init__(self, labels: list[Label]) -> None:
        self.labels = {label.name: label for label in labels}
        self._by_term = {label.name.casefold(): label for label in labels}
        for label in labels:
            self._by_term |= {alias.casefold(): label for alias in label.aliases}
        self.longest_term = max((len(term.replace("-", " ").split()) for term in self._by_term), default=0)
        # "t-shirt.jpg" has the words t and shirt.
        self._by_term |= {term.replace("-", " "): label for term, label in self._by_term.items()}

    def find(self, term: str) -> Label | None:
        """The label of this name or alias, or None. An alias is never a label of its own."""
        return self._by_term.get(term.casefold())

    def get(self, name: str) -> Label:
        """The label of this exact name; one without any facts if it is not known."""
        return self.labels.get(name) or Label(name)


@cache
def load() -> Taxonomy:
    """The taxonomy of this package."""
    raw = json.loads(files(__package__).joinpath("taxonomy.json").read_text())
    return Taxonomy(
        [
            Label(
                name=name,
                parents=tuple(sorted(_ancestors(name, raw))),
                aliases=tuple(facts["aliases"]),
                categories=tuple(facts["categories"]),
                has_boxes=facts["boxes"],
                published=facts["published"],
            )
            for name, facts in raw.items()
        ]
    )


def _ancestors(name: str, raw: dict[str, dict[str, list[str]]]) -> set[str]:
    direct = raw[name]["parents"]
    return set(direct).union(*(_ancestors(parent, raw) for parent in direct))
