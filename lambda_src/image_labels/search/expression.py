"""Parses search expressions, such as `dog>=95 AND NOT (cat OR "traffic light") AND traf*`, into conjunctions.

    or      = and (OR and)*
    and     = not (AND not)*
    not     = NOT not | "(" or ")" | term
    term    = (word | "quoted" | 'quoted') [(">=" | ">" | "<=" | "<") percent]

A word has no spaces, parentheses, quotes, `<`, `>` or `=`, and none of the operators of other notations
(image_labels.search.hints). A `*` at the end of a word or of a quoted text makes it a prefix. Operators and terms are
not case-sensitive.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import NoReturn

from image_labels.search import hints
from image_labels.search.formula import MAX_CONJUNCTIONS, And, Atom, Conjunction, Node, Not, Or, TooMany, conjunctions
from image_labels.search.printable import safe
from image_labels.tables.terms import fold

MAX_LENGTH = 1_000  # characters of an expression
MAX_NESTING = 20  # levels of parentheses and NOTs
MAX_TERM_BYTES = 255  # DynamoDB's limit for a name in an expression; Rekognition's longest label has fewer than 50


class ExpressionError(ValueError):
    """The expression is invalid, or no search can answer it. `message` is a sentence that describes what is allowed.

    `position` is the index of the mistake in `expression`; str() marks it. `suggestions` are valid expressions that the
    user may have meant.
    """

    def __init__(self, message: str, expression: str, position: int, suggestions: tuple[str, ...] = ()) -> None:
        super().__init__(message, expression, position, suggestions)
        self.message = message
        self.expression = expression
        self.position = position
        self.suggestions = suggestions

    def __str__(self) -> str:
        line = re.sub(r"\s", " ", self.expression)
        return f"{safe(self.message)}\n{safe(line)}\n{' ' * _columns(safe(line[: self.position]))}^"


class _OtherNotation(ExpressionError):  # noqa: N818 - explained by ExpressionError
    """The expression uses another search engine's or language's notation. `parse` adds suggestions to the message."""


class NeedsScan(ExpressionError):  # noqa: N818 - the expression is valid, but a Query cannot answer it
    """A branch of the expression has only NOT terms, and no index lists the labels that a photo lacks."""


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
        for conjunction in self.conjunctions:
            if not conjunction.positive:
                branch = "" if len(self.conjunctions) == 1 else f" (the branch {conjunction})"
                raise NeedsScan(
                    f"NOT alone{branch} cannot be looked up: photos are indexed by the labels that they have, not by "
                    "those that they lack. Add a label that the photos must have (beach AND NOT dog), or use --scan, "
                    "which reads the whole table",
                    self.text,
                    min(atom.position for atom in conjunction.negative),
                )


def parse(text: str) -> Expression:
    """Parse an expression. Raises ExpressionError, which marks the mistake."""
    try:
        return _parsed(text)
    except ExpressionError as error:
        suggestions = tuple(filter(_is_valid, hints.corrections(text[:MAX_LENGTH])))
        message = error.message
        if suggestions and isinstance(error, _OtherNotation):
            message += f": write {' or '.join(map(safe, suggestions))}"
        raise ExpressionError(message, error.expression, error.position, suggestions) from error


def _is_valid(text: str) -> bool:
    try:
        _parsed(text)
    except ExpressionError:
        return False
    return True


def _parsed(text: str) -> Expression:
    if len(text) > MAX_LENGTH:
        raise ExpressionError(
            f"the expression has {len(text):,} characters; at most {MAX_LENGTH:,} are allowed",
            text[: MAX_LENGTH + 1],
            MAX_LENGTH,
        )
    root = _Parser(text).whole()
    try:
        return Expression(text, root, conjunctions(root))
    except TooMany as error:
        raise ExpressionError(
            f"multiplied out, this has more than {MAX_CONJUNCTIONS} alternatives, the maximum of a search: search for "
            "fewer at a time, or use a prefix, as in traf*",
            text,
            error.position,
        ) from error


@dataclass(frozen=True)
class _Token:
    kind: str  # "word", "quoted", "AND", "OR", "NOT", "(", ")", "<", "<=", ">", ">=" or "end"
    text: str
    position: int


_TOKEN = re.compile(r"""\s*(?:(?P<mark>[()]|[<>=]+)|(?P<quote>["'])|(?P<word>[^\s()"'<>=]+))""")
_PERCENT = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)%?")
_COMPARISONS = ("<", "<=", ">", ">=")


def _tokens(text: str) -> Iterator[_Token]:
    position = 0
    compared = False  # whether a percentage must follow
    while match := _TOKEN.match(text, position):
        kind = match.lastgroup or ""
        start, position = match.span(kind)
        content = match[kind]
        if kind == "quote":
            position = text.find(content, start + 1) + 1
            if not position:
                raise ExpressionError(
                    f"the quote is never closed: put a term of several words, or with an apostrophe, between two "
                    f"{content}, or between two of the other kind",
                    text,
                    start,
                )
            yield _Token("quoted", text[start + 1 : position - 1], start)
        elif kind == "word":
            if not compared and (message := hints.other_notation(content)):
                raise _OtherNotation(message, text, start)
            operator = content.upper()
            yield _Token(operator if operator in ("AND", "OR", "NOT") else "word", content, start)
        elif content in ("(", ")", *_COMPARISONS):
            yield _Token(content, content, start)
        else:
            raise _OtherNotation(
                f"{content} is not a comparison; after a term use >=, >, <= or < and a percentage, as in dog>=95",
                text,
                start,
            )
        compared = content in _COMPARISONS
    yield _Token("end", "", len(text.rstrip()))


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(_tokens(text))
        self._next = 0
        self._depth = 0

    def whole(self) -> Node:
        if self._peek().kind == "end":
            self._fail('the expression is empty: give a label, as in dog, or several, as in dog AND "traffic light"')
        node = self._or()
        token = self._peek()
        if token.kind == ")":
            self._fail("this ) has no ( before it")
        if token.kind != "end":
            self._two_side_by_side(token)
        return node

    def _or(self) -> Node:
        parts = [self._and()]
        while self._accept("OR"):
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _and(self) -> Node:
        parts = [self._not()]
        while self._accept("AND"):
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _not(self) -> Node:
        token = self._take()
        if token.kind in ("NOT", "("):
            self._depth += 1
            if self._depth > MAX_NESTING:
                self._fail(f"parentheses and NOTs are nested more than {MAX_NESTING} deep, the most allowed", token)
            node = Not(self._not(), token.position) if token.kind == "NOT" else self._group(token)
            self._depth -= 1
            return node
        if token.kind in ("word", "quoted"):
            return self._term(token)
        if token.kind == "end":
            return self._fail("the expression ends where a term is expected", token)
        hint = ": put it in quotes if it is the name of a label" if token.kind in ("AND", "OR") else ""
        return self._fail(f"{token.text} stands where a term, NOT or ( is expected{hint}", token)

    def _group(self, opening: _Token) -> Node:
        node = self._or()
        if not self._accept(")"):
            if self._peek().kind != "end":
                self._two_side_by_side(self._peek())
            self._fail("this ( is never closed", opening)
        return node

    def _term(self, token: _Token) -> Atom:
        stem = token.text.removesuffix("*")
        prefix = stem != token.text
        text = fold(stem)
        if "*" in text:
            self._fail("a term may have one *, at its end, as in traf*", token)
        if not text:
            self._fail("* needs a beginning, as in traf*" if prefix else "there is nothing between the quotes", token)
        if re.search("[\ud800-\udfff]", text):
            self._fail("the term is not valid Unicode text", token)
        if len(text.encode()) > MAX_TERM_BYTES:
            self._fail(f"the term is too long: at most {MAX_TERM_BYTES} bytes are allowed", token)
        if prefix and stem[-1].isspace():
            text += " "  # "traffic *" must not find trafficking
        atom = Atom(text, prefix, position=token.position)
        if self._peek().kind not in _COMPARISONS:
            return atom
        atom = self._bounded(atom, self._take())
        if self._peek().kind in _COMPARISONS:
            self._fail("a term has one comparison; for a range, write dog>=90 AND dog<95")
        return atom

    def _bounded(self, atom: Atom, comparison: _Token) -> Atom:
        token = self._take()
        match = _PERCENT.fullmatch(token.text) if token.kind == "word" else None
        if not match or (percent := Decimal(match[1])) > 100:
            place = token if token.kind != "end" else comparison
            self._fail(
                f"after {comparison.text} comes a confidence in percent: a number from 0 to 100, such as 97.5", place
            )
        bound = percent * 1000
        up, down = int(bound.to_integral_value(ROUND_CEILING)), int(bound.to_integral_value(ROUND_FLOOR))
        match comparison.kind:
            case ">=":
                return replace(atom, low=up)
            case ">":
                return replace(atom, low=down + 1)
            case "<=":
                return replace(atom, high=down)
            case _:
                return replace(atom, high=up - 1)

    def _two_side_by_side(self, token: _Token) -> NoReturn:
        before = self._tokens[self._next - 1]
        if before.kind == token.kind == "word":
            self._fail(
                f'{before.text} and {token.text} stand side by side: write "{before.text} {token.text}" if that is one '
                f"label, {before.text} AND {token.text} or {before.text} OR {token.text} if it is two",
                token,
            )
        self._fail("AND or OR is missing before this", token)

    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _take(self) -> _Token:
        token = self._peek()
        self._next += token.kind != "end"
        return token

    def _accept(self, kind: str) -> bool:
        accepted = self._peek().kind == kind
        self._next += accepted
        return accepted

    def _fail(self, message: str, token: _Token | None = None) -> NoReturn:
        raise ExpressionError(message, self._text, (token or self._peek()).position)


def _columns(text: str) -> int:
    """The number of columns that the text takes on a terminal."""
    return sum(
        0 if unicodedata.combining(character) else 1 + (unicodedata.east_asian_width(character) in "WF")
        for character in text
    )
