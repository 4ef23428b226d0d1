"""CloudWatch Logs filter patterns, which select the log events that a metric filter counts.

Emulated, as the user guide specifies them (AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html):

- `{ $.a.b[0] = "x*" && ($.n >= 5 || $.['c.d'] IS NULL) }` on log events that are JSON objects. `=` and `!=` compare
  with a number or with text, in which `*` matches any characters; `<`, `<=`, `>` and `>=` compare with a number. `IS`
  takes NULL, TRUE or FALSE; `NOT EXISTS` has no opposite.
- `ERROR "two words" -skip` on any log event: all terms, and none with a minus; `?a ?b`: at least one of them.
- An empty or blank pattern matches every log event.

Where the guide is silent, a comparison (`!=`, too) with a missing property, an array, an object, true, false or null is
false, and a number in quotes is compared as text.

Not emulated, and refused: regular expressions (`%x%`), wildcard selectors (`$.*`, `$.a[*]`), and patterns for
space-delimited log events (`[ip, user, …]`).
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

Condition = Callable[[dict[str, Any]], bool]

NAME = r"\.[A-Za-z0-9_-]+|\.?\['[^']+'\]|\[\d+\]"
SELECTOR = re.compile(rf"\$(?=\.)(?:{NAME})+")
STEP = re.compile(r"\.([A-Za-z0-9_-]+)|\.?\['([^']+)'\]|\[(\d+)\]")
STRING = r'"(?:[^"\\]|\\.)*"'
NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
TOKEN = re.compile(
    rf"\s*(?:(?P<selector>{SELECTOR.pattern})|(?P<operator>&&|\|\||!=|<=|>=|[=<>()])"
    rf"|(?P<string>{STRING})|(?P<word>[A-Za-z0-9_.*+-]+))\s*"
)
TERM = re.compile(rf"\s*([-?]?)({STRING}|[A-Za-z0-9_]+)(?=\s|$)")
ORDERINGS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
# AWS does not document a limit.
MAX_DEPTH = 50
LITERALS = {"NULL": None, "TRUE": True, "FALSE": False}


class InvalidPatternError(ValueError):
    """An invalid filter pattern, or one that is not emulated; the message names it."""


class _Missing:
    """The value of a missing property."""


MISSING = _Missing()


@dataclass(frozen=True, slots=True)
class Event:
    """A log event: its text, and its properties if it is a JSON object."""

    message: str
    properties: dict[str, Any] | None

    @classmethod
    def parse(cls, message: str) -> Event:
        try:
            value = json.loads(message) if message.lstrip().startswith("{") else None
        except (ValueError, RecursionError):
            value = None
        return cls(message, value if isinstance(value, dict) else None)


@dataclass(frozen=True, slots=True)
class Selector:
    """A property selector such as `$.a.b[0]`."""

    steps: tuple[str | int, ...]

    @classmethod
    def parse(cls, text: str) -> Selector:
        if not SELECTOR.fullmatch(text):
            raise InvalidPatternError(f"{text} is not a supported property selector, such as $.a.b[0]")
        steps = (step.groups() for step in STEP.finditer(text))
        return cls(tuple(int(index) if index else name or quoted for name, quoted, index in steps))

    def of(self, properties: dict[str, Any]) -> Any:
        """The value, or MISSING."""
        value: Any = properties
        for step in self.steps:
            if isinstance(step, str):
                value = value.get(step, MISSING) if isinstance(value, dict) else MISSING
            else:
                value = value[step] if isinstance(value, list) and step < len(value) else MISSING
        return value


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled filter pattern. If `is_json`, a metric's value and dimensions can come from properties."""

    is_json: bool
    matches: Callable[[Event], bool]


@lru_cache(maxsize=256)
def compile_pattern(text: str) -> Pattern:
    """Raises InvalidPatternError."""
    stripped = text.strip()
    try:
        if stripped.startswith("{"):
            condition = _Json(stripped).condition
            return Pattern(True, lambda event: event.properties is not None and condition(event.properties))
        return Pattern(False, _terms(stripped))
    except InvalidPatternError as error:
        raise InvalidPatternError(f"Invalid filter pattern {text}: {error}") from None


def number_of(text: str) -> float | None:
    return float(text) if NUMBER.fullmatch(text) else None


