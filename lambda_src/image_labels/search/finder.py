"""Photos by their labels: see image_labels.search.expression for what may be asked, and image_labels.search.driver for
the cost.

finder = Finder(client, labels_table="image-labels-labels", images_table="image-labels-images")
page = finder.find('dog>=95 AND NOT "traffic light"', limit=25)
page = finder.find('dog>=95 AND NOT "traffic light"', limit=25, token=page.next_token)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from image_labels.search import vocabulary
from image_labels.search.expression import Expression, ExpressionError, NeedsScan, parse
from image_labels.search.filters import scan_filter
from image_labels.search.merge import Found, Merge, found_of
from image_labels.search.paging import Position, TokenError
from image_labels.search.reads import Reads, Skipped
from image_labels.search.vocabulary import Vocabulary, VocabularyTerm

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

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
        place = Position.from_token(token, parsed, key_prefix) if token else Position.start(parsed)
        reads = self._reads()
        merge = Merge(reads, parsed, key_prefix, place, wanted=limit + (2 if token else 1))  # and those beside it
        photos = []
        for rank, found in merge:
            photos.append(found)
            place = Position(merge.drivers(), rank)
            if len(photos) == limit:
                break
        more = len(photos) == limit and merge.may_have_more()
        return _page(photos, place.token(parsed, key_prefix) if more else None, reads)

    def scan(self, expression: str, *, key_prefix: str = "") -> Page:
        """All photos that match any expression, NOT alone too: the whole images table is read, and paid for.

        The best confidence of a term that was asked for gives the order; it is 0 where none was.
        """
        parsed = parse(expression)
        reads = self._reads()
        excluded = {atom for conjunction in parsed.conjunctions for atom in conjunction.negative}
        written = vocabulary.names(reads, sorted(excluded, key=str))
        photos = [
            found_of(photo, max((atom.confidence(photo.terms) or 0 for atom in parsed.positive()), default=0))
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
