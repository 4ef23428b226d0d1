"""Pages of a list, and the tokens with which the next page is asked for.

A token holds the number of the last item of its page, so that items may be deleted between two pages. Like the
service's, it is of use only for the list that it comes from, and of at most 255 characters (botocore's model).
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Protocol, TypeVar

from image_labels_emulator.rekognition.errors import RekognitionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

MAX_RESULTS = 4096  # botocore's model, "PageSize"; the default is not documented
_DIGEST = 8


class Numbered(Protocol):
    """An item of a list that grows at its end."""

    @property
    def number(self) -> int: ...


Item = TypeVar("Item", bound=Numbered)


def page(items: Iterable[Item], request: Mapping[str, Any], scope: str) -> tuple[list[Item], str | None]:
    """The items that the request's NextToken and MaxResults ask for, and the token of the next page, if there is one.

    `items` have ascending numbers. `scope` names the list. Raises RekognitionError: InvalidPaginationTokenException.
    """
    after = _number(request["NextToken"], scope) if request.get("NextToken") else 0
    limit = request.get("MaxResults") or MAX_RESULTS
    rest = [item for item in items if item.number > after]
    token = _token(rest[limit - 1].number, scope) if len(rest) > limit else None
    return rest[:limit], token


def _token(number: int, scope: str) -> str:
    return base64.b64encode(_digest(scope, number) + number.to_bytes(8)).decode()


def _number(token: str, scope: str) -> int:
    try:
        raw = base64.b64decode(token, validate=True)
    except ValueError:
        raw = b""
    number = int.from_bytes(raw[_DIGEST:])
    if len(raw) != _DIGEST + 8 or raw[:_DIGEST] != _digest(scope, number):
        raise RekognitionError("InvalidPaginationTokenException")
    return number


def _digest(scope: str, number: int) -> bytes:
    return hashlib.blake2b(f"{scope}\0{number}".encode(), digest_size=_DIGEST).digest()
