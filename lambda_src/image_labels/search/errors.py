"""Errors of expressions, which mark the mistake."""

from __future__ import annotations

import re
import unicodedata

from image_labels.search.printable import safe


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


class OtherNotation(ExpressionError):  # noqa: N818 - explained by ExpressionError
    """The expression uses another search engine's or language's notation. `parse` adds suggestions to the message."""


class NeedsScan(ExpressionError):  # noqa: N818 - the expression is valid, but a Query cannot answer it
    """A branch of the expression has only NOT terms, and no index lists the labels that a photo lacks."""


def _columns(text: str) -> int:
    """The number of columns that the text takes on a terminal."""
    return sum(
        0 if unicodedata.combining(character) else 1 + (unicodedata.east_asian_width(character) in "WF")
        for character in text
    )
