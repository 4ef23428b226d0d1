"""Search terms of a photo, case-folded: names, aliases, parents and categories of its labels, text, moderation."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from image_labels.detectors.finding import Finding
    from image_labels.model import Label

# A sort key has 1,024 bytes, which is what an object key may have alone:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
MAX_RANK_BYTES = 1024
# A partition key has 2,048 bytes (same page). Rekognition's longest label has under 50.
MAX_TERM_BYTES = 2048
# Digits after the decimal point of a stored confidence.
DIGITS = 3


class Kind(StrEnum):
    """The relation of a term to its label, or the detector that found it. The first kind of a name counts."""

    LABEL = "label"
    ALIAS = "alias"
    PARENT = "parent"
    CATEGORY = "category"
    TEXT = "text"
    MODERATION = "moderation"


_PRECEDENCE = {kind: n for n, kind in enumerate(Kind)}


class Term(NamedTuple):
    """A word to find a photo by. `text` is folded, `name` as Rekognition writes it, `confidence` in percent."""

    text: str
    name: str
    kind: Kind
    confidence: float


def fold(name: str) -> str:
    """The form in which names are compared: "Traffic  Light" and "traffic light" are the same."""
    return " ".join(name.casefold().split())


def is_term(text: str) -> bool:
    """Whether this can be the partition key of a photo's row."""
    return 0 < len(text.encode(errors="replace")) <= MAX_TERM_BYTES and not text.startswith("*")


def terms_of(labels: Sequence[Label], findings: Iterable[Finding] = ()) -> tuple[Term, ...]:
    """The terms of a photo without duplicates, highest confidence first.

    An alias, parent or category has the confidence of its label. A name that is also a label has the label's kind and
    confidence; of several aliases, parents and categories, the one with the highest confidence counts.
    """
    best: dict[str, Term] = {}
    for term in _all_terms(labels, findings):
        known = best.get(term.text)
        if is_term(term.text) and (known is None or _order(term) < _order(known)):
            best[term.text] = term
    return tuple(sorted(best.values(), key=lambda term: (-term.confidence, term.text)))


def listed(terms: Iterable[Term]) -> frozenset[str]:
    """The texts of the terms that are in the vocabulary and have a count: all except lines of text.

    Most lines are in one photo only, and the vocabulary is one partition that searches read as a whole, and from which
    nothing is deleted.
    """
    return frozenset(term.text for term in terms if term.kind is not Kind.TEXT)


def _all_terms(labels: Sequence[Label], findings: Iterable[Finding]) -> Iterator[Term]:
    for label in labels:
        confidence = round(label.confidence, DIGITS)
        for kind, names in (
            (Kind.LABEL, (label.name,)),
            (Kind.ALIAS, label.aliases),
            (Kind.PARENT, label.parents),
            (Kind.CATEGORY, label.categories),
        ):
            for name in names:
                yield Term(fold(name), name, kind, confidence)
    for finding in findings:
        for found, name, percent in finding.terms():
            yield Term(fold(name), name, Kind(found), round(percent, DIGITS))


def _order(term: Term) -> tuple[int, float]:
    return (_PRECEDENCE[term.kind], -term.confidence)


def thousandths(confidence: float) -> int:
    """A confidence in percent as whole thousandths of a percent, the precision of the table."""
    return round(confidence * 1000)


def percent_of(thousandths: int) -> float:
    """A confidence in whole thousandths of a percent as percent."""
    return thousandths / 1000


def rank(confidence: float, key: str) -> str:
    """The sort key of a photo under a term: highest confidence first, then by object key."""
    return ranked(_place(confidence), key)


def ranked(place: str, key: str) -> str:
    """The sort key of a photo at a place.

    A key that does not fit is truncated and followed by its hash; the row's `PK` has the whole key.
    """
    whole = f"{place}#{key}"
    if len(whole.encode()) <= MAX_RANK_BYTES:
        return whole
    digest = hashlib.sha256(key.encode()).hexdigest()
    room = MAX_RANK_BYTES - len(digest) - 1
    return f"{whole.encode()[:room].decode(errors='ignore')}#{digest}"


def rank_bound(confidence: float) -> str:
    """The prefix of the ranks of photos of exactly this confidence; those of higher confidence sort before it."""
    return f"{_place(confidence)}#"


def _place(confidence: float) -> str:
    # Six digits, from 000000 for 100 % to 100000 for none.
    return f"{round((100 - confidence) * 10**DIGITS):06d}"
