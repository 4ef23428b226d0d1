"""The photos of one conjunction, best first, from as few rows as can be.

`dog AND cat` can be read from dog's rows or from cat's: the term whose rows are read is the driver, and the rest is a
filter. DynamoDB bills rows that the filter leaves out, so the driver should be the rarer term; but nobody counts terms.
So the candidates race: each is read a little, and the one that has wasted the fewest rows reads on, until one is at its
end (then everything is known) or has found a page. Afterwards the others go on when the driver wastes many rows: a
driver that was good at first cannot make us read all of a common term where a rare one would have done.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from image_labels.search.formula import FULL, Atom, Conjunction
from image_labels.search.reads import PhotoTerms, Reads
from image_labels.tables.items import percent
from image_labels.tables.terms import percent_of, rank, rank_bound, thousandths

if TYPE_CHECKING:
    Attributes = dict[str, Any]

# A row has some 0.6 KB and DynamoDB bills in steps of 4 KB: fewer rows are not cheaper.
FEWEST_ROWS = 6
# The first request for rows of which it is not known yet how many will be wanted.
MOST_FIRST_ROWS = 100
# A candidate has won when it has found so many photos: a page, and whether there is another.
ENOUGH = 26
# How much more than another a candidate may waste for having found photos. Of two terms of which half the one's photos
# and a tenth of the other's are meant, the better one is soon left alone; what it may cost is in `Race`.
ADVANTAGE = 4

END = "~"  # after all ranks
# Of the images table's key: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
MAX_KEY_BYTES = 2048


class Rows:
    """The rows of one term, best first, one request at a time."""

    def __init__(self, reads: Reads, term: str, atom: Atom, row_filter: Attributes, after: str) -> None:
        self.term = term
        self.read = 0  # rows that DynamoDB has read, whether or not they passed the filter
        self.found = 0
        self.edge = ""  # all rows up to this rank have been read
        self._reads = reads
        self._query = _query(term, atom, row_filter, after)
        self._start: Attributes = {}
        if atom.high < atom.low or after >= _last_rank(atom):
            self.edge = END

    @property
    def exhausted(self) -> bool:
        return self.edge == END

    def next(self, limit: int) -> list[PhotoTerms]:
        """Read so many rows, or 1 MB of them; returns those that pass the filter."""
        answer = self._reads.rows(**self._query, **self._start, Limit=limit)
        self.read += answer.get("ScannedCount", len(answer["Items"]))
        if last := answer.get("LastEvaluatedKey"):
            self._start = {"ExclusiveStartKey": last}
            self.edge = last["Rank"]["S"]
        else:
            self.edge = END
        return self._photos(answer["Items"])

    def _photos(self, rows: Iterable[Attributes]) -> list[PhotoTerms]:
        """The photos of the rows that this module wrote: another program's may lack anything but the table's key."""
        read: list[tuple[str, dict[str, int] | None, int]] = []
        for row in rows:
            key, terms, confidence = _read(row, self.term)
            # The order of the rows is that of the photos: a row in another's place would be given out of turn.
            if key and confidence is not None and row["Rank"]["S"] == rank(percent_of(confidence), key):
                read.append((key, terms, confidence))
            else:
                self._reads.skip(row)
        cut = self._reads.photos([key for key, terms, _ in read if terms is None])
        photos = []
        for key, terms, confidence in read:
            if terms is not None:
                photos.append(PhotoTerms(key, terms))
            elif key in cut:  # else deleted meanwhile
                # The item may be newer than the row; the order is that of the rows.
                photos.append(PhotoTerms(key, {**cut[key].terms, self.term: confidence}))
        return photos


class Candidate:
    """A term, or the terms of a prefix, whose rows can give all photos of a conjunction, each once."""

    def __init__(
        self,
        reads: Reads,
        conjunction: Conjunction,
        atom: Atom,
        terms: Sequence[str],
        row_filter: Attributes,
        after: str,
    ) -> None:
        self._conjunction = conjunction
        self._atom = atom
        self._terms = terms
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
        """Rows that were read for nothing."""
        return sum(rows.read for rows in self._rows) - self.found

    def place(self, photo: PhotoTerms) -> str | None:
        """The rank at which this candidate gives a photo of the conjunction: its best, if it has several.

        None if it does not give it: of a prefix, only the terms are read that the vocabulary had at the start.
        """
        best = self._best(photo)
        return best and rank(percent_of(-best[0]), photo.key)

    def _best(self, photo: PhotoTerms) -> tuple[int, str] | None:
        found = ((-photo.terms[term], term) for term in self._terms if term in photo.terms)
        return min((each for each in found if self._atom.allows(-each[0])), default=None)

    def read(self, wanted: int, first: int) -> None:
        """One request, for about as many rows as give `wanted` photos; `first` if nothing is known yet."""
        rows = min((rows for rows in self._rows if not rows.exhausted), key=lambda rows: rows.edge)
        share = len(self._rows)
        for photo in rows.next(_limit(rows, -(-wanted // share), -(-first // share))):
            best = self._best(photo)
            if best and best[1] == rows.term and self._conjunction.matches(photo.terms):
                rows.found += 1
                heapq.heappush(self._photos, (rank(percent_of(-best[0]), photo.key), photo.key, photo))

    def next(self) -> tuple[str, PhotoTerms] | None:
        """The next photo and its rank, if no row that has not been read yet can come before it."""
        edge = min((rows.edge for rows in self._rows), default=END)
        if not self._photos or self._photos[0][0] > edge:
            return None
        place, _, photo = heapq.heappop(self._photos)
        return place, photo

    def photos(self) -> list[PhotoTerms]:
        """All that was found and not given."""
        return [photo for _, _, photo in self._photos]


class Race:
    """The photos of one conjunction, best first by the driver's confidence.

    `chosen` is the driver of the page before, and all photos up to the rank `after` have been given. `others` is how
    many conjunctions are read beside this one.

    What it costs, with S rows of the rarest term: if no photo has both terms, about 2 S for two terms (n S for n), and
    at most as much again for what the last request of the other reads too much. If there are some, at most ADVANTAGE
    times that.
    """

    def __init__(
        self,
        conjunction: Conjunction,
        candidates: Sequence[Candidate],
        *,
        chosen: int | None,
        after: str,
        others: int,
    ) -> None:
        self._conjunction = conjunction
        self._candidates = candidates
        self._after = after
        self._enough = max(5, -(-ENOUGH // (1 + others)))
        self._rest: list[tuple[str, PhotoTerms]] | None = None  # best last, once a candidate is at its end
        self._head: tuple[str, PhotoTerms] | None = None
        self._driver = 0 if len(candidates) == 1 else chosen

    @property
    def driver(self) -> int | None:
        """Which candidate gives the order; known once `head` has been asked."""
        return self._driver

    @property
    def complete(self) -> bool:
        """Whether all that is left is known, and nothing has to be read for it."""
        return self._rest is not None

    def place(self, photo: PhotoTerms) -> str | None:
        """The rank at which this conjunction gives a photo, None if it does not. Ask `head` before."""
        return self._leader().place(photo) if self._conjunction.matches(photo.terms) else None

    def left(self) -> list[tuple[str, PhotoTerms]]:
        """What is known to come, in no order; all of it, if the race is complete."""
        return [*(self._rest or ()), *([self._head] if self._head else ())]

    def take(self) -> None:
        """Go on to the next photo."""
        self._head = None

    def head(self, wanted: int) -> tuple[str, PhotoTerms] | None:
        """The next photo and its rank, None at the end. Reads, if it has to, as if `wanted` were to come."""
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
            self._driver = next((n for n, each in enumerate(self._candidates) if each.found >= self._enough), None)

    def _read(self, wanted: int) -> None:
        leader = self._candidates[self._driver or 0]  # of two that are equally good
        candidate = min(
            self._candidates, key=lambda each: (each.wasted / min(1 + each.found, ADVANTAGE), each is not leader)
        )
        if len(self._candidates) == 1:
            candidate.read(wanted, min(wanted, MOST_FIRST_ROWS))
        elif self._driver is None:
            # By its own measure and not by `wanted`: the order shall not depend on the size of a page.
            candidate.read(self._enough - candidate.found, FEWEST_ROWS)
        else:
            candidate.read(wanted, FEWEST_ROWS)

    def _leader(self) -> Candidate:
        assert self._driver is not None, "head() was not asked"  # noqa: S101
        return self._candidates[self._driver]


def _read(row: Attributes, term: str) -> tuple[str, dict[str, int] | None, int | None]:
    """A row's object key, its photo's terms, and the confidence of this term.

    The key is empty and the confidence None where the row does not have them. The terms are None where the photo's
    item has them.
    """
    key: str = row.get("PK", {}).get("S", "")
    if len(key.encode()) > MAX_KEY_BYTES:
        return "", None, None
    if "Terms" not in row:
        found = percent(row.get("Confidence", {})) if row.get("TermsCut") == {"BOOL": True} else None
        return key, None, None if found is None else thousandths(found)
    terms = {name: percent(value) for name, value in row["Terms"].get("M", {}).items()}
    readable = {name: thousandths(found) for name, found in terms.items() if found is not None}
    return (key, readable, readable.get(term)) if len(readable) == len(terms) else (key, None, None)


def _limit(rows: Rows, wanted: int, first: int) -> int:
    """How many rows to ask for: what `wanted` photos take by what is known so far, growing if that is little."""
    if not rows.read:
        limit = first
    elif not rows.found:
        limit = rows.read
    else:
        limit = min(-(-wanted * rows.read // rows.found), 3 * rows.read)
    return max(limit, FEWEST_ROWS)


def _query(term: str, atom: Atom, row_filter: Attributes, after: str) -> Attributes:
    """The parameters of Query for the rows of a term within the bounds, from the rank `after` (included) on."""
    names = {"#term": "Term", **row_filter.get("ExpressionAttributeNames", {})}
    values = {":term": {"S": term}, **row_filter.get("ExpressionAttributeValues", {})}
    condition = "#term = :term"
    if atom.bounded or after:
        condition += " AND #rank BETWEEN :from AND :to"
        names["#rank"] = "Rank"
        values[":from"] = {"S": max(rank_bound(percent_of(atom.high)), after)}
        values[":to"] = {"S": _last_rank(atom)}
    return {
        **row_filter,
        "KeyConditionExpression": condition,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }


def _last_rank(atom: Atom) -> str:
    """After all ranks of photos within the bounds."""
    return f"{FULL - atom.low:06d}$"  # $ is the character after #
