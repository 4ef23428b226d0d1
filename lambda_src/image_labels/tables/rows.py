"""The rows of the labels table, in DynamoDB's typed JSON. See image_labels.tables.store for their attributes.

The rows of a photo follow from its item alone: its key, its terms, and the date of the object.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from image_labels.tables.terms import DIGITS, MAX_RANK_BYTES, Term, rank, ranked

if TYPE_CHECKING:
    from image_labels.detectors.finding import Finding

Value = dict[str, Any]
# The key of a row of the labels table: its term and rank.
RowKey = tuple[str, str]

# The reserved partitions. No term of a photo begins with "*" (image_labels.tables.terms).
VOCABULARY = "*"
UPLOADED = "*uploaded"
DELTAS = "*delta"
COUNTS = "*count"
USAGE = "*usage"
POLICIES = "*policy"
UNWANTED = "*unwanted"
# The rank of the row of COUNTS that says how far the counts are.
STATE = "*"

# Each of a photo's rows carries all its terms. With more terms than this, writing them would cost more than
# Rekognition does; the rows then refer to the photo's item.
MAX_TERMS_IN_ROW = 250
# A delta is added to the counts in one transaction, which has 100 actions: see image_labels.tables.counts.
MAX_DELTA_TERMS = 90


def rows_of(key: str, terms: tuple[Term, ...], uploaded: str = "") -> dict[RowKey, dict[str, Value]]:
    """The rows of a photo in the labels table. `uploaded` is as in model.Photo; without it, no search by date finds the
    photo.
    """
    common: dict[str, Value] = {"PK": {"S": key}}
    if uploaded:
        common["Uploaded"] = {"S": uploaded}
    common |= (
        {"Terms": {"M": {term.text: decimal(term.confidence, DIGITS) for term in terms}}}
        if len(terms) <= MAX_TERMS_IN_ROW
        else {"TermsCut": {"BOOL": True}}
    )
    rows = {
        row_key(key, term): {
            "Term": {"S": term.text},
            "Rank": {"S": rank(term.confidence, key)},
            "Name": {"S": term.name},
            "Kind": {"S": term.kind.value},
            "Confidence": decimal(term.confidence, DIGITS),
        }
        | common
        for term in terms
    }
    if uploaded:
        term, place = date_key(key, uploaded)
        rows[term, place] = {"Term": {"S": term}, "Rank": {"S": place}} | common
    return rows


def row_keys(key: str, terms: Iterable[Term], uploaded: str) -> list[RowKey]:
    """The keys of `rows_of`."""
    return [*(row_key(key, term) for term in terms), *([date_key(key, uploaded)] if uploaded else [])]


def reserved_rows(key: str, findings: Iterable[Finding]) -> dict[RowKey, dict[str, Value]]:
    """The rows of a photo in reserved partitions, which only name it."""
    return {
        (term, rank): {"Term": {"S": term}, "Rank": {"S": rank}, "PK": {"S": key}}
        for finding in findings
        for term, rank in finding.row_keys()
    }


def row_key(key: str, term: Term) -> RowKey:
    """The key of a photo's row for this term."""
    return (term.text, rank(term.confidence, key))


def date_key(key: str, uploaded: str) -> RowKey:
    """The key of a photo's row among those of the same month: the newest first, to the second, then by object key."""
    return (month_partition(month_of(uploaded)), ranked(date_place(uploaded), key))


def month_of(uploaded: str) -> str:
    """The month of a time of the form of model.iso_time, such as 2026-11."""
    return uploaded[:7]


def month_partition(month: str) -> str:
    """The partition of the photos of a month."""
    return f"{UPLOADED} {month}"


def date_place(uploaded: str) -> str:
    """The beginning of the rank of a photo of this time: ten digits, the fewer the later."""
    return f"{9_999_999_999 - int(datetime.fromisoformat(uploaded).timestamp()):010d}"


def vocabulary_row(term: Term) -> dict[str, Value]:
    """The row of a term in the vocabulary."""
    return {
        "Term": {"S": VOCABULARY},
        "Rank": {"S": term.text},
        "Name": {"S": term.name},
        "Kind": {"S": term.kind.value},
    }


def month_row(month: str) -> dict[str, Value]:
    """The row of a month that has photos, or had some."""
    return {"Term": {"S": UPLOADED}, "Rank": {"S": month}}


def delta_rows(key: str, revision: int, old: Iterable[str], new: Iterable[str]) -> Iterator[dict[str, Value]]:
    """The rows that count a photo under its new terms, and no longer under its old ones. None if they are the same.

    The ranks of the rows of a key and a revision are unique, and as random as hashes, so that DynamoDB can divide the
    partition: one that grew at its end would have its 1,000 write units per second at most.
    """
    old, new = set(old), set(new)
    changes = sorted([(term, 1) for term in new - old] + [(term, -1) for term in old - new])
    # A vocabulary row, and the row of a count, have the term as their sort key.
    changes = [change for change in changes if len(change[0].encode()) <= MAX_RANK_BYTES]
    for start in range(0, len(changes), MAX_DELTA_TERMS):
        yield delta_row(f"{start} {revision} {key}", dict(changes[start : start + MAX_DELTA_TERMS]))


def delta_row(unique: str, changes: Mapping[str, int]) -> dict[str, Value]:
    """The row of changes by term. No two rows that are in the table have the same text `unique`."""
    return {
        "Term": {"S": DELTAS},
        "Rank": {"S": hashlib.sha256(unique.encode()).hexdigest()[:32]},
        "Deltas": {"M": {term: {"N": str(change)} for term, change in changes.items()}},
    }


def decimal(value: float, digits: int) -> Value:
    """A number with so many digits after the point. Rekognition's single-precision noise is not worth its bytes."""
    return {"N": f"{value:.{digits}f}"}
