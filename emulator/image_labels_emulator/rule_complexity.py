"""Complexity of event patterns. EventBridge refuses a pattern whose wildcards are too complex.

AWS does not publish how EventBridge measures complexity, but its open-source event-ruler does: the complexity of a
field is the largest number of prefixes of its wildcards that one value can match. "a*b" has the prefixes "a", "a*" and
"a*b". "ab" matches the last two, and no value matches more.
https://github.com/aws/event-ruler#matching-with-a-machine
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

# Observed: EventBridge accepts 9 and refuses 12. event-ruler's example has 10.
MAX_COMPLEXITY = 9

# Any byte that occurs in no wildcard.
OTHER = -1

# A wildcard as bytes, with None for an asterisk; and one of its prefixes, by length.
Tokens = tuple[int | None, ...]
Prefix = tuple[Tokens, int]


def is_too_complex(event_pattern: str) -> bool:
    """Whether EventBridge would refuse this valid event pattern as too complex."""
    fields: dict[tuple[str, ...], list[str]] = {}
    for field, wildcard in _wildcards(json.loads(event_pattern)):
        # event-ruler compares strings with their JSON quotation marks.
        fields.setdefault(field, []).append(f'"{wildcard}"')
    return any(complexity(wildcards, MAX_COMPLEXITY) > MAX_COMPLEXITY for wildcards in fields.values())


def complexity(wildcards: Iterable[str], most: int | None = None) -> int:
    """The complexity of one field with these wildcards. The search stops at the first number above `most`.

    It explores all values at the same time, byte by byte, as sets of matched prefixes.
    """
    patterns = {_tokens(wildcard) for wildcard in wildcards}
    nothing = frozenset({(each, 0) for each in patterns} | {(each, 1) for each in patterns if each[:1] == (None,)})
    seen, left, largest = {nothing}, [nothing], 0
    while left:
        matched = left.pop()
        expected = {pattern[length] for pattern, length in matched if length < len(pattern)}
        for byte in {OTHER} | {token for token in expected if token is not None}:
            longer = frozenset(_with(byte, matched))
            largest = max(largest, len(longer))
            if most is not None and largest > most:
                return largest
            if longer not in seen:
                seen.add(longer)
                left.append(longer)
    return largest


def _with(byte: int, matched: Iterable[Prefix]) -> Iterator[Prefix]:
    """The matched prefixes after one more byte of the value."""
    for pattern, length in matched:
        if length and pattern[length - 1] is None:
            yield pattern, length
        if length < len(pattern) and pattern[length] == byte:
            yield pattern, length + 1
            # A following asterisk also matches zero bytes.
            if pattern[length + 1 : length + 2] == (None,):
                yield pattern, length + 2


def _tokens(wildcard: str) -> Tokens:
    parts = re.findall(r"\\[\\*]|.", wildcard, re.DOTALL)
    return tuple(token for part in parts for token in ([None] if part == "*" else part[-1].encode()))


def _wildcards(pattern: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every wildcard of an event pattern, with its field."""
    for name, value in pattern.items():
        if name == "$or":
            for alternative in value:
                yield from _wildcards(alternative, path)
        elif isinstance(value, Mapping):
            yield from _wildcards(value, (*path, name))
        else:
            for wildcard in _of_conditions(value):
                yield (*path, name), wildcard


def _of_conditions(conditions: Iterable[Any]) -> Iterator[str]:
    for condition in conditions:
        match condition:
            case {"wildcard": str(wildcard)} | {"anything-but": {"wildcard": str(wildcard)}}:
                yield wildcard
            case {"anything-but": {"wildcard": [*wildcards]}}:
                yield from wildcards
