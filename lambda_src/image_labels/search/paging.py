"""Page tokens: the end of a page as text, which the caller returns to get the next page."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from image_labels.search.dates import ALWAYS, Dates
from image_labels.tables.terms import MAX_RANK_BYTES

if TYPE_CHECKING:
    from image_labels.search.expression import Expression


class TokenError(ValueError):
    """The token is garbled, or belongs to another expression, key prefix or date."""


@dataclass(frozen=True)
class Position:
    """The end of a page: the number of each conjunction's driver (None if there is none yet) and the last rank."""

    drivers: tuple[int | None, ...]
    rank: str

    @classmethod
    def start(cls, expression: Expression) -> Position:
        return cls((None,) * len(expression.conjunctions), "")

    def token(self, expression: Expression, key_prefix: str, dates: Dates = ALWAYS) -> str:
        content = json.dumps(
            [_fingerprint(expression, key_prefix, dates), self.drivers, self.rank], separators=(",", ":")
        )
        return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")

    @classmethod
    def from_token(cls, token: str, expression: Expression, key_prefix: str, dates: Dates = ALWAYS) -> Position:
        try:
            content = json.loads(base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True))
            fingerprint, drivers, rank = content
            of_this = fingerprint == _fingerprint(expression, key_prefix, dates)
            good = bool(re.match("[0-9]{6}#", rank)) and len(rank.encode()) <= MAX_RANK_BYTES
            if of_this:
                good = good and all(
                    driver is None or (type(driver) is int and 0 <= driver < len(conjunction.positive))
                    for driver, conjunction in zip(drivers, expression.conjunctions, strict=True)
                )
        except (ValueError, TypeError, RecursionError) as error:
            raise TokenError(_GARBLED) from error
        if not of_this:
            raise TokenError(
                "the token belongs to another expression, key prefix or date: use it with those of its page, or start "
                "again without it"
            )
        if not good:
            raise TokenError(_GARBLED)
        return cls(tuple(drivers), rank)


_GARBLED = "the token is garbled: copy it unchanged from the previous page, or start again without it"


def _fingerprint(expression: Expression, key_prefix: str, dates: Dates) -> str:
    search = [expression.normalised, key_prefix, *([dates.since, dates.until] if dates else [])]
    return hashlib.sha256(json.dumps(search).encode()).hexdigest()[:16]
