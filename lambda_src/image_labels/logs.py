"""Writes log lines. No field can make a line, or a photo, fail.

Lambda's JSON formatter loses a line with a value that JSON does not know, and raises for text that is not UTF-8, such
as a key with half of a surrogate pair.
"""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Mapping

# Lambda cuts a line at 256 KB, and a cut line is no JSON.
MAX_TEXT = 4000

Field = str | int | float


def write(
    logger: logging.Logger, level: int, message: str, fields: Mapping[str, Field], error: BaseException | None = None
) -> None:
    """Write a line with these fields at top level, and the traceback of `error`. Raises nothing."""
    extra = {name: _plain(value) for name, value in fields.items()}
    for exception in (
        (error, None) if error else (None,)
    ):  # a traceback has the text of the error, which may not be UTF-8
        try:
            logger.log(level, message, extra=extra, exc_info=exception, stacklevel=2)
        except Exception:  # noqa: S112 - a line that cannot be written must not fail its photo
            continue
        return
    with contextlib.suppress(Exception):
        logger.log(level, message)


def _readable(text: str) -> str:
    """The text with each half of a surrogate pair, which UTF-8 has no bytes for, as its escape."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _plain(value: object) -> Field:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, (int, float)):
        return value if math.isfinite(value) else str(value)
    text = _readable(str(value))
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"
