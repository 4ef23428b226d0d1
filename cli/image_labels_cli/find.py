"""`image-labels find`: the photos that an expression matches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from image_labels.search.expression import parse
from image_labels.search.finder import MAX_PAGE, Finder, Found, Page, Skipped
from image_labels.search.printable import visible
from image_labels.tables.terms import thousandths

from image_labels_cli import cost, output
from image_labels_cli.invocation import Invocation, NothingFoundError, UsageError

DEFAULT_LIMIT = 25


@dataclass(frozen=True)
class Question:
    """What is asked for: see the command's options."""

    expression: str
    prefix: str = ""
    limit: int | None = None
    everything: bool = False
    token: str | None = None
    scan: bool = False

    def __post_init__(self) -> None:
        if self.token and (self.everything or self.scan):
            raise UsageError(
                "--token continues a page; --all and --scan give all photos at once: leave one of them out"
            )
        if self.limit and (self.everything or self.scan):
            raise UsageError("--limit is for pages; --all and --scan give all photos at once: leave one of them out")


def run(invocation: Invocation, question: Question, *, as_json: bool) -> None:
    """Print the photos, and on stderr how to get the next ones, or what may have been meant if there are none."""
    place, aws = invocation.at("labels_table", "images_table")
    finder = Finder(aws.dynamodb, labels_table=place.labels_table, images_table=place.images_table)
    read = _Read(question, finder)
    if as_json:
        photos = [_as_json(photo, matched) for photo, matched in read]
    elif output.is_terminal():
        if rows := [_row(photo, matched) for photo, matched in read]:
            output.write_table(("Photo", "%", "Matched"), rows)
    else:
        for photo, matched in read:
            output.write_lines([_row(photo, matched)])
    suggestions = {} if read.photos else finder.suggestions(question.expression)
    if as_json:
        output.write_json(
            {
                "photos": photos,
                "next_token": read.next_token,
                "read_units": read.read_units,
                "requests": read.requests,
                "suggestions": suggestions,
                "skipped": output.skipped_as_json(read.skipped),
            }
        )
    output.note_skipped(read.skipped)
    if question.scan:
        output.note(cost.of_scan(read.read_units, read.requests))
    if read.next_token:
        output.note(f"there may be more: {_next(invocation, question, read.next_token)}")
    if not read.photos:
        raise NothingFoundError(
            "\n".join(
                ["no more photos" if question.token else "no photo matches", *map(_suggestion, suggestions.items())]
            )
        )


class _Read:
    """The photos with the terms that matched, and what it took to read them."""

    def __init__(self, question: Question, finder: Finder) -> None:
        self._question = question
        self._finder = finder
        self._wanted = parse(question.expression).positive()
        self.photos = 0
        self.read_units = 0.0
        self.requests = 0
        self.skipped: set[Skipped] = set()
        self.next_token: str | None = None

    def __iter__(self) -> Iterator[tuple[Found, dict[str, float]]]:
        for page in self._pages():
            self.photos += len(page.photos)
            self.read_units += page.read_units
            self.requests += page.requests
            self.skipped |= page.skipped
            self.next_token = page.next_token
            for photo in page.photos:
                yield photo, self._matched(photo)

    def _matched(self, photo: Found) -> dict[str, float]:
        """The photo's terms for which it was found."""
        return {
            term: confidence
            for term, confidence in photo.terms.items()
            if any(atom.names(term) and atom.allows(thousandths(confidence)) for atom in self._wanted)
        }

    def _pages(self) -> Iterator[Page]:
        asked = self._question
        if asked.scan:
            yield self._finder.scan(asked.expression, key_prefix=asked.prefix)
            return
        limit = MAX_PAGE if asked.everything else asked.limit or DEFAULT_LIMIT
        token = asked.token
        while True:
            page = self._finder.find(asked.expression, key_prefix=asked.prefix, limit=limit, token=token)
            yield page
            token = page.next_token
            if token is None or not asked.everything:
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


def _next(invocation: Invocation, question: Question, token: str) -> str:
    words = ["find"]
    if question.prefix.startswith("-"):
        words.append(f"--prefix={question.prefix}")
    elif question.prefix:
        words += ["--prefix", question.prefix]
    if question.limit:
        words += ["--limit", str(question.limit)]
    return invocation.command(*words, "--token", token, question.expression)


def _suggestion(suggestion: tuple[str, list[str]]) -> str:
    term, near = visible(suggestion[0]), [*map(visible, suggestion[1])]
    if not near:
        return f'  "{term}" is no label here: `image-labels labels` shows which are'
    return f'  "{term}" is no label here; did you mean {", ".join(near[:-1]) + " or " if near[1:] else ""}{near[-1]}?'
