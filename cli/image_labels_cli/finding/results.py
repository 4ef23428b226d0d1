"""Reads the photos of a search page by page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from image_labels.search.dates import ALWAYS, Dates
from image_labels.search.expression import parse
from image_labels.search.finder import MAX_PAGE, Finder, Found, Page, Resolved, Skipped
from image_labels.tables.terms import thousandths

from image_labels_cli.finding.match import Match
from image_labels_cli.finding.order import Sort, first, in_order
from image_labels_cli.invocation import UsageError

if TYPE_CHECKING:
    from image_labels.search.formula import Atom

DEFAULT_LIMIT = 25


@dataclass(frozen=True)
class Search:
    """The options of the command. Raises UsageError for options that exclude each other."""

    prefix: str = ""
    limit: int | None = None
    all_pages: bool = False
    token: str | None = None
    scan: bool = False
    dates: Dates = ALWAYS
    sort: Sort = Sort.CONFIDENCE

    def __post_init__(self) -> None:
        if self.token and (self.all_pages or self.scan):
            raise UsageError("--token continues a page, and --all and --scan print all photos: remove one of them")
        if self.limit and (self.all_pages or self.scan):
            raise UsageError("--limit applies to pages, and --all and --scan print all photos: remove one of them")
        if self.token and self.sorted:
            raise UsageError("--token continues in order of confidence: remove it, or --sort")

    @property
    def sorted(self) -> bool:
        """Whether all photos must be read before the first one is known."""
        return self.sort is not Sort.CONFIDENCE

    @property
    def page(self) -> int | None:
        """The number of photos that are printed; None for all."""
        return None if self.all_pages or self.scan else self.limit or DEFAULT_LIMIT


class Results:
    """The photos of a search, and the facts that its pages have: cost, unreadable entries, the next token."""

    def __init__(self, finder: Finder, resolved: Resolved, search: Search, bucket: str) -> None:
        self.expression = resolved.expression
        self.count = 0  # photos that were found, which may be more than are printed
        self.read_units = resolved.read_units
        self.requests = resolved.requests
        self.skipped: set[Skipped] = set()
        self.undated: set[str] = set()
        self.next_token: str | None = None
        self._finder = finder
        self._search = search
        self._bucket = bucket
        self._atoms = parse(resolved.expression).positive()

    def pages(self) -> Iterator[list[Match]]:
        """The photos in the order of the search. Each list is there as soon as DynamoDB has answered."""
        if not self._search.sorted:
            yield from self._found()
            return
        matches = (match for page in self._found() for match in page)
        count = self._search.page
        if count is not None:
            yield first(matches, self._search.sort, count)
        else:
            yield from _in_lists(in_order(matches, self._search.sort))

    def _found(self) -> Iterator[list[Match]]:
        for page in self._read():
            self.count += len(page.photos)
            self.read_units += page.read_units
            self.requests += page.requests
            self.skipped |= page.skipped
            self.undated |= page.undated
            self.next_token = None if self._search.sorted else page.next_token
            yield [_match(photo, self._atoms, self._bucket) for photo in page.photos]

    def _read(self) -> Iterator[Page]:
        search, expression = self._search, self.expression
        if search.scan:
            yield self._finder.scan(expression, key_prefix=search.prefix, dates=search.dates)
            return
        every = search.all_pages or search.sorted
        limit = MAX_PAGE if every else search.limit or DEFAULT_LIMIT
        token = search.token
        while True:
            page = self._finder.find(expression, key_prefix=search.prefix, limit=limit, token=token, dates=search.dates)
            yield page
            token = page.next_token
            if token is None or not every:
                return


def _in_lists(matches: Iterator[Match]) -> Iterator[list[Match]]:
    while found := list(islice(matches, MAX_PAGE)):
        yield found


def _match(photo: Found, atoms: Iterable[Atom], bucket: str) -> Match:
    matched = {
        term: confidence
        for term, confidence in photo.terms.items()
        if any(atom.names(term) and atom.allows(thousandths(confidence)) for atom in atoms)
    }
    return Match(photo.key, photo.confidence, matched, photo.terms, photo.uploaded, bucket)
