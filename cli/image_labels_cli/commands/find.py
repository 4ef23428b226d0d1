"""`image-labels find`: the photos that match an expression."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from image_labels.search.expression import parse_words
from image_labels.search.finder import MAX_PAGE, MAX_UNDATED, Finder
from image_labels.search.printable import visible

from image_labels_cli import cost, output
from image_labels_cli.downloads import Downloads
from image_labels_cli.expressions import did_you_mean, joined
from image_labels_cli.finding.formats import Format, writer_of
from image_labels_cli.finding.order import Sort
from image_labels_cli.finding.results import DEFAULT_LIMIT, Results, Search
from image_labels_cli.finding.when import dates_of
from image_labels_cli.invocation import DownloadError, Invocation, NothingFoundError, UsageError
from image_labels_cli.options import JSON_OPTION
from image_labels_cli.progress import bar
from image_labels_cli.times import Time

if TYPE_CHECKING:
    from image_labels_cli.aws import Aws

TIME = Time()
_MACHINE = frozenset(Format) - {Format.TABLE}


def find(
    ctx: typer.Context,
    expression: Annotated[list[str], typer.Argument(metavar="EXPR", help="Labels to search for: see the examples.")],
    prefix: Annotated[str, typer.Option(help="Only photos whose keys start with this.", show_default=False)] = "",
    since: Annotated[
        str,
        typer.Option(metavar="TIME", help="Uploaded at this time or later: 2026-11-28, or 7d.", show_default=False),
    ] = "",
    until: Annotated[
        str,
        typer.Option(metavar="TIME", help="Uploaded on this date or before, or before this time.", show_default=False),
    ] = "",
    sort: Annotated[
        Sort,
        typer.Option(
            metavar="ORDER", help="confidence, date (newest first) or key. date and key read all photos that match."
        ),
    ] = Sort.CONFIDENCE,
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
    wanted: Annotated[
        Format | None,
        typer.Option(
            "--output", "-o", metavar="FORMAT", help="table, json, jsonl, csv, tsv or parquet.", show_default=False
        ),
    ] = None,
    as_json: Annotated[bool, JSON_OPTION] = False,
    download: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Also download these photos into a directory.", show_default=False),
    ] = None,
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
      image-labels find dog --since 7d --sort date
      image-labels find dog --all -o csv > dogs.csv
      image-labels find dog --all --download dogs

    Case and singular or plural do not matter. A photo is also found by
    its labels' aliases (cell phone), parents (animal) and categories.
    In a pipe, a line has the key, the confidence, and the terms that
    matched.

    Dates are those of the upload, in UTC. The date of the picture in its
    EXIF data is unknown, because the function never reads a photo.
    """
    text = joined(expression)
    if not scan:
        parse_words(text).refuse_not_alone()
    if as_json and wanted not in (None, Format.JSON):
        raise UsageError(f"--json and --output {wanted} exclude each other")
    wanted = Format.JSON if as_json else wanted
    search = Search(prefix, limit, all_pages, token, scan, dates_of(since, until, TIME.now), sort)
    needs_bucket = wanted in _MACHINE or download is not None
    deployment, aws = ctx.obj.connect("labels_table", "images_table", *(["bucket"] if needs_bucket else []))
    writer = writer_of(wanted, labels_by=lambda: aws.labels_by)
    finder = Finder(aws.dynamodb, labels_table=deployment.labels_table, images_table=deployment.images_table)
    resolved = finder.resolve(text)
    output.note_each(resolved.notes)
    results = Results(finder, resolved, search, deployment.bucket)
    printed = 0
    with _downloads(aws, deployment.bucket, download, wanted) as downloads:
        for page in results.pages():
            printed += len(page)
            writer.write(page)
            if downloads:
                for match in page:
                    downloads.add(match.key)
    suggestions = {} if results.count else finder.suggestions(results.expression)
    writer.close(
        {
            "searched": results.expression,
            "next_token": results.next_token,
            "read_units": results.read_units,
            "requests": results.requests,
            "suggestions": suggestions,
            "skipped": output.skipped_as_json(results.skipped),
            "undated": len(results.undated),
            "downloads": downloads.outcome.as_json() if downloads else None,
        }
    )
    _notes(results, search, printed)
    if results.next_token:
        output.note(f"there may be more: {_next_command(ctx.obj, search, results)}")
    if not results.count:
        raise NothingFoundError(
            "\n".join(
                [
                    "no more photos" if token else "no photo matches",
                    *map(did_you_mean, suggestions, suggestions.values()),
                ]
            )
        )
    if downloads:
        _conclude(aws, downloads)


@contextmanager
def _downloads(aws: Aws, bucket: str, directory: Path | None, wanted: Format | None) -> Iterator[Downloads | None]:
    """The downloads with their progress, or None. The lines of a terminal would be mixed with the progress."""
    if directory is None:
        yield None
        return
    quiet = output.is_terminal() and wanted not in (None, Format.TABLE, Format.JSON)
    with nullcontext() if quiet else bar("photos downloaded") as shown:
        downloads = Downloads(aws.s3, bucket, directory, shown.set if shown else lambda _done: None)
        try:
            with downloads:
                yield downloads
        except KeyboardInterrupt:
            output.note(f"interrupted: {downloads.outcome}; run the command again to continue")
            raise


def _notes(results: Results, search: Search, printed: int) -> None:
    output.note_skipped(results.skipped)
    if results.undated:
        number = len(results.undated)
        more = "at least " if number >= MAX_UNDATED else ""
        output.note(
            f"{more}{number:,} more {'photo matches, but its' if number == 1 else 'photos match, but their'} date is "
            "unknown, because an earlier version of the module labelled "
            f"{'it' if number == 1 else 'them'}"
        )
    if search.scan:
        output.note(cost.of_scan(results.read_units, results.requests))
    if search.sorted and printed < results.count:
        output.note(f"{results.count:,} photos match; --all prints all of them, and --limit more of them")


def _conclude(aws: Aws, downloads: Downloads) -> None:
    """Report the downloads. Raises DownloadError if some failed."""
    output.note(str(downloads.outcome))
    if failed := downloads.outcome.failed:
        lines = [f"{len(failed):,} {'photo was' if len(failed) == 1 else 'photos were'} not downloaded"]
        lines += [f"  {visible(key)}" for key, _ in failed[: output.MAX_LISTED]]
        if more := len(failed) - output.MAX_LISTED:
            lines += [f"  and {more:,} more"] if more > 0 else []
        raise DownloadError("\n".join([*lines, aws.explain(failed[0][1])]))


def _next_command(invocation: Invocation, search: Search, results: Results) -> str:
    words = ["find"]
    if search.prefix.startswith("-"):
        words.append(f"--prefix={search.prefix}")
    elif search.prefix:
        words += ["--prefix", search.prefix]
    words += ["--since", search.dates.since] if search.dates.since else []
    words += ["--until", search.dates.until] if search.dates.until else []
    if search.limit:
        words += ["--limit", str(search.limit)]
    return invocation.command(*words, "--token", str(results.next_token), results.expression)
