"""Rekognition's taxonomy: ancestors, aliases and categories of labels, and whether they have boxes.

`taxonomy.json` has the 3,082 labels of label model 3.0, with direct parents, aliases, categories, and `boxes` (whether
answers can have Instances of it). Absent keys are empty or false.

`published` is true if name, aliases, categories and `boxes` are facts of AWS's own lists of labels, which the Developer
Guide ("Detecting labels") links to: AmazonRekognitionAllLabels, -LabelsCategoriesMapping, -LabelCategories,
-AliasLabels and -BoundingBoxLabels, version 3.0.

Those lists have no parents. `parents_published` is true if a published answer of label model 3.0 or the Developer Guide
("Detecting labels", "Detecting labels in an image", "Detecting labels in a video") shows the parents. Other parents are
inferred from answers of model 2.0, similar labels and the meaning of the names, and may differ from model 3.0. Labels
of which none of these says anything have none.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Label:
    """A label. `parents` has all of its ancestors in alphabetical order, as in the service's answers."""

    name: str
    parents: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    has_boxes: bool = False
    published: bool = False
    parents_published: bool = False


class Taxonomy:
    """Labels by name or alias, case-insensitively."""

    def __init__(self, labels: list[Label]) -> None:
        self.labels = {label.name: label for label in labels}
        self._by_term = {label.name.casefold(): label for label in labels}
        for label in labels:
            self._by_term |= {alias.casefold(): label for alias in label.aliases}

    def find(self, term: str) -> Label | None:
        """The label with this name or alias, or None."""
        return self._by_term.get(term.casefold())

    def get(self, name: str) -> Label:
        """The label with this exact name; an unknown name gives a label without facts."""
        return self.labels.get(name) or Label(name)


@cache
def load() -> Taxonomy:
    raw = json.loads(files(__package__).joinpath("taxonomy.json").read_text(encoding="utf-8"))
    return Taxonomy(
        [
            Label(
                name=name,
                parents=tuple(sorted(_ancestors(name, raw))),
                aliases=tuple(facts.get("aliases", [])),
                categories=tuple(facts["categories"]),
                has_boxes=facts.get("boxes", False),
                published=facts["published"],
                parents_published=facts.get("parents_published", False),
            )
            for name, facts in raw.items()
        ]
    )


def _ancestors(name: str, raw: dict[str, dict[str, list[str]]]) -> set[str]:
    direct = raw[name].get("parents", [])
    return set(direct).union(*(_ancestors(parent, raw) for parent in direct))
