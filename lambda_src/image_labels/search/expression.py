"""Parses search expressions into conjunctions. image_labels.search.grammar describes the grammar."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from image_labels.search import hints
from image_labels.search.errors import ExpressionError, NeedsScan, OtherNotation
from image_labels.search.formula import MAX_CONJUNCTIONS, Atom, Conjunction, Node, TooMany, conjunctions
from image_labels.search.grammar import MAX_NESTING, MAX_TERM_BYTES, Mention, Parser
from image_labels.search.printable import safe

__all__ = [
    "MAX_LENGTH",
    "MAX_NESTING",
    "MAX_TERM_BYTES",
    "Expression",
    "ExpressionError",
    "NeedsScan",
    "Words",
    "is_valid",
    "parse",
    "parse_words",
]

MAX_LENGTH = 1_000  # characters of an expression
_T = TypeVar("_T")


@dataclass(frozen=True)
class Expression:
    """A parsed expression: its text, its tree, and its conjunctions, of which a photo must match at least one.

    An expression without conjunctions contradicts itself (`dog AND NOT dog`), and matches no photo.
    """

    text: str
    root: Node
    conjunctions: tuple[Conjunction, ...]

    @property
    def normalised(self) -> str:
        """A text that is the same for all expressions with the same conjunctions."""
        return " OR ".join(map(str, self.conjunctions))

    def matches(self, terms: Mapping[str, int]) -> bool:
        """Whether a photo with these terms matches. The confidences are in thousandths of a percent."""
        return any(conjunction.matches(terms) for conjunction in self.conjunctions)

    def positive(self) -> tuple[Atom, ...]:
        """The terms that are not negated, in the order of the text."""
        atoms = {atom for conjunction in self.conjunctions for atom in conjunction.positive}
        return tuple(sorted(atoms, key=lambda atom: (atom.position, str(atom))))

    def refuse_not_alone(self) -> None:
        """Raise NeedsScan if a branch has only NOT terms."""
        _refuse_not_alone(self.text, self.conjunctions)


@dataclass(frozen=True)
class Words:
    """An expression in which AND may be omitted: its terms, and the positions at which AND is missing.

    `conjunctions` takes each word for a term.
    """

    text: str
    mentions: tuple[Mention, ...]
    implied: tuple[int, ...]
    conjunctions: tuple[Conjunction, ...]

    def refuse_not_alone(self) -> None:
        """Raise NeedsScan if a branch has only NOT terms, whatever the words are resolved to."""
        _refuse_not_alone(self.text, self.conjunctions)


def _refuse_not_alone(text: str, conjunctions: Sequence[Conjunction]) -> None:
    for conjunction in conjunctions:
        if not conjunction.positive:
            branch = "" if len(conjunctions) == 1 else f" (the branch {conjunction})"
            raise NeedsScan(
                f"NOT alone{branch} cannot be looked up: photos are indexed by the labels that they have, not by "
                "those that they lack. Add a label that the photos must have (beach AND NOT dog), or use --scan, "
                "which reads the whole table",
                text,
                min(atom.position for atom in conjunction.negative),
            )


def parse(text: str) -> Expression:
    """Parse an expression. Raises ExpressionError, which marks the mistake."""
    return _with_suggestions(_parsed, text)


def parse_words(text: str) -> Words:
    """Parse an expression in which AND may be omitted. Raises ExpressionError, which marks the mistake."""
    return _with_suggestions(_parsed_words, text)


def _with_suggestions(parsed: Callable[[str], _T], text: str) -> _T:
    try:
        return parsed(text)
    except ExpressionError as error:
        suggestions = tuple(filter(is_valid, hints.corrections(text[:MAX_LENGTH])))
        message = error.message
        if suggestions and isinstance(error, OtherNotation):
            message += f": write {' or '.join(map(safe, suggestions))}"
        raise ExpressionError(message, error.expression, error.position, suggestions) from error


def is_valid(text: str) -> bool:
    """Whether `parse` accepts the text."""
    try:
        _parsed(text)
    except ExpressionError:
        return False
    return True


def _parsed_words(text: str) -> Words:
    _refuse_too_long(text)
    parser = Parser(text, adjacent=True)
    root = parser.whole()
    return Words(text, tuple(parser.mentions), tuple(parser.implied), _conjunctions(text, root))


def _parsed(text: str) -> Expression:
    _refuse_too_long(text)
    root = Parser(text).whole()
    return Expression(text, root, _conjunctions(text, root))


def _refuse_too_long(text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise ExpressionError(
            f"the expression has {len(text):,} characters; at most {MAX_LENGTH:,} are allowed",
            text[: MAX_LENGTH + 1],
            MAX_LENGTH,
        )


def _conjunctions(text: str, root: Node) -> tuple[Conjunction, ...]:
    try:
        return conjunctions(root)
    except TooMany as error:
        raise ExpressionError(
            f"multiplied out, this has more than {MAX_CONJUNCTIONS} alternatives, the maximum of a search: search for "
            "fewer at a time, or use a prefix, as in traf*",
            text,
            error.position,
        ) from error
