"""Merges the photos of an expression's conjunctions in descending order of confidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from image_labels.search import vocabulary
from image_labels.search.dates import ALWAYS, Dates
from image_labels.search.driver import DEFAULT_LIMITS, Candidate, Limits, Race
from image_labels.search.filters import Expansions, row_filter
from image_labels.tables.terms import percent_of

if TYPE_CHECKING:
    from image_labels.search.expression import Expression
    from image_labels.search.formula import Conjunction
    from image_labels.search.paging import Position
    from image_labels.search.reads import PhotoTerms, Reads


@dataclass(frozen=True)
class Found:
    """A photo: its key, the confidence in percent that it is sorted by, and the confidence of each of its terms.

    `uploaded` is its upload time in the form of image_labels.model.iso_time, or "" if it is unknown.
    """

    key: str
    confidence: float
    terms: Mapping[str, float]
    uploaded: str = ""


def found_of(photo: PhotoTerms, confidence: int) -> Found:
    """The photo as a result of a search. `confidence` is in thousandths of a percent."""
    terms = sorted(photo.terms.items(), key=lambda term: (-term[1], term[0]))
    return Found(photo.key, percent_of(confidence), {term: percent_of(each) for term, each in terms}, photo.uploaded)


class Merge:
    """The photos of all conjunctions, highest confidence first. A photo of several conjunctions is returned once,
    where it comes first.
    """

    def __init__(
        self,
        reads: Reads,
        expression: Expression,
        key_prefix: str,
        start: Position,
        *,
        wanted: int,
        limits: Limits = DEFAULT_LIMITS,
        dates: Dates = ALWAYS,
    ) -> None:
        self._dates = dates
        self._limits = limits
        self._reads = reads
        self._expression = expression
        self._key_prefix = key_prefix
        self._start = start
        self._wanted = wanted
        self._races: dict[int, Race] = {}  # by number of the conjunction

    def __iter__(self) -> Iterator[tuple[str, Found]]:
        """The photos after the start, each with its rank."""
        self._races = self._start_races()
        share = -(-self._wanted // max(1, len(self._races)))
        while True:
            heads = [(head, number) for number, race in self._races.items() if (head := race.head(share))]
            if not heads:
                return
            (rank, photo), number = min(heads, key=lambda each: (each[0][0], each[1]))
            self._races[number].take()
            if self._comes_first(photo, rank, number):
                yield rank, found_of(photo, confidence_of(rank))

    def drivers(self) -> tuple[int | None, ...]:
        """The number of each conjunction's driver. It is known after the first photo."""
        races = self._races
        return tuple(
            races[number].driver if number in races else None for number in range(len(self._expression.conjunctions))
        )

    def may_have_more(self) -> bool:
        """Whether another photo may follow. Answers from what has been read, without another request."""
        return any(
            not race.complete or any(self._comes_first(photo, rank, number) for rank, photo in race.left())
            for number, race in self._races.items()
        )

    def _comes_first(self, photo: PhotoTerms, rank: str, number: int) -> bool:
        """Whether no other conjunction returns the photo before this place.

        The photo's terms decide this, so pages need no list of the photos that were already returned.
        """
        places = ((race.place(photo), other) for other, race in self._races.items() if other != number)
        return not any(place is not None and (place, other) < (rank, number) for place, other in places)

    def _start_races(self) -> dict[int, Race]:
        expansions: Expansions = vocabulary.expansions(
            self._reads,
            self._expression,
            dict.fromkeys(
                atom
                for conjunction in self._expression.conjunctions
                for atom in (*conjunction.positive, *conjunction.negative)
                if atom.pattern
            ),
        )
        possible = [
            (number, conjunction)
            for number, conjunction in enumerate(self._expression.conjunctions)
            if all(expansions[atom] for atom in conjunction.positive if atom.pattern)
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
                expansions[atom] if atom.pattern else (atom.text,),
                row_filter(conjunction, atom, expansions, self._key_prefix, self._dates),
                after if number == chosen else "",
                self._limits,
                self._dates,
            )
            for number, atom in enumerate(conjunction.positive)
        ]
        return Race(conjunction, candidates, chosen=chosen, after=after, others=others, limits=self._limits)


def confidence_of(rank: str) -> int:
    """The confidence of a photo with this rank, in thousandths of a percent."""
    return 100_000 - int(rank[:6])
