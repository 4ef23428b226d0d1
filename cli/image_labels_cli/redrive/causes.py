"""Groups dead letters by cause. Causes that differ only in keys, ids, times and numbers are one group."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from image_labels_cli.dead_letters import DeadLetter

# Stands for a part of a cause that differs between the messages of a group.
VARIES = "…"
# Messages beyond so many causes form one more group, which bounds the memory.
MAX_GROUPS = 100
OTHER = "other causes"
# The function cuts a cause at 1,000 characters. The cut is at another place if the key before it is longer.
MAX_CAUSE = 600

# A URL, an address or an ARN keeps what names the host or the bucket, and loses the key.
_PATH = re.compile(r"""((?:https?|s3)://[^\s/'"]+/|arn:[\w-]+:s3:::[^\s/'"]+/)[^\s'"]+""")
# A quote inside a word is an apostrophe.
_QUOTED = re.compile(r"""(?<!\w)(?:'[^']*'|"[^"]*")(?!\w)""")
_WORD = re.compile(r"[A-Za-z_-]{0,40}")
_REQUEST_ID = re.compile(r"\b((?:extended )?(?:request|host) ?id)\b(:? ?)[^\s,;)]+", re.IGNORECASE)
_ID = re.compile(
    r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b"  # a UUID
    r"|\b(?=[a-f]*\d)[0-9a-f]{16,}\b"
    r"|\b(?=[A-Z]*\d)(?=\d*[A-Z])[0-9A-Z]{13,}\b"
)
_TIME = re.compile(r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?\b")
# Not the digits in the names of Regions, queues and tables.
_NUMBER = re.compile(r"(?<![\w.:/-])\d+(?:[.,]\d+)*(?:ms|s|%)?(?![\w/-])")
# An error code, as in "HeadObject: 403: Forbidden". Other numbers of three digits are counts and positions.
_HTTP_STATUS = re.compile(r"(?:: |\(|HTTP |[Ss]tatus |[Cc]ode )[1-5]\d\d$")


def general(cause: str, photo: str | None = None) -> str:
    """The cause with the same text for all photos. `photo` is the s3:// address of the one that failed."""
    for text in _spellings(photo):
        cause = cause.replace(text, VARIES)
    cause = _PATH.sub(rf"\1{VARIES}", cause)
    cause = _QUOTED.sub(_without_content, cause)
    cause = _REQUEST_ID.sub(rf"\1\2{VARIES}", cause)
    cause = _TIME.sub(VARIES, _ID.sub(VARIES, cause))
    cause = _NUMBER.sub(_unless_error_code, cause)
    return cause if len(cause) <= MAX_CAUSE else cause[:MAX_CAUSE] + VARIES


def _spellings(photo: str | None) -> list[str]:
    """The address and the key as they may be in a cause, longest first."""
    if not photo:
        return []
    key = photo.removeprefix("s3://").partition("/")[2]
    # A key such as "Item" could be a word of the cause.
    keys = set() if len(key) < 4 or key.isalpha() else {key, repr(key)[1:-1], quote(key), quote_plus(key)}
    return sorted({photo, *keys}, key=len, reverse=True)


def _without_content(found: re.Match[str]) -> str:
    content = found[0][1:-1]
    known = _WORD.fullmatch(content) or "://" in content
    return found[0] if known else f"{found[0][0]}{VARIES}{found[0][0]}"


def _unless_error_code(found: re.Match[str]) -> str:
    before = found.string[max(0, found.start() - 10) : found.end()]
    return found[0] if _HTTP_STATUS.search(before) else VARIES


@dataclass
class Group:
    """Dead letters with the same cause. `example`, `photo` and `next_step` are those of the first one.

    If not `readable`, the messages are no events: the function cannot process them.
    """

    cause: str
    readable: bool
    example: str
    photo: str | None
    next_step: str
    count: int = 0


class Causes:
    """The groups of all dead letters that were added."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, bool], Group] = {}

    def add(self, letter: DeadLetter) -> None:
        key = _key(letter)
        group = self.find(letter)
        if group is None:
            if len(self._groups) >= MAX_GROUPS:
                key = (OTHER, letter.readable)
            group = Group(*key, letter.known_cause, letter.photo, letter.known_next_step)
            self._groups[key] = group
        group.count += 1

    def find(self, letter: DeadLetter) -> Group | None:
        """The group of a dead letter, None if no such dead letter was added."""
        return self._groups.get(_key(letter)) or self._groups.get((OTHER, letter.readable))

    def ranked(self) -> list[Group]:
        """The groups in the order of their numbers: the largest first."""
        return sorted(self._groups.values(), key=lambda group: (-group.count, group.cause, not group.readable))


def pick(groups: Sequence[Group], wanted: Iterable[str]) -> tuple[list[Group], list[str]]:
    """The groups that are wanted, by number or by a part of the cause, and the texts that match none."""
    picked: list[Group] = []
    unknown: list[str] = []
    for text in wanted:
        if text.isascii() and text.isdigit() and 1 <= int(text) <= len(groups):
            found = [groups[int(text) - 1]]
        else:
            part = text.casefold()
            found = [g for g in groups if part and (part in g.cause.casefold() or part in g.example.casefold())]
        picked += [group for group in found if group not in picked]
        if not found:
            unknown.append(text)
    return picked, unknown


def _key(letter: DeadLetter) -> tuple[str, bool]:
    return general(letter.known_cause, letter.photo), letter.readable
