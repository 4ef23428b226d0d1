"""Parses search expressions, such as `dog>=95 AND NOT (cat OR "traffic light") AND traf*`, into trees.

    or      = and (OR and)*
    and     = not (AND not)*
    not     = NOT not | "(" or ")" | term
    term    = (word | "quoted" | 'quoted') [(">=" | ">" | "<=" | "<") percent]

A word has no spaces, parentheses, quotes, `<`, `>` or `=`, and none of the operators of other notations
(image_labels.search.hints). A `*` at the beginning or the end of a word or of a quoted text stands for any text, so
`*light*` names all terms that contain it. Operators and terms are not case-sensitive.

With `adjacent`, AND between two operands may be omitted:

    and     = not (AND? not)*
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import NoReturn

from image_labels.search import hints
from image_labels.search.errors import ExpressionError, OtherNotation
from image_labels.search.formula import And, Atom, Node, Not, Or
from image_labels.tables.terms import fold

MAX_NESTING = 20  # levels of parentheses and NOTs
MAX_TERM_BYTES = 255  # DynamoDB's limit for a name in an expression; Rekognition's longest label has fewer than 50


@dataclass(frozen=True)
class Token:
    kind: str  # "word", "quoted", "AND", "OR", "NOT", "(", ")", "<", "<=", ">", ">=" or "end"
    text: str
    position: int


_TOKEN = re.compile(r"""\s*(?:(?P<mark>[()]|[<>=]+)|(?P<quote>["'])|(?P<word>[^\s()"'<>=]+))""")
_PERCENT = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)%?")
_COMPARISONS = ("<", "<=", ">", ">=")


def _tokens(text: str) -> Iterator[Token]:
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
            yield Token("quoted", text[start + 1 : position - 1], start)
        elif kind == "word":
            if not compared and (message := hints.other_notation(content)):
                raise OtherNotation(message, text, start)
            operator = content.upper()
            yield Token(operator if operator in ("AND", "OR", "NOT") else "word", content, start)
        elif content in ("(", ")", *_COMPARISONS):
            yield Token(content, content, start)
        else:
            raise OtherNotation(
                f"{content} is not a comparison; after a term use >=, >, <= or < and a percentage, as in dog>=95",
                text,
                start,
            )
        compared = content in _COMPARISONS
    yield Token("end", "", len(text.rstrip()))


@dataclass(frozen=True)
class Mention:
    """A term where it stands in the text, from `start` to `end`, without its comparison.

    `negated`: directly after NOT. `joined`: a word directly after a word, neither of them in quotes or a pattern, and
    without a comparison in between. Such words may be the name of one label.
    """

    atom: Atom
    start: int
    end: int
    quoted: bool = False
    negated: bool = False
    joined: bool = False


class Parser:
    """Parses one text. `mentions` has its terms. `implied` has the positions of the operands that stand directly after
    another one, which are allowed with `adjacent`.
    """

    def __init__(self, text: str, *, adjacent: bool = False) -> None:
        self.mentions: list[Mention] = []
        self.implied: list[int] = []
        self._text = text
        self._adjacent = adjacent
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
        while self._accept("AND") or self._accept_adjacent():
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

    def _group(self, opening: Token) -> Node:
        node = self._or()
        if not self._accept(")"):
            if self._peek().kind != "end":
                self._two_side_by_side(self._peek())
            self._fail("this ( is never closed", opening)
        return node

    def _term(self, token: Token) -> Atom:
        suffix = token.text.startswith("*")
        stem = token.text[suffix:]
        prefix = stem.endswith("*")
        stem = stem.removesuffix("*")
        text = fold(stem)
        if "*" in text:
            self._fail("a term may have a * at its beginning and one at its end, as in *light, traf* or *light*", token)
        if not text:
            pattern = suffix or prefix
            self._fail(
                "* needs letters, as in traf* or *light*" if pattern else "there is nothing between the quotes", token
            )
        if re.search("[\ud800-\udfff]", text):
            self._fail("the term is not valid Unicode text", token)
        if len(text.encode()) > MAX_TERM_BYTES:
            self._fail(f"the term is too long: at most {MAX_TERM_BYTES} bytes are allowed", token)
        if prefix and stem[-1].isspace():
            text += " "  # "traffic *" must not find trafficking
        if suffix and stem[0].isspace():
            text = f" {text}"
        atom = Atom(text, prefix, position=token.position, suffix=suffix)
        self._record(token, atom)
        if self._peek().kind not in _COMPARISONS:
            return atom
        atom = self._bounded(atom, self._take())
        if self._peek().kind in _COMPARISONS:
            self._fail("a term has one comparison; for a range, write dog>=90 AND dog<95")
        return atom

    def _record(self, token: Token, atom: Atom) -> None:
        quoted = token.kind == "quoted"
        end = token.position + len(token.text) + 2 * quoted
        before = self._tokens[self._next - 2] if self._next > 1 else None
        last = self.mentions[-1] if self.mentions else None
        joined = (
            last is not None
            and before is not None
            and before.kind == "word"
            and before.position == last.start
            and not (quoted or last.quoted or atom.pattern or last.atom.pattern)
        )
        negated = before is not None and before.kind == "NOT"
        self.mentions.append(Mention(atom, token.position, end, quoted, negated, joined))

    def _bounded(self, atom: Atom, comparison: Token) -> Atom:
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

    def _two_side_by_side(self, token: Token) -> NoReturn:
        before = self._tokens[self._next - 1]
        if before.kind == token.kind == "word":
            self._fail(
                f'{before.text} and {token.text} stand side by side: write "{before.text} {token.text}" if that is one '
                f"label, {before.text} AND {token.text} or {before.text} OR {token.text} if it is two",
                token,
            )
        self._fail("AND or OR is missing before this", token)

    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _take(self) -> Token:
        token = self._peek()
        self._next += token.kind != "end"
        return token

    def _accept(self, kind: str) -> bool:
        accepted = self._peek().kind == kind
        self._next += accepted
        return accepted

    def _accept_adjacent(self) -> bool:
        """Whether another operand follows, and may do so without an operator."""
        token = self._peek()
        accepted = self._adjacent and token.kind in ("word", "quoted", "NOT", "(")
        if accepted:
            self.implied.append(token.position)
        return accepted

    def _fail(self, message: str, token: Token | None = None) -> NoReturn:
        raise ExpressionError(message, self._text, (token or self._peek()).position)