def _terms(text: str) -> Callable[[Event], bool]:
    found: dict[str, list[str]] = {"": [], "-": [], "?": []}
    position = 0
    while position < len(text):
        match = TERM.match(text, position)
        if match is None:
            raise InvalidPatternError(f"unsupported term at {text[position:]!r}; quote all but A-Z, a-z, 0-9, _")
        if term := _unquoted(match[2]).strip():  # " " matches everything
            found[match[1]].append(term)
        position = match.end()
    all_of, none_of, one_of = found.values()
    if all_of or none_of:
        one_of = []  # CloudWatch ignores terms with a question mark beside others

    def matches(event: Event) -> bool:
        message = event.message
        return (
            all(term in message for term in all_of)
            and not any(term in message for term in none_of)
            and (not one_of or any(term in message for term in one_of))
        )

    return matches


class _Json:
    """A recursive-descent parser of the text between the braces: `||` of `&&` of conditions or parentheses."""

    def __init__(self, text: str) -> None:
        if not text.endswith("}"):
            raise InvalidPatternError("a pattern that starts with '{' must end with '}'")
        self._tokens: list[tuple[str, str]] = []
        self._next = 0
        self._depth = 0
        position, end = 1, len(text) - 1
        while text[position:end].strip():
            match = TOKEN.match(text, position, end)
            if match is None:
                raise InvalidPatternError(f"unsupported syntax at {text[position:end].strip()!r}")
            kind = match.lastgroup or ""
            self._tokens.append((kind, match[kind]))
            position = match.end()
        self.condition = self._any()
        if self._next < len(self._tokens):
            raise InvalidPatternError(f"unexpected {self._take()[1]}")

    def _take(self, *kinds: str) -> tuple[str, str]:
        kind, text = self._tokens[self._next] if self._next < len(self._tokens) else ("", "the end")
        if kinds and kind not in kinds:
            raise InvalidPatternError(f"expected a {' or '.join(kinds)}, not {text}")
        self._next += 1
        return kind, text

    def _skip(self, text: str) -> bool:
        found = self._next < len(self._tokens) and self._tokens[self._next][1] == text
        self._next += found
        return found

    def _any(self) -> Condition:
        conditions = [self._all()]
        while self._skip("||"):
            conditions.append(self._all())
        return lambda properties: any(condition(properties) for condition in conditions)

    def _all(self) -> Condition:
        conditions = [self._one()]
        while self._skip("&&"):
            conditions.append(self._one())
        return lambda properties: all(condition(properties) for condition in conditions)

    def _one(self) -> Condition:
        if self._skip("("):
            self._depth += 1
            if self._depth > MAX_DEPTH:
                raise InvalidPatternError(f"parentheses are nested more than {MAX_DEPTH} deep")
            condition = self._any()
            if not self._skip(")"):
                raise InvalidPatternError("a parenthesis is not closed")
            self._depth -= 1
            return condition
        selector = Selector.parse(self._take("selector")[1])
        kind, word = self._take("operator", "word")
        if (kind, word) == ("word", "IS"):
            name = self._take("word")[1]
            if name not in LITERALS:
                raise InvalidPatternError(f"IS {name}: IS requires NULL, TRUE or FALSE")
            literal = LITERALS[name]
            return lambda properties: selector.of(properties) is literal
        if (kind, word) == ("word", "NOT") and self._skip("EXISTS"):
            return lambda properties: selector.of(properties) is MISSING
        if kind == "word" or word not in {"=", "!=", *ORDERINGS}:
            raise InvalidPatternError(f"{word} is not an operator")
        compare = _comparison(word, *self._take("string", "word"))
        return lambda properties: compare(selector.of(properties))


def _comparison(symbol: str, kind: str, text: str) -> Callable[[Any], bool]:
    number = None if kind == "string" else number_of(text)
    if symbol in ORDERINGS:
        if number is None:
            raise InvalidPatternError(f"{symbol} requires a number, not {text}")
        ordering = ORDERINGS[symbol]
        return lambda value: is_number(value) and ordering(value, number)
    parts = (re.escape(part) for part in _unquoted(text).split("*"))
    wildcard = re.compile(".*".join(parts), re.DOTALL)

    def equal(value: Any) -> bool:
        if number is not None and is_number(value):
            return bool(value == number)
        return wildcard.fullmatch(value if isinstance(value, str) else json.dumps(value)) is not None

    wanted = symbol == "="
    return lambda value: (isinstance(value, str) or is_number(value)) and equal(value) is wanted


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text
