"""Why a search found nothing: the part of the expression that no photo has, and expressions that find photos.

Each question is a search for one photo. The questions stop when they have read MAX_READ_UNITS or taken MAX_SECONDS,
because labels that rarely occur together can take many reads.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from image_labels.search.expression import NeedsScan, parse
from image_labels.search.formula import FULL
from image_labels.search.hints import quoted
from image_labels.tables.terms import percent_of

if TYPE_CHECKING:
    from image_labels.search.formula import Atom, Conjunction

    from image_labels_cli.browse.photos import FinderLike

MAX_READ_UNITS = 25
MAX_SECONDS = 3.0
MAX_ALTERNATIVES = 3
MAX_EXPRESSIONS = 4


@dataclass(frozen=True)
class Instead:
    """An expression that finds photos, and what differs from the one that found none, as a short sentence."""

    expression: str
    why: str


@dataclass(frozen=True)
class Diagnosis:
    """`none` has the parts that no photo has. `complete` is whether all questions were asked."""

    none: tuple[str, ...]
    instead: tuple[Instead, ...]
    elsewhere: bool
    read_units: float
    complete: bool


class _Enough(Exception):  # noqa: N818 - the end of the questions
    pass


class _Questions:
    def __init__(self, finder: FinderLike) -> None:
        self._finder = finder
        self._until = time.monotonic() + MAX_SECONDS
        self._known: dict[str, float | None] = {}
        self.read_units = 0.0

    def best(self, expression: str) -> float | None:
        """The highest confidence of a photo that matches; None if none does, or if no Query can answer it."""
        if expression not in self._known:
            if self.read_units >= MAX_READ_UNITS or time.monotonic() > self._until:
                raise _Enough
            try:
                page = self._finder.find(expression, limit=1)
            except NeedsScan:
                return None
            self.read_units += page.read_units
            self._known[expression] = page.photos[0].confidence if page.photos else None
        return self._known[expression]


def diagnose(finder: FinderLike, expression: str, prefix: str) -> Diagnosis:
    """Why no photo matches. `elsewhere`: whether photos match whose keys do not start with the prefix."""
    questions = _Questions(finder)
    none: dict[str, None] = {}
    instead: dict[str, Instead] = {}
    elsewhere, complete = False, True
    try:
        elsewhere = bool(prefix) and questions.best(expression) is not None
        if not elsewhere:
            for conjunction in parse(expression).conjunctions[:MAX_ALTERNATIVES]:
                _ask(questions, conjunction, none, instead)
    except _Enough:
        complete = False
    found = tuple(instead.values())[:MAX_EXPRESSIONS]
    return Diagnosis(tuple(none), found, elsewhere, round(questions.read_units, 3), complete)


def _ask(questions: _Questions, conjunction: Conjunction, none: dict[str, None], instead: dict[str, Instead]) -> None:
    parts: list[tuple[str, Atom | None]] = [(written(atom), atom) for atom in conjunction.positive]
    parts += [(f"NOT {written(atom)}", None) for atom in conjunction.negative]
    for text, atom in parts:
        if atom is None or questions.best(text) is not None:
            continue
        none[text] = None
        if not atom.bounded:
            continue
        best = questions.best(written(replace(atom, low=0, high=FULL)))
        if best is not None and atom.low > 0:  # no photo has it with this confidence: the highest one is the next best
            lower = written(replace(atom, low=int(best) * 1000, high=FULL))
            changed = " AND ".join(lower if other == text else other for other, _ in parts)
            _offer(questions, instead, changed, f"{lower} instead of {text}")
    if len(parts) > 1:
        for text, _ in parts:
            rest = " AND ".join(other for other, _ in parts if other != text)
            _offer(questions, instead, rest, f"without {text}")


def _offer(questions: _Questions, instead: dict[str, Instead], expression: str, why: str) -> None:
    if expression not in instead and questions.best(expression) is not None:
        instead[expression] = Instead(expression, why)


def written(atom: Atom) -> str:
    """The atom as an expression."""
    name = quoted(atom.name)
    bounds = [f"{name}>={_percent(atom.low)}"] if atom.low > 0 else []
    bounds += [f"{name}<={_percent(atom.high)}"] if atom.high < FULL else []
    return bounds[0] if len(bounds) == 1 else f"({' AND '.join(bounds)})" if bounds else name


def _percent(thousandths: int) -> str:
    return f"{percent_of(thousandths):.3f}".rstrip("0").rstrip(".")
