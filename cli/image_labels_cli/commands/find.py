"""`image-labels find`: the photos that match an expression."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from image_labels.search.expression import parse, parse_words
from image_labels.search.finder import MAX_PAGE, Finder, Found, Page, Resolved, Skipped
from image_labels.tables.terms import thousandths

from image_labels_cli import cost, output
from image_labels_cli.expressions import did_you_mean, joined
from image_labels_cli.invocation import Invocation, NothingFoundError, UsageError
from image_labels_cli.layout import key, number
from image_labels_cli.options import JSON_OPTION

DEFAULT_LIMIT = 25


def find(
    ctx: typer.Context,
    expression: Annotated[list[str], typer.Argument(metavar="EXPR", help="Labels to search for: see the examples.")],
    prefix: Annotated[str, typer.Option(help="Only photos whose keys start with this.", show_default=False)] = "",
    limit: Annotated[
        int | None, typer.Option(min=1, max=MAX_PAGE, help=f"Photos per page.  \\[default: {DEFAULT_LIMIT}]")
    ] = None,
    all_pages: Annotated[bool, typer.Option("--all", help="Print all photos instead of one page.")] = False,
    token: Annotated[
        str | None, typer.Option(help="Start of the next page. Each page prints the command for the next one.")
    ] = None,
    scan: Annotated[
        bool, typer.Option("--scan", help="Read the whole table and print the cost. NOT alone requires this.")
    ] = False,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Find photos by label, highest confidence first.

    \b
      image-labels find dog
      image-labels find coffee cup            one label, or else both
      image-labels find 'dog AND NOT cat'
      image-labels find '(dog OR cat) beach'
      image-labels find 'dog>=95'             confidence in percent
      image-labels find '*light*'             labels that contain light
      image-labels find 'NOT person' --scan   reads the whole table

    Case and singular or plural do not matter. A photo is also found by
    its labels' aliases (cell phone), parents (animal) and categories.
    In a pipe, a line has the key, the confidence, and the terms that
    matched.
    """
    text = joined(expression)
    if not scan:
        parse_words(text).refuse_not_alone()
    Search("", prefix, limit, all_pages, token, scan)  # raises for options that exclude each other
    deployment, aws = ctx.obj.connect("labels_table", "images_table")
    finder = Finder(aws.dynamodb, labels_table=deployment.labels_table, images_table=deployment.images_table)
    resolved = finder.resolve(text)
    output.note_each(resolved.notes)
    search = Search(resolved.expression, prefix, limit, all_pages, token, scan)
    results = _Results(search, finder, resolved)
    if as_json:
        photos = [_as_json(photo, matched) for photo, matched in results]
    elif output.is_terminal():
        if rows := [_cells(photo, matched) for photo, matched in results]:
            output.write_table((key("Photo"), number("%"), "Matched"), rows)
            output.note_labels_by(aws.labels_by)
    else:
        for photo, matched in results:
            output.write_lines([_row(photo, matched)])
    suggestions = {} if results.count else finder.suggestions(search.expression)
    if as_json:
        output.write_json(
            {
                "photos": photos,
                "searched": search.expression,
                "next_token": results.next_token,
                "read_units": results.read_units,
                "requests": results.requests,
                "suggestions": suggestions,
                "skipped": output.skipped_as_json(results.skipped),
            }
        )
    output.note_skipped(results.skipped)
    if scan:
        output.note(cost.of_scan(results.read_units, results.requests))
    if results.next_token:
        output.note(f"there may be more: {_next_command(ctx.obj, search, results.next_token)}")
    if not results.count:
        raise NothingFoundError(
            "\n".join(
                [
                    "no more photos" if token else "no photo matches",
                    *map(did_you_mean, suggestions, suggestions.values()),
                ]
            )
        )


@dataclass(frozen=True)
class Search:
    """The options of the command. Raises UsageError for options that exclude each other."""

    expression: str
    prefix: str = ""
    limit: int | None = None
    all_pages: bool = False
    token: str | None = None
    scan: bool = False

    def __post_init__(self) -> None:
        if self.token and (self.all_pages or self.scan):
            raise UsageError("--token continues a page, and --all and --scan print all photos: remove one of them")
        if self.limit and (self.all_pages or self.scan):
            raise UsageError("--limit applies to pages, and --all and --scan print all photos: remove one of them")


class _Results:
    """Iterates over the photos, each with the terms that matched. Counts photos and read cost as it goes."""

    def __init__(self, search: Search, finder: Finder, resolved: Resolved) -> None:
        self._search = search
        self._finder = finder
        self._atoms = parse(search.expression).positive()
        self.count = 0
        self.read_units = resolved.read_units
        self.requests = resolved.requests
        self.skipped: set[Skipped] = set()
        self.next_token: str | None = None

    def __iter__(self) -> Iterator[tuple[Found, dict[str, float]]]:
        for page in self._pages():
            self.count += len(page.photos)
            self.read_units += page.read_units
            self.requests += page.requests
            self.skipped |= page.skipped
            self.next_token = page.next_token
            for photo in page.photos:
                yield photo, self._matched(photo)

    def _matched(self, photo: Found) -> dict[str, float]:
        return {
            term: confidence
            for term, confidence in photo.terms.items()
            if any(atom.names(term) and atom.allows(thousandths(confidence)) for atom in self._atoms)
        }

    def _pages(self) -> Iterator[Page]:
        search = self._search
        if search.scan:
            yield self._finder.scan(search.expression, key_prefix=search.prefix)
            return
        limit = MAX_PAGE if search.all_pages else search.limit or DEFAULT_LIMIT
        token = search.token
        while True:
            page = self._finder.find(search.expression, key_prefix=search.prefix, limit=limit, token=token)
            yield page
            token = page.next_token
            if token is None or not search.all_pages:
                return


def _as_json(photo: Found, matched: dict[str, float]) -> dict[str, Any]:
    return {
        "key": photo.key,
        "confidence": photo.confidence,
        "matched": matched,
        "terms": dict(photo.terms),
    }


def _row(photo: Found, matched: dict[str, float]) -> tuple[str, str, str]:
    terms = ", ".join(f"{term}={output.percent(confidence)}" for term, confidence in matched.items())
    return (photo.key, output.percent(photo.confidence), terms)


def _cells(photo: Found, matched: dict[str, float]) -> tuple[str, str, str]:
    """A row for people. A single term that matched has the photo's confidence."""
    terms = [f"{term} {output.one_decimal(confidence)}" for term, confidence in matched.items()]
    return (
        photo.key,
        output.one_decimal(photo.confidence) if matched else "",
        ", ".join(terms if len(terms) > 1 else matched),
    )


def _next_command(invocation: Invocation, search: Search, token: str) -> str:
    words = ["find"]
    if search.prefix.startswith("-"):
        words.append(f"--prefix={search.prefix}")
    elif search.prefix:
        words += ["--prefix", search.prefix]
    if search.limit:
        words += ["--limit", str(search.limit)]
    return invocation.command(*words, "--token", token, search.expression)
