"""How many photos have each term, and the photos that were uploaded last."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from image_labels.model import is_iso_time
from image_labels.search.vocabulary import VocabularyTerm, term_of, vocabulary_rows
from image_labels.tables.counts import delta_of
from image_labels.tables.items import text_of, whole
from image_labels.tables.rows import COUNTS, DELTAS, STATE, UPLOADED, date_key, month_partition
from image_labels.tables.terms import fold

if TYPE_CHECKING:
    from image_labels.search.reads import Reads, Skipped
    from image_labels.tables.terms import Kind

# The function adds the deltas of five minutes to the counts. 50 photos per second, the highest default quota of
# Rekognition, are 15,000 deltas of some 400 bytes: 6 MB. More are not read.
MAX_DELTAS = 20_000
# Attempts to read the counts while no delta is added to them, and the seconds between two attempts.
ATTEMPTS = 4
PAUSE_SECONDS = 0.5


@dataclass(frozen=True)
class TermCount:
    """A term of the vocabulary, and how many photos have it."""

    term: VocabularyTerm
    photos: int


@dataclass(frozen=True)
class Counts:
    """The terms that start with a prefix, in alphabetical order, with their numbers of photos.

    `exact` is false if deltas were added to the counts at each attempt to read them, or if there were too many deltas
    to read. `since` is the time before which the labels of some photos were not counted, "" if all are. `changes` is
    the number of deltas that are not added yet. `skipped` has the rows that could not be read.
    """

    terms: tuple[TermCount, ...]
    exact: bool
    since: str
    changes: int
    read_units: float
    requests: int
    skipped: frozenset[Skipped]

    def of_kinds(self, kinds: Iterable[Kind]) -> Counts:
        """The same with the terms of these kinds only."""
        kept = frozenset(kinds)
        return replace(self, terms=tuple(each for each in self.terms if each.term.kind in kept))

    def most_frequent(self, most: int) -> tuple[TermCount, ...]:
        """The terms of the most photos, without those that no photo has."""
        found = sorted(self.terms, key=lambda each: (-each.photos, each.term.text))
        return tuple(each for each in found[:most] if each.photos > 0)


@dataclass(frozen=True)
class Totals:
    """The number of photos by term, of all terms that start with a prefix; see Counts. `folds` is that of the state."""

    photos: Counter[str]
    exact: bool
    since: str
    changes: int
    folds: int


@dataclass(frozen=True)
class RecentPhoto:
    """A photo, and the time of its upload in the form of model.iso_time."""

    key: str
    uploaded: str


def read_counts(reads: Reads, prefix: str = "", *, sleep: Callable[[float], None] = time.sleep) -> Counts:
    """Read the counts of the terms that start with the prefix, which is not case-sensitive.

    Costs the read of the vocabulary and the counts, about 12 KB for 100 terms, and of the deltas.
    """
    totals = read_totals(reads, prefix, sleep=sleep)
    terms = []
    for row in vocabulary_rows(reads, prefix):
        if term := term_of(row):
            terms.append(TermCount(term, totals.photos[term.text]))
        else:
            reads.skip(row)
    return Counts(
        tuple(terms),
        totals.exact,
        totals.since,
        totals.changes,
        round(reads.units, 3),
        reads.requests,
        frozenset(reads.skipped),
    )


def read_totals(reads: Reads, prefix: str = "", *, sleep: Callable[[float], None] = time.sleep) -> Totals:
    """The counts and the deltas together, read while no delta was added to the counts if that is possible.

    Changes of the photos themselves may come in between, so the numbers are those of a time during the call.
    """
    attempts = 0
    while True:
        before = _state(reads)
        photos = Counter(dict(_counted(reads, fold(prefix))))
        changes, all_read = _add_deltas(reads, photos, fold(prefix))
        folds = _folds(before)
        attempts += 1
        same = folds == _folds(_state(reads))
        if same or attempts == ATTEMPTS:
            since = text_of(before, "Since")
            return Totals(photos, same and all_read, since if is_iso_time(since) else "", changes, folds)
        sleep(PAUSE_SECONDS)


def recent_photos(reads: Reads, limit: int) -> Iterator[RecentPhoto]:
    """Up to `limit` photos, the last uploaded first. Rejected photos are not among them."""
    for month in _months(reads):
        query = _partition(month_partition(month)) | {"Limit": limit}
        for row in reads.all_rows(**query):
            key, uploaded = text_of(row, "PK"), text_of(row, "Uploaded")
            if not is_iso_time(uploaded) or date_key(key, uploaded) != (row["Term"]["S"], row["Rank"]["S"]):
                reads.skip(row)
                continue
            yield RecentPhoto(key, uploaded)
            limit -= 1
            if limit <= 0:
                return


def _months(reads: Reads) -> Iterator[str]:
    """The months that have photos or had some, the last one first."""
    rows = reads.all_rows(**_partition(UPLOADED), ScanIndexForward=False)
    return (row["Rank"]["S"] for row in rows)


def _state(reads: Reads) -> dict[str, Any]:
    rows = reads.rows(**_partition(COUNTS, STATE, exactly=True), ConsistentRead=True)["Items"]
    return dict(rows[0]) if rows else {}


def _folds(state: dict[str, Any]) -> int:
    return whole(state.get("Folds", {})) or 0


def _counted(reads: Reads, prefix: str) -> Iterator[tuple[str, int]]:
    for row in reads.all_rows(**_partition(COUNTS, prefix), ConsistentRead=True):
        photos = whole(row.get("Photos", {}))
        if photos is not None:
            yield row["Rank"]["S"], photos
        elif row["Rank"]["S"] != STATE:
            reads.skip(row)


def _add_deltas(reads: Reads, photos: Counter[str], prefix: str) -> tuple[int, bool]:
    """Add the deltas. Returns how many there are, and whether these are all."""
    read = 0
    for row in reads.all_rows(**_partition(DELTAS), ConsistentRead=True):
        if read == MAX_DELTAS:
            return read, False
        read += 1
        for term, change in delta_of(row).changes.items():
            if term.startswith(prefix):
                photos[term] += change
    return read, True


def _partition(term: str, rank: str = "", *, exactly: bool = False) -> dict[str, Any]:
    """The parameters of Query for the rows of a term, of those whose rank begins with a text or is exactly this one."""
    condition, names, values = "#term = :term", {"#term": "Term"}, {":term": {"S": term}}
    if rank:
        condition += " AND #rank = :rank" if exactly else " AND begins_with(#rank, :rank)"
        names["#rank"] = "Rank"
        values[":rank"] = {"S": rank}
    return {
        "KeyConditionExpression": condition,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }
