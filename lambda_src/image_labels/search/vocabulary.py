"""The vocabulary, which has all terms that a photo ever had, and suggestions for unknown terms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from image_labels.search.expression import MAX_TERM_BYTES, Expression, ExpressionError
from image_labels.tables.rows import VOCABULARY
from image_labels.tables.terms import Kind, fold

if TYPE_CHECKING:
    from image_labels.search.formula import Atom
    from image_labels.search.reads import Reads, Skipped

    Attributes = dict[str, Any]

MAX_EXPANSION = 50  # each term may need a Query
MAX_SUGGESTIONS = 3
_KINDS = frozenset(kind.value for kind in Kind)


@dataclass(frozen=True)
class VocabularyTerm:
    """A term: folded, as Rekognition writes it, and its kind in the photo that was indexed last."""

    text: str
    name: str
    kind: Kind


class Vocabulary:
    """The terms that start with a prefix, in alphabetical order. Iteration reads them page by page.

    The prefix is not case-sensitive. Iteration omits rows that cannot be read, and adds them to `skipped`.
    """

    def __init__(self, reads: Reads, prefix: str = "") -> None:
        self._reads = reads
        self._prefix = prefix

    def __iter__(self) -> Iterator[VocabularyTerm]:
        for row in vocabulary_rows(self._reads, self._prefix):
            if term := term_of(row):
                yield term
            else:
                self._reads.skip(row)

    @property
    def skipped(self) -> frozenset[Skipped]:
        """The rows that could not be read so far."""
        return frozenset(self._reads.skipped)


def vocabulary_rows(reads: Reads, prefix: str) -> Iterator[Attributes]:
    """The rows of the terms that start with the prefix, which is not case-sensitive."""
    begin = fold(prefix)
    names = {"#term": "Term"} | ({"#rank": "Rank"} if begin else {})
    values = {":vocabulary": {"S": VOCABULARY}} | ({":begin": {"S": begin}} if begin else {})
    condition = "#term = :vocabulary" + (" AND begins_with(#rank, :begin)" if begin else "")
    return reads.all_rows(
        KeyConditionExpression=condition, ExpressionAttributeNames=names, ExpressionAttributeValues=values
    )


def term_of(row: Attributes) -> VocabularyTerm | None:
    """The term of a row; None if another program wrote or changed the row."""
    text = row["Rank"]["S"]
    name = row.get("Name", {}).get("S", "")
    kind = row.get("Kind", {}).get("S")
    return VocabularyTerm(text, name, Kind(kind)) if kind in _KINDS and fold(name) == text else None


def _texts(reads: Reads, prefix: str) -> Iterator[str]:
    """The terms, including those of rows that are otherwise unreadable, because photos may have them."""
    return (row["Rank"]["S"] for row in vocabulary_rows(reads, prefix))


def expansions(reads: Reads, expression: Expression, patterns: Iterable[Atom]) -> dict[Atom, tuple[str, ...]]:
    """The terms of each pattern. Raises ExpressionError if one has more than MAX_EXPANSION.

    The terms of `traf*` stand side by side in the vocabulary. For `*light`, the whole vocabulary is read, once for all
    such patterns.
    """
    patterns = list(patterns)
    anywhere = [atom for atom in patterns if atom.suffix]
    found = _named(_texts(reads, ""), anywhere) if anywhere else {}
    for atom in patterns:
        if not atom.suffix:
            found |= _named(_texts(reads, atom.text), [atom])
    for atom in patterns:
        if (number := len(found[atom])) > MAX_EXPANSION:
            longer = "text" if atom.suffix else "prefix"
            raise ExpressionError(
                f"{atom.name} matches {number:,} labels, and a search can have at most {MAX_EXPANSION} of them: use a "
                f"longer {longer}",
                expression.text,
                atom.position,
            )
    return {atom: tuple(found[atom]) for atom in patterns}


def _named(texts: Iterable[str], atoms: Sequence[Atom]) -> dict[Atom, list[str]]:
    """The terms that each atom names, without those that are too long for a request."""
    found: dict[Atom, list[str]] = {atom: [] for atom in atoms}
    for text in texts:
        for atom in atoms:
            if atom.names(text) and len(text.encode()) <= MAX_TERM_BYTES:
                found[atom].append(text)
    return found


def known(reads: Reads, texts: Iterable[str]) -> frozenset[str]:
    """The folded texts that are terms of the vocabulary."""
    rows = reads.by_key((VOCABULARY, text) for text in dict.fromkeys(texts))
    return frozenset(row["Rank"]["S"] for row in rows)


def names(reads: Reads, atoms: Iterable[Atom]) -> dict[Atom, list[str]]:
    """The terms of each atom as Rekognition writes them. Unknown terms are omitted."""
    found = _rows_of(reads, list(atoms))
    return {atom: [term.name for row in rows if (term := term_of(row))] for atom, rows in found.items()}


def _rows_of(reads: Reads, atoms: Sequence[Atom]) -> dict[Atom, list[Attributes]]:
    """The rows of each atom's terms; none for an unknown term."""
    plain = {atom.text for atom in atoms if not atom.pattern}
    found = {row["Rank"]["S"]: row for row in reads.by_key((VOCABULARY, text) for text in sorted(plain))}
    return {
        atom: [row for row in vocabulary_rows(reads, "" if atom.suffix else atom.text) if atom.names(row["Rank"]["S"])]
        if atom.pattern
        else [found[atom.text]]
        if atom.text in found
        else []
        for atom in atoms
    }


def suggestions(reads: Reads, atoms: Iterable[Atom]) -> dict[str, list[str]]:
    """Similar terms for each atom that matches no term of the vocabulary, the most similar first."""
    atoms = list(atoms)
    found = _rows_of(reads, atoms)
    unknown = [atom for atom in atoms if not found[atom]]
    if not unknown:
        return {}
    vocabulary = list(_texts(reads, ""))
    return {atom.name: near(atom.text, vocabulary, prefix=atom.prefix) for atom in unknown}


def near(text: str, vocabulary: Iterable[str], *, prefix: bool = False) -> list[str]:
    """Up to MAX_SUGGESTIONS terms that differ from the text by a few typos, or have a word that starts with it."""
    allowed = 1 + len(text) // 5
    found = []
    for term in vocabulary:
        slips = distance(text, term[: len(text)] if prefix else term, allowed)
        if slips <= allowed:
            found.append((slips, term))
        elif any(word.startswith(text) for word in term.split()):
            found.append((allowed + 1, term))
    return [term for _, term in sorted(found)[:MAX_SUGGESTIONS]]


def distance(one: str, other: str, allowed: int) -> int:
    """The number of letters that are wrong, missing, added, or swapped with the next letter.

    This is the optimal string alignment distance. If it exceeds `allowed`, the result is any number above `allowed`.
    """
    if abs(len(one) - len(other)) > allowed:
        return allowed + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        earlier, before, row = before, row, [i]
        for j, b in enumerate(other, 1):
            cost = min(row[j - 1] + 1, before[j] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
    return row[-1]
