"""Reads the photos of one conjunction, highest confidence first, from as few rows as possible.

The photos of `dog AND cat` can come from the rows of dog or from those of cat. The term whose rows are read is the
driver. The other terms become a filter. DynamoDB bills rows that a filter discards, so the rarer term is the better
driver, but the tables have no counts of terms.

Therefore the candidates race. Each candidate reads a few rows, and the one with the fewest wasted rows continues. The
race is decided when a candidate has found a page of photos, or has read all its rows, which gives the whole result.
After that, the other candidates continue only while the driver wastes many rows. A driver that starts well therefore
never causes a read of all rows of a common term if a rare term has the same photos.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from image_labels.search.dates import ALWAYS, Dates
from image_labels.search.rows import END, Rows
from image_labels.tables.terms import percent_of, rank

if TYPE_CHECKING:
    from image_labels.search.formula import Atom, Conjunction
    from image_labels.search.reads import PhotoTerms, Reads

    Attributes = dict[str, Any]


@dataclass(frozen=True)
class Limits:
    """Numbers of rows and photos that decide how much each request reads, and when a candidate wins the race."""

    # Fewer rows are not cheaper: a row has about 0.6 KB, and DynamoDB bills in steps of 4 KB.
    min_rows: int = 6
    # Rows of the first request of a conjunction that has one candidate.
    max_first_rows: int = 100
    # Photos with which a candidate wins: a default page, and one more that shows whether another page follows.
    winning_photos: int = 26
    # A candidate that has found photos may waste up to this many times the rows of one that has found none. If half of
    # one term's photos match, and a tenth of another's, the first soon reads alone. `Race` describes what this costs.
    advantage: int = 4


DEFAULT_LIMITS = Limits()


class Candidate:
    """A term, or the terms of a pattern, whose rows include all photos of a conjunction. Returns each photo once."""

    def __init__(
        self,
        reads: Reads,
        conjunction: Conjunction,
        atom: Atom,
        terms: Sequence[str],
        row_filter: Attributes,
        after: str,
        limits: Limits = DEFAULT_LIMITS,
        dates: Dates = ALWAYS,
    ) -> None:
        self._reads = reads
        self._dates = dates
        self._conjunction = conjunction
        self._atom = atom
        self._terms = terms
        self._limits = limits
        self._rows = [Rows(reads, term, atom, row_filter, after) for term in terms]
        self._photos: list[tuple[str, str, PhotoTerms]] = []  # a heap

    @property
    def exhausted(self) -> bool:
        return all(rows.exhausted for rows in self._rows)

    @property
    def found(self) -> int:
        return sum(rows.found for rows in self._rows)

    @property
    def wasted(self) -> int:
        """The number of rows that were read and gave no photo."""
        return sum(rows.read for rows in self._rows) - self.found

    def place(self, photo: PhotoTerms) -> str | None:
        """The rank at which this candidate returns a photo of the conjunction: the first, if it has several.

        None if the candidate does not return the photo. This happens with a pattern, because only the terms are read
        that were in the vocabulary at the start.
        """
        best = self._best(photo)
        return best and rank(percent_of(-best[0]), photo.key)

    def _best(self, photo: PhotoTerms) -> tuple[int, str] | None:
        found = ((-photo.terms[term], term) for term in self._terms if term in photo.terms)
        return min((each for each in found if self._atom.allows(-each[0])), default=None)

    def read(self, wanted: int, first: int) -> None:
        """Make one request, for about as many rows as `wanted` photos need, or for `first` rows if it is the first."""
        rows = min((rows for rows in self._rows if not rows.exhausted), key=lambda rows: rows.edge)
        share = len(self._rows)
        limit = max(_rows_for(rows, -(-wanted // share), -(-first // share)), self._limits.min_rows)
        for photo in rows.next(limit):
            best = self._best(photo)
            matches = best and best[1] == rows.term and self._conjunction.matches(photo.terms)
            if best and matches and self._reads.is_within(photo, self._dates):
                rows.found += 1
                heapq.heappush(self._photos, (rank(percent_of(-best[0]), photo.key), photo.key, photo))

    def next(self) -> tuple[str, PhotoTerms] | None:
        """The next photo and its rank; None while an unread row may come before it."""
        edge = min((rows.edge for rows in self._rows), default=END)
        if not self._photos or self._photos[0][0] > edge:
            return None
        place, _, photo = heapq.heappop(self._photos)
        return place, photo

    def photos(self) -> list[PhotoTerms]:
        """The photos that were found and not yet returned."""
        return [photo for _, _, photo in self._photos]


class Race:
    """The photos of one conjunction, in descending order of their confidence in the driver.

    `chosen` is the number of the previous page's driver, if there is one. The result starts after the rank `after`.
    `others` is the number of other conjunctions that are read at the same time.

    Let S be the number of rows of the rarest of n terms. If no photo has all terms, the race reads about n * S rows,
    and at most as many again, because the last request of another candidate may read too far. If there are such photos,
    it reads at most `advantage` times as many.
    """

    def __init__(
        self,
        conjunction: Conjunction,
        candidates: Sequence[Candidate],
        *,
        chosen: int | None,
        after: str,
        others: int,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self._conjunction = conjunction
        self._candidates = candidates
        self._after = after
        self._limits = limits
        self._winning = max(5, -(-limits.winning_photos // (1 + others)))
        # All remaining photos, highest confidence last, once a candidate has read all its rows.
        self._rest: list[tuple[str, PhotoTerms]] | None = None
        self._head: tuple[str, PhotoTerms] | None = None
        self._driver = 0 if len(candidates) == 1 else chosen

    @property
    def driver(self) -> int | None:
        """The number of the candidate whose confidence gives the order. It is known after the first call of `head`."""
        return self._driver

    @property
    def complete(self) -> bool:
        """Whether all remaining photos are known without another request."""
        return self._rest is not None

    def place(self, photo: PhotoTerms) -> str | None:
        """The rank at which this conjunction returns a photo; None if it does not. Requires a call of `head` before."""
        return self._leader().place(photo) if self._conjunction.matches(photo.terms) else None

    def left(self) -> list[tuple[str, PhotoTerms]]:
        """The known remaining photos, in no order. These are all remaining photos if the race is complete."""
        return [*(self._rest or ()), *([self._head] if self._head else ())]

    def take(self) -> None:
        """Move on to the next photo."""
        self._head = None

    def head(self, wanted: int) -> tuple[str, PhotoTerms] | None:
        """The next photo and its rank; None at the end. If it must read, it reads enough for about `wanted` photos."""
        while self._head is None:
            if self._rest is None:
                self._decide()
            if self._rest is not None:
                if not self._rest:
                    return None
                self._head = self._rest.pop()
            elif self._driver is not None and (following := self._leader().next()):
                self._head = following
            else:
                self._read(wanted)
            if self._head is not None:
                self._pass_over_given()
        return self._head

    def _pass_over_given(self) -> None:
        if self._head is not None and self._head[0] <= self._after:
            self._head = None
        elif self._head is not None:
            self._after = self._head[0]

    def _decide(self) -> None:
        for number, candidate in enumerate(self._candidates):
            if candidate.exhausted:
                if self._driver is None:
                    self._driver = number
                driver = self._leader()
                placed = {driver.place(photo) or "": photo for photo in candidate.photos()}
                left = sorted((place for place in placed if place > self._after), reverse=True)
                self._rest = [(place, placed[place]) for place in left]
                return
        if self._driver is None:
            self._driver = next((n for n, each in enumerate(self._candidates) if each.found >= self._winning), None)

    def _read(self, wanted: int) -> None:
        limits = self._limits
        leader = self._candidates[self._driver or 0]  # preferred among equals
        candidate = min(
            self._candidates,
            key=lambda each: (each.wasted / min(1 + each.found, limits.advantage), each is not leader),
        )
        if len(self._candidates) == 1:
            candidate.read(wanted, min(wanted, limits.max_first_rows))
        elif self._driver is None:
            # Not `wanted`, because the choice of the driver, and with it the order, must not depend on the page size.
            candidate.read(self._winning - candidate.found, limits.min_rows)
        else:
            candidate.read(wanted, limits.min_rows)

    def _leader(self) -> Candidate:
        assert self._driver is not None, "head() was not called"  # noqa: S101
        return self._candidates[self._driver]


def _rows_for(rows: Rows, wanted: int, first: int) -> int:
    """The number of rows that `wanted` photos probably need, from the rows read so far. It grows step by step."""
    if not rows.read:
        return first
    if not rows.found:
        return rows.read
    return min(-(-wanted * rows.read // rows.found), 3 * rows.read)
