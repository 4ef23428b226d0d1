"""Rekognition's taxonomy: ancestors, aliases and categories of labels, and whether they have boxes.

`taxonomy.json` has, for each label, its direct parents, aliases and categories, `boxes` (whether answers have Instances
of it), and `published`. That is true if a published answer of label model 3.0 or the Developer Guide ("Detecting
labels", "Detecting labels in an image", "Detecting labels in a video") shows these facts. It is false if they are
inferred from answers of model 2.0 and similar labels, and may differ from model 3.0. The file covers a small part of
the service's 3,000 labels. Here a label outside it has no parents, aliases or categories.
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
