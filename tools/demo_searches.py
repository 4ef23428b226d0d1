"""Searches that match photos of the demo, chosen from what was seen in them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from typing import Any

from image_labels.tables.terms import fold

_OPERATORS = {"AND", "OR", "NOT"}


def expressions(items: Iterable[Mapping[str, Any]]) -> list[str]:
    """Up to two expressions, each of which matches at least one of these items of the images table.

    The first excludes a label (`Person AND NOT Tripod`), if some photos of a label have another one and some do not.
    The second joins two certain labels that no photo has together, one of them with a minimum confidence. Without
    labels there is none.
    """
    best: dict[str, float] = {}  # confidence by label
    parents: dict[str, int] = {}
    photos: dict[str, set[str]] = {}  # keys by folded term; the table finds a photo by any of them
    for item in items:
        for label in item.get("Detections", ()):
            best[label["Name"]] = max(best.get(label["Name"], 0.0), float(label["Confidence"]))
            parents[label["Name"]] = len(label["Parents"])
            for term in (label["Name"], *label["Parents"], *label["Aliases"], *label["Categories"]):
                photos.setdefault(fold(term), set()).add(item["PK"])
    if not best:
        return []
    keys = {name: photos[fold(name)] for name in best}
    # Of equal labels, the most specific, then the first in the alphabet.
    frequent = sorted(best, key=lambda name: (-len(keys[name]), -parents[name], name))
    certain = sorted(best, key=lambda name: (-round(best[name]), -parents[name], name))
    chosen = [_excluding(frequent, keys), _joined(certain, keys, best)]
    return [expression for expression in chosen if expression] or [_word(frequent[0])]


def _excluding(names: list[str], keys: Mapping[str, set[str]]) -> str:
    for wanted, other in itertools.permutations(names, 2):
        if keys[wanted] & keys[other] and keys[wanted] - keys[other]:
            return f"{_word(wanted)} AND NOT {_word(other)}"
    return ""


def _joined(names: list[str], keys: Mapping[str, set[str]], best: Mapping[str, float]) -> str:
    for one, other in itertools.combinations(names, 2):
        if not keys[one] & keys[other]:
            return f"{_word(one)} OR {_word(other)}>={int(best[other])}"
    return ""


def _word(name: str) -> str:
    return name if re.fullmatch(r"\w+", name) and name.upper() not in _OPERATORS else f'"{name}"'
