"""Finds photos by label.

image_labels.search.expression describes the expressions, and image_labels.search.driver the cost of a search.

finder = Finder(client, labels_table="image-labels-labels", images_table="image-labels-images")
page = finder.find('dog>=95 AND NOT "traffic light"', limit=25)
page = finder.find('dog>=95 AND NOT "traffic light"', limit=25, token=page.next_token)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from image_labels.search import vocabulary
from image_labels.search.counts import Counts, RecentPhoto, TermCount, read_counts, recent_photos
from image_labels.search.dates import ALWAYS, Dates
from image_labels.search.driver import DEFAULT_LIMITS, Limits
from image_labels.search.expression import Expression, ExpressionError, NeedsScan, parse
from image_labels.search.filters import scan_filter
from image_labels.search.merge import Found, Merge, found_of
from image_labels.search.paging import Position, TokenError
from image_labels.search.reads import MAX_UNDATED, Reads, Skipped
from image_labels.search.resolve import Note, Resolved, resolve
from image_labels.search.vocabulary import Vocabulary, VocabularyTerm

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

__all__ = [
    "MAX_UNDATED",
    "Counts",
    "Dates",
    "ExpressionError",
    "Finder",
    "Found",
    "NeedsScan",
    "Note",
    "Page",
    "RecentPhoto",
    "Resolved",
    "Skipped",
    "TermCount",
    "TokenError",
    "Vocabulary",
    "VocabularyTerm",
]

MAX_PAGE = 1_000


@dataclass(frozen=True)
class Page:
    """Photos, highest confidence first, and their cost in read units and requests of DynamoDB. `skipped` has the items
    and rows that could not be read. `undated` has the keys of photos that match, but that a search by date does not
    find because their date is unknown: at most MAX_UNDATED.

    A full page may have a `next_token` although no photo follows, because a search that makes sure of it may read many
    rows. The next page is then empty.
    """

    photos: tuple[Found, ...]
    next_token: str | None
    read_units: float
    requests: int
    skipped: frozenset[Skipped] = frozenset()
    undated: frozenset[str] = frozenset()


class Finder:
    """Finds photos by label. Reads are eventually consistent, so a new photo may be missing for about a second.

    All methods raise ExpressionError for an invalid expression, and botocore's errors, or
    image_labels.failures.TryAgain, if DynamoDB fails.
    """

    def __init__(
        self, client: DynamoDBClient, *, labels_table: str, images_table: str, limits: Limits = DEFAULT_LIMITS
    ) -> None:
        self._client = client
        self._limits = limits
        self._labels_table = labels_table
        self._images_table = images_table

    def find(
        self,
        expression: str,
        *,
        key_prefix: str = "",
        limit: int = 25,
        token: str | None = None,
        dates: Dates = ALWAYS,
    ) -> Page:
        """A page of matching photos whose keys start with `key_prefix`, and that were uploaded on these dates. `token`
        is the `next_token` of the page before.

        Photos are sorted by confidence in descending order, then by key. Each conjunction of the expression is sorted
        by one of its terms: for `dog AND cat`, by the rarer one. The order is the same on all pages and for every
        `limit`. Raises NeedsScan for NOT alone, TokenError, and ValueError if the limit is not from 1 to 1,000.
        """
        if not 1 <= limit <= MAX_PAGE:
            raise ValueError(f"limit is {limit}; a page has 1 to {MAX_PAGE:,} photos")
        parsed = _parsed(expression)
        place = Position.from_token(token, parsed, key_prefix, dates) if token else Position.start(parsed)
        reads = self._reads()
        # One more photo shows whether another page follows. With a token, Query returns the previous page's last photo.
        wanted = limit + (2 if token else 1)
        merge = Merge(reads, parsed, key_prefix, place, wanted=wanted, limits=self._limits, dates=dates)
        photos = []
        for rank, found in merge:
            photos.append(found)
            place = Position(merge.drivers(), rank)
            if len(photos) == limit:
                break
        more = len(photos) == limit and merge.may_have_more()
        return _page(photos, place.token(parsed, key_prefix, dates) if more else None, reads)

    def scan(self, expression: str, *, key_prefix: str = "", dates: Dates = ALWAYS) -> Page:
        """All matching photos, for any expression, including NOT alone. Reads the whole images table, at its cost.

        Photos are sorted by their highest confidence in a term that the expression asks for, or 0 if there is none.
        """
        parsed = parse(expression)
        reads = self._reads()
        excluded = {atom for conjunction in parsed.conjunctions for atom in conjunction.negative}
        written = vocabulary.names(reads, sorted(excluded, key=str))
        photos = [
            found_of(photo, max((atom.confidence(photo.terms) or 0 for atom in parsed.positive()), default=0))
            for photo in reads.scan(**scan_filter(parsed.conjunctions, written, key_prefix, dates))
            if parsed.matches(photo.terms) and reads.is_within(photo, dates)
        ]
        photos.sort(key=lambda found: (-found.confidence, found.key))
        return _page(photos, None, reads)

    def resolve(self, expression: str) -> Resolved:
        """The expression that find, scan and suggestions take, of one as people type it: `coffee cups OR dogs`.

        find and scan themselves require an operator between two terms, and take each term literally. A page token
        belongs to the resolved expression, so resolve it once for all pages. It costs half a read unit for each term,
        and as much for each form of an unknown one.
        """
        return resolve(self._reads(), expression)

    def vocabulary(self, prefix: str = "") -> Vocabulary:
        """All terms that start with the prefix, in alphabetical order. A term may have no photos any more."""
        return Vocabulary(self._reads(), prefix)

    def counts(self, prefix: str = "") -> Counts:
        """All terms that start with the prefix, in alphabetical order, and how many photos have each."""
        return read_counts(self._reads(), prefix)

    def recent(self, limit: int) -> tuple[RecentPhoto, ...]:
        """Up to `limit` photos, the last uploaded first."""
        return tuple(recent_photos(self._reads(), limit))

    def suggestions(self, expression: str) -> dict[str, list[str]]:
        """Similar terms for each unknown term of the expression, such as `{"dgo": ["dog"]}`. Empty if all are known."""
        return vocabulary.suggestions(self._reads(), parse(expression).positive())

    def _reads(self) -> Reads:
        return Reads(self._client, labels_table=self._labels_table, images_table=self._images_table)


def _parsed(text: str) -> Expression:
    expression = parse(text)
    expression.refuse_not_alone()
    return expression


def _page(photos: Sequence[Found], token: str | None, reads: Reads) -> Page:
    return Page(
        tuple(photos), token, round(reads.units, 3), reads.requests, frozenset(reads.skipped), frozenset(reads.undated)
    )
