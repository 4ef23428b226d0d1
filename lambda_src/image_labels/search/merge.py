"""The photos of an expression's alternatives, merged in order of confidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from image_labels.search import vocabulary
from image_labels.search.driver import Candidate, Race
from image_labels.search.filters import Expansions, row_filter
from image_labels.tables.terms import percent_of

if TYPE_CHECKING:
    from image_labels.search.expression import Expression
    from image_labels.search.formula import Conjunction
    from image_labels.search.paging import Position
    from image_labels.search.reads import PhotoTerms, Reads


@dataclass(frozen=True)
class Found:
    """A photo: its key, its confidence by which it was sorted (percent), and all its terms with theirs."""

    key: str
    confidence: float
    terms: Mapping[str, float]


def found_of(photo: PhotoTerms, confidence: int) -> Found:
    """A photo that was found; `confidence` is in thousandths of a percent."""
    terms = sorted(photo.terms.items(), key=lambda term: (-term[1], term[0]))
    return Found(photo.key, percent_of(confidence), {term: percent_of(each) for term, each in terms})


class Merge:
    """The photos of all conjunctions, best first, each once: where it comes first."""

    def __init__(self, reads: Reads, expression: Expression, key_prefix: str, start: Position, *, wanted: int) -> None:
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
                yield rank, found_of(photo, confidence_of(rank))

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

    def _comes_first(self, photo: PhotoTerms, rank: str, number: int) -> bool:
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


def confidence_of(rank: str) -> int:
    """The confidence, in thousandths, of a photo of this rank."""
    return 100_000 - int(rank[:6])
