"""Valid expressions for common slips: a missing parenthesis or quote, an operator or a comparison too many."""

from __future__ import annotations

import re
from collections.abc import Iterator

from image_labels.search.expression import ExpressionError, parse

_END = re.compile(r"(?:\s|\(|^)+(?:AND|OR|NOT)?\s*$", re.IGNORECASE)
_START = re.compile(r"^\s*(?:AND|OR)\s+", re.IGNORECASE)
_REPEATED = re.compile(r"\b(?:(?:AND|OR)\s+)+(AND|OR)\b", re.IGNORECASE)
_COMPARISON = re.compile(r"\s*[<>]=?\s*([0-9.]*)%?")
_MAX = 3


def repairs(text: str) -> tuple[str, ...]:
    """Up to _MAX expressions that the user may have meant, without `text` itself."""
    found = [each for each in dict.fromkeys(_candidates(text)) if each != text.strip() and _is_search(each)]
    return tuple(found[:_MAX])


def _candidates(text: str) -> Iterator[str]:
    text = text.strip()
    for quote in "\"'":
        if text.count(quote) % 2:
            yield from (_closed(text + quote), _closed(text.replace(quote, "")))
    yield _closed(text)
    yield _closed(_START.sub("", _trimmed(text)))
    yield _REPEATED.sub(r"\1", text)
    yield _COMPARISON.sub(lambda match: match[0] if _is_percentage(match[1]) else "", text)


def _trimmed(text: str) -> str:
    """Without operators and opening parentheses at the end."""
    while (shorter := _END.sub("", text)) != text:
        text = shorter
    return text


def _closed(text: str) -> str:
    """With as many closing parentheses as opening ones."""
    depth, kept, quote = 0, "", ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character == "(":
            depth += 1
        elif character == ")":
            if depth == 0:
                continue
            depth -= 1
        kept += character
    return kept + ")" * depth


def _is_percentage(text: str) -> bool:
    try:
        return 0 <= float(text) <= 100
    except ValueError:
        return False


def _is_search(text: str) -> bool:
    try:
        parse(text).refuse_not_alone()
    except ExpressionError:
        return False
    return True
