"""Resolves an expression as people type it: words without quotes, missing ANDs, and singular or plural.

`coffee cups OR dogs` becomes `"coffee cup" OR dog` if the vocabulary has these labels, and else `coffee AND cups OR
dogs`. The result is an expression for image_labels.search.expression.parse, and the notes say what was changed.

Words side by side are the name of one label if the vocabulary has it: the longest name first. Else AND joins them. A
term that the vocabulary has never changes. Otherwise, another number of it is tried.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from image_labels.search import vocabulary
from image_labels.search.expression import ExpressionError, Words, is_valid, parse, parse_words
from image_labels.search.grammar import MAX_TERM_BYTES, Mention
from image_labels.search.hints import quoted
from image_labels.search.plurals import other_numbers

if TYPE_CHECKING:
    from image_labels.search.reads import Reads

MAX_WORDS = 16  # side by side; each part of them is looked up
MAX_NAME_WORDS = 8  # of one label; Rekognition's longest names have six

# The term of the vocabulary for a text, which is the text itself or another number of it.
_Terms = Mapping[str, str]
_Edit = tuple[int, int, str]  # start and end of a part of the text, and what replaces it


@dataclass(frozen=True)
class Note:
    """What the search takes the typed words for. `searched` is an expression. `known`: the words are a label."""

    typed: str
    searched: str
    known: bool

    def __str__(self) -> str:
        return (
            f"{self.typed}: searched for the label {self.searched}"
            if self.known
            else f"{self.typed}: no such label; searched for {self.searched}"
        )


@dataclass(frozen=True)
class Resolved:
    """The expression to search for, a note for each change, and the cost in read units and requests of DynamoDB."""

    expression: str
    notes: tuple[Note, ...]
    read_units: float
    requests: int


def resolve(reads: Reads, text: str) -> Resolved:
    """Resolve an expression with the vocabulary. Raises ExpressionError, also for words of which NOT is unclear."""
    words = parse_words(text)
    runs = list(_runs(words))
    terms = _terms(reads, _texts(runs))
    edits, notes = list(_missing_operators(words)), list[Note]()
    for run in runs:
        parts = list(_parts(run, terms))
        searched = " AND ".join(quoted(part) for part in parts)
        first, last = run[0], run[-1]
        if len(parts) > 1 and first.negated:
            raise _unclear(words, run, parts)
        if len(run) > 1 or parts[0] != first.atom.text:
            notes.append(Note(_typed(text, run), searched, known=parts == [_joined(run)]))
            edits.append((first.start, last.end, searched))
    resolved = _edited(text, edits)
    parse(resolved)
    return Resolved(resolved, tuple(notes), round(reads.units, 3), reads.requests)


def _runs(words: Words) -> Iterator[list[Mention]]:
    """The terms that stand alone, and those that stand side by side. Patterns are not among them."""
    run: list[Mention] = []
    for mention in words.mentions:
        if run and not mention.joined:
            yield run
            run = []
        if not mention.atom.pattern:
            run.append(mention)
        if len(run) > MAX_WORDS:
            raise ExpressionError(
                f"more than {MAX_WORDS} words stand side by side: put AND or OR between them, or quotes around a label",
                words.text,
                mention.start,
            )
    if run:
        yield run


def _joined(run: Sequence[Mention]) -> str:
    return " ".join(mention.atom.text for mention in run)


def _texts(runs: Iterable[Sequence[Mention]]) -> list[str]:
    """The texts that may be labels: each term, and each part of the words side by side."""
    found: dict[str, None] = {}
    for run in runs:
        for start in range(len(run)):
            for end in range(start + 1, min(len(run), start + MAX_NAME_WORDS) + 1):
                found[_joined(run[start:end])] = None
    return _short(found)


def _terms(reads: Reads, texts: Sequence[str]) -> _Terms:
    """The terms of those texts that the vocabulary has in one number or the other."""
    known = vocabulary.known(reads, texts)
    others = {text: _short(other_numbers(text)) for text in texts if text not in known}
    known_others = vocabulary.known(reads, (other for each in others.values() for other in each))
    terms = {text: text for text in texts if text in known}
    for text, each in others.items():
        if found := next((other for other in each if other in known_others), None):
            terms[text] = found
    return terms


def _short(texts: Iterable[str]) -> list[str]:
    return [text for text in texts if len(text.encode()) <= MAX_TERM_BYTES]


def _parts(run: Sequence[Mention], terms: _Terms) -> Iterator[str]:
    """The labels that the words are taken for: the longest name first, of equals the first, then those around it."""
    if not run:
        return
    for length in range(min(len(run), MAX_NAME_WORDS), 1, -1):
        for start in range(len(run) - length + 1):
            if found := terms.get(_joined(run[start : start + length])):
                yield from _parts(run[:start], terms)
                yield found
                yield from _parts(run[start + length :], terms)
                return
    yield from (terms.get(mention.atom.text, mention.atom.text) for mention in run)


def _missing_operators(words: Words) -> Iterator[_Edit]:
    """Where AND is missing, except between words side by side, which are replaced together."""
    joined = {mention.start for mention in words.mentions if mention.joined}
    for position in words.implied:
        if position not in joined:
            space = "" if words.text[position - 1].isspace() else " "
            yield position, position, f"{space}AND "


def _edited(text: str, edits: Iterable[_Edit]) -> str:
    """The text with each part from a start to an end replaced. At the same place, an insertion comes first."""
    for start, end, replacement in sorted(edits, reverse=True):
        text = text[:start] + replacement + text[end:]
    return text


def _unclear(words: Words, run: Sequence[Mention], parts: Sequence[str]) -> ExpressionError:
    text = words.text
    first, last = run[0], run[-1]
    neither = f"({' OR '.join(map(quoted, parts))})"
    both = f"({' AND '.join(map(quoted, parts))})"
    # A comparison after the last word would apply to the parentheses.
    found = () if last.atom.bounded else (f"{text[: first.start]}{each}{text[last.end :]}" for each in (neither, both))
    return ExpressionError(
        f"{_typed(text, run)} is no label, so it is unclear what NOT excludes: write NOT {neither} for photos with "
        f"none of them, or NOT {both} for photos that do not have all of them",
        text,
        first.start,
        tuple(filter(is_valid, found)),
    )


def _typed(text: str, run: Sequence[Mention]) -> str:
    return " ".join(text[run[0].start : run[-1].end].split())
