"""The tree of an expression, and its disjunctive normal form: a list of conjunctions.

Confidences are integers, in thousandths of a percent, the precision of the table. Bounds therefore need no rounding.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

MAX_CONJUNCTIONS = 50  # each is a Query
FULL = 100_000  # 100 %


class TooMany(ValueError):  # noqa: N818 - the user sees an ExpressionError
    """The normal form has more than MAX_CONJUNCTIONS conjunctions. The part that is too large starts at `position`."""

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


@dataclass(frozen=True)
class Atom:
    """A term, or all terms of a pattern, with a confidence from `low` to `high`, inclusive.

    `text` is the whole term. With `prefix`, a term may continue after it (`traf*`). With `suffix`, a term may start
    before it (`*light`). With both, a term contains it (`*light*`).
    """

    text: str
    prefix: bool = False
    low: int = 0
    high: int = FULL
    position: int = field(default=0, compare=False)
    suffix: bool = False

    @property
    def pattern(self) -> bool:
        """Whether the atom stands for all terms of a pattern, which only the vocabulary has."""
        return self.prefix or self.suffix

    @property
    def name(self) -> str:
        """The term or pattern as in an expression, without quotes and bounds."""
        return "*" * self.suffix + self.text + "*" * self.prefix

    @property
    def bounded(self) -> bool:
        """Whether the confidence matters."""
        return self.low > 0 or self.high < FULL

    def names(self, term: str) -> bool:
        """Whether this is the atom's term, or one of its pattern. The term is folded."""
        if self.suffix:
            return self.text in term if self.prefix else term.endswith(self.text)
        return term.startswith(self.text) if self.prefix else term == self.text

    def includes(self, other: Atom) -> bool:
        """Whether this atom's terms and confidences include all those of the other."""
        return (
            self.names(other.text)
            and (self.prefix or not other.prefix)
            and (self.suffix or not other.suffix)
            and self.low <= other.low
            and other.high <= self.high
        )

    def confidence(self, terms: Mapping[str, int]) -> int | None:
        """The highest confidence, in thousandths of a percent, with which these terms match; None if none matches."""
        if self.pattern:
            found = [confidence for term, confidence in terms.items() if self.names(term) and self.allows(confidence)]
            return max(found, default=None)
        confidence = terms.get(self.text)
        return confidence if confidence is not None and self.allows(confidence) else None

    def allows(self, confidence: int) -> bool:
        """Whether this confidence is within the bounds."""
        return self.low <= confidence <= self.high

    def __str__(self) -> str:
        bounds = f" {self.low}..{self.high}" if self.bounded else ""
        return json.dumps(self.name, ensure_ascii=False) + bounds


@dataclass(frozen=True)
class Not:
    part: Node
    position: int = field(default=0, compare=False)


@dataclass(frozen=True)
class And:
    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Or:
    parts: tuple[Node, ...]


Node = Atom | Not | And | Or


@dataclass(frozen=True)
class Conjunction:
    """Matches photos that have all of `positive` and none of `negative`. Both are sorted and have no duplicates."""

    positive: tuple[Atom, ...]
    negative: tuple[Atom, ...]

    def matches(self, terms: Mapping[str, int]) -> bool:
        """Whether a photo with these terms matches. The confidences are in thousandths of a percent."""
        return all(atom.confidence(terms) is not None for atom in self.positive) and all(
            atom.confidence(terms) is None for atom in self.negative
        )

    def __str__(self) -> str:
        return " AND ".join([*map(str, self.positive), *(f"NOT {atom}" for atom in self.negative)])


_Literals = frozenset[tuple[bool, Atom]]  # a conjunction of (negated, atom)


def conjunctions(node: Node) -> tuple[Conjunction, ...]:
    """The conjunctions of the tree's disjunctive normal form; none if the tree contradicts itself. Raises TooMany.

    They are sorted. Conjunctions that contradict themselves, or that another one includes, are removed.
    """
    possible = {literals for literals in map(_intersected, _multiplied(node, negated=False)) if literals is not None}
    wanted = [literals for literals in possible if not any(other < literals for other in possible)]
    return tuple(
        sorted(
            (
                Conjunction(
                    positive=tuple(sorted((atom for negated, atom in literals if not negated), key=str)),
                    negative=tuple(sorted((atom for negated, atom in literals if negated), key=str)),
                )
                for literals in wanted
            ),
            key=str,
        )
    )


def _multiplied(node: Node, *, negated: bool, position: int | None = None) -> set[_Literals]:
    """The disjunctive normal form. `position` is the position of the innermost NOT around the node."""
    match node:
        case Atom():
            place = node.position if position is None else position
            return {frozenset({(negated, replace(node, position=place) if negated else node)})}
        case Not():
            return _multiplied(node.part, negated=not negated, position=node.position)
        case And() | Or():
            parts = [_multiplied(part, negated=negated, position=position) for part in node.parts]
    joined = isinstance(node, And) != negated  # NOT (a OR b) is NOT a AND NOT b
    result: set[_Literals] = {frozenset()} if joined else set()
    for part in parts:
        result = {one | other for one in result for other in part} if joined else result | part
        if len(result) > MAX_CONJUNCTIONS:
            raise TooMany(_first(node).position)
    return result


def _first(node: Node) -> Atom:
    match node:
        case Atom():
            return node
        case Not():
            return _first(node.part)
        case And() | Or():
            return _first(node.parts[0])


def _intersected(literals: _Literals) -> _Literals | None:
    """The literals with one pair of bounds for each positive term; None if no photo can match them."""
    positive: dict[Atom | str, Atom] = {}
    negative = [atom for negated, atom in literals if negated]
    for negated, atom in literals:
        if not negated:
            # Different terms may meet the bounds of a pattern, so its bounds are not merged.
            name = atom if atom.pattern else atom.text
            known = positive.get(name, atom)
            positive[name] = replace(
                atom,
                low=max(known.low, atom.low),
                high=min(known.high, atom.high),
                position=min(known.position, atom.position),
            )
    for atom in positive.values():
        if atom.low > atom.high or any(other.includes(atom) for other in negative):
            return None
    return frozenset((False, atom) for atom in positive.values()) | frozenset((True, atom) for atom in negative)
