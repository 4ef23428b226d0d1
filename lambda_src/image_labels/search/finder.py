"""Photos by their labels: see image_labels.search.expression for what may be asked, and image_labels.search.driver for
the cost.

finder = Finder(client, labels_table="image-labels-labels", images_table="image-labels-images")
page = finder.find('dog>=95 AND NOT "traffic light"', limit=25)
page = finder.find('dog>=95 AND NOT "traffic light"', limit=25, token=page.next_token)
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from image_labels.search import vocabulary
from image_labels.search.driver import Candidate, Race
from image_labels.search.expression import Expression, ExpressionError, NeedsScan, parse
from image_labels.search.filters import Expansions, row_filter, scan_filter
from image_labels.search.reads import Photo, Reads, Skipped
from image_labels.search.vocabulary import Vocabulary, VocabularyTerm
from image_labels.tables.terms import MAX_RANK_BYTES, percent_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from image_labels.search.formula import Conjunction

__all__ = [
    "ExpressionError",
    "Finder",
    "Found",
    "NeedsScan",
    "Page",
    "Skipped",
    "TokenError",
    "Vocabulary",
    "VocabularyTerm",
]

MAX_PAGE = 1_000
# As if so many were wanted when all are: requests soon have the 1 MB that DynamoDB reads at once.
ALL = 2_000


class TokenError(ValueError):
    """The token is garbled, or of another expression or key prefix."""


@dataclass(frozen=True)
class Found:
    """A photo: its key, its confidence by which it was sorted (percent), and all its terms with theirs."""

    key: str
    confidence: float
    terms: Mapping[str, float]


@dataclass(frozen=True)
class Page:
    """Photos, best first, and what they cost: read units and requests of DynamoDB. `skipped` is what was met on the way
    and could not be read.

    If the last photo fills the page, it may be that `next_token` leads to an empty one: to know that nothing follows
    can mean to read very much.
    """

    photos: tuple[Found, ...]
    next_token: str | None
    read_units: float
    requests: int
    skipped: frozenset[Skipped] = frozenset()


class Finder:
    """Finds photos by their labels. Reads are eventually consistent: a photo may be there a second later.

    All methods raise ExpressionError for what they are asked, and botocore's errors (or image_labels.failures.TryAgain)
    for DynamoDB's.
    """

    def __init__(self, client: DynamoDBClient, *, labels_table: str, images_table: str) -> None:
        self._client = client
        self._labels_table = labels_table
        self._images_table = images_table

    def find(self, expression: str, *, key_prefix: str = "", limit: int = 25, token: str | None = None) -> Page:
        """A page of photos that match and whose key begins with `key_prefix`; the token is that of the page before.

        The order is that of the confidence of one of the terms of each alternative of the expression (of `dog AND cat`,
        the rarer one's), the same on all pages and for every `limit`; then of the key. Raises NeedsScan for NOT alone,
        TokenError, and ValueError for a limit that is not 1 to 1,000.
        """
        if not 1 <= limit <= MAX_PAGE:
            raise ValueError(f"limit is {limit}; a page has 1 to {MAX_PAGE:,} photos")
        parsed = _parsed(expression)
        place = _Place.from_token(token, parsed, key_prefix) if token else _Place.start(parsed)
        reads = self._reads()
        merge = _Merge(reads, parsed, key_prefix, place, wanted=limit + (2 if token else 1))  # and those beside it
        photos = []
        for rank, found in merge:
            photos.append(found)
            place = _Place(merge.drivers(), rank)
            if len(photos) == limit:
                break
        more = len(photos) == limit and merge.may_have_more()
        return _page(photos, place.token(parsed, key_prefix) if more else None, reads)

    def find_all(self, expression: str, *, key_prefix: str = "") -> Iterator[Found]:
        """All photos that match, in the order of `find`, read as they are asked for. Raises as `find` does, at once."""
        parsed = _parsed(expression)
        merge = _Merge(self._reads(), parsed, key_prefix, _Place.start(parsed), wanted=ALL)
        return (found for _, found in merge)

    def scan(self, expression: str, *, key_prefix: str = "") -> Page:
        """All photos that match any expression, NOT alone too: the whole images table is read, and paid for.

        The best confidence of a term that was asked for gives the order; it is 0 where none was.
        """
        parsed = parse(expression)
        reads = self._reads()
        excluded = {atom for conjunction in parsed.conjunctions for atom in conjunction.negative}
        written = vocabulary.names(reads, sorted(excluded, key=str))
        photos = [
            _found(photo, max((atom.confidence(photo.terms) or 0 for atom in parsed.positive()), default=0))
            for photo in reads.scan(**scan_filter(parsed.conjunctions, written, key_prefix))
            if parsed.matches(photo.terms)
        ]
        photos.sort(key=lambda found: (-found.confidence, found.key))
        return _page(photos, None, reads)

    def vocabulary(self, prefix: str = "") -> Vocabulary:
        """All terms ever seen that begin with the prefix, alphabetically. Photos of a term may be gone meanwhile."""
        return Vocabulary(self._reads(), prefix)

    def suggestions(self, expression: str) -> dict[str, list[str]]:
        """For each term that is asked for and was never seen: near ones, `{"dgo": ["dog"]}`; empty if all are known."""
        return vocabulary.suggestions(self._reads(), parse(expression).positive())

    def _reads(self) -> Reads:
        return Reads(self._client, labels_table=self._labels_table, images_table=self._images_table)


def _parsed(text: str) -> Expression:
    expression = parse(text)
    expression.refuse_not_alone()
    return expression


def _page(photos: Sequence[Found], token: str | None, reads: Reads) -> Page:
    return Page(tuple(photos), token, round(reads.units, 3), reads.requests, frozenset(reads.skipped))


def _found(photo: Photo, confidence: int) -> Found:
    terms = sorted(photo.terms.items(), key=lambda term: (-term[1], term[0]))
    return Found(photo.key, percent_of(confidence), {term: percent_of(each) for term, each in terms})


@dataclass(frozen=True)
class _Place:
    """Where a page ends: the driver of each conjunction, None for one that has none, and the last rank given."""

    drivers: tuple[int | None, ...]
    rank: str

    @classmethod
    def start(cls, expression: Expression) -> _Place:
        return cls((None,) * len(expression.conjunctions), "")

    def token(self, expression: Expression, key_prefix: str) -> str:
        content = json.dumps([_fingerprint(expression, key_prefix), self.drivers, self.rank], separators=(",", ":"))
        return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")

    @classmethod
    def from_token(cls, token: str, expression: Expression, key_prefix: str) -> _Place:
        try:
            content = json.loads(base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True))
            fingerprint, drivers, rank = content
            of_this = fingerprint == _fingerprint(expression, key_prefix)
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
                "the token is of another expression or key prefix: give it with the ones whose page it came with, or "
                "start again without it"
            )
        if not good:
            raise TokenError(_GARBLED)
        return cls(tuple(drivers), rank)


_GARBLED = "the token is garbled: give it as it came with the page before, or start again without it"


def _fingerprint(expression: Expression, key_prefix: str) -> str:
    return hashlib.sha256(json.dumps([expression.normalised, key_prefix]).encode()).hexdigest()[:16]


class _Merge:
    """The photos of all conjunctions, best first, each once: where it comes first."""

    def __init__(self, reads: Reads, expression: Expression, key_prefix: str, start: _Place, *, wanted: int) -> None:
        self._reads = reads
        self._expression = expression
        self._key_prefix = key_prefix
        self._start = start
        self._wanted = wanted
        self._races: dict[int, Race] = {}  # by number of the conjunction

    def __iter__(self) -> Iterator[tuple[str, Found]]:
        """Ranks and photos after the start."""
        self._races = self._start_races()
        share = -(-self._wanted // max(1, len(self._races)))
        while True:
            heads = [(head, number) for number, race in self._races.items() if (head := race.head(share))]
            if not heads:
                return
            (rank, photo), number = min(heads, key=lambda each: (each[0][0], each[1]))
            self._races[number].take()
            if self._comes_first(photo, rank, number):
                yield rank, _found(photo, _confidence(rank))

    def drivers(self) -> tuple[int | None, ...]:
        """The driver of each conjunction; known once there was a photo."""
        races = self._races
        return tuple(
            races[number].driver if number in races else None for number in range(len(self._expression.conjunctions))
        )

    def may_have_more(self) -> bool:
        """Whether anything is left, as far as that is known without reading on."""
        return any(
            not race.complete or any(self._comes_first(photo, rank, number) for rank, photo in race.left())
            for number, race in self._races.items()
        )

    def _comes_first(self, photo: Photo, rank: str, number: int) -> bool:
        """Whether no other conjunction gives the photo before: decided by its terms, not by remembering."""
        places = ((race.place(photo), other) for other, race in self._races.items() if other != number)
        return not any(place is not None and (place, other) < (rank, number) for place, other in places)

    def _start_races(self) -> dict[int, Race]:
        expansions: Expansions = {
            atom: vocabulary.expansion(self._reads, self._expression, atom)
            for atom in dict.fromkeys(
                atom
                for conjunction in self._expression.conjunctions
                for atom in (*conjunction.positive, *conjunction.negative)
                if atom.prefix
            )
        }
        possible = [
            (number, conjunction)
            for number, conjunction in enumerate(self._expression.conjunctions)
            if all(expansions[atom] for atom in conjunction.positive if atom.prefix)
        ]
        return {
            number: self._race(conjunction, expansions, self._start.drivers[number], len(possible) - 1)
            for number, conjunction in possible
        }

    def _race(self, conjunction: Conjunction, expansions: Expansions, chosen: int | None, others: int) -> Race:
        after = self._start.rank
        candidates: Sequence[Candidate] = [
            Candidate(
                self._reads,
                conjunction,
                atom,
                expansions[atom] if atom.prefix else (atom.text,),
                row_filter(conjunction, atom, expansions, self._key_prefix),
                after if number == chosen else "",
            )
            for number, atom in enumerate(conjunction.positive)
        ]
        return Race(conjunction, candidates, chosen=chosen, after=after, others=others)


def _confidence(rank: str) -> int:
    """The confidence, in thousandths, of a photo of this rank."""
    return 100_000 - int(rank[:6])
