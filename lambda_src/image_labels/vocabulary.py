"""All terms that were ever seen, and which of them somebody may have meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from image_labels.expression import Expression, ExpressionError
from image_labels.store import VOCABULARY
from image_labels.terms import Kind, fold

if TYPE_CHECKING:
    from image_labels.formula import Atom
    from image_labels.reads import Reads

MAX_EXPANSION = 50  # each may be a Query
MAX_SUGGESTIONS = 3


@dataclass(frozen=True)
class VocabularyTerm:
    """A term: folded, as Rekognition writes it, and what it was to the label that brought it here last."""

    text: str
    name: str
    kind: Kind


def terms(reads: Reads, prefix: str = "") -> Iterator[VocabularyTerm]:
    """The terms that begin with the prefix (in any case), alphabetically."""
    begin = fold(prefix)
    names = {"#term": "Term"} | ({"#rank": "Rank"} if begin else {})
    values = {":vocabulary": {"S": VOCABULARY}} | ({":begin": {"S": begin}} if begin else {})
    condition = "#term = :vocabulary" + (" AND begins_with(#rank, :begin)" if begin else "")
    for row in reads.all_rows(
        KeyConditionExpression=condition, ExpressionAttributeNames=names, ExpressionAttributeValues=values
    ):
        yield VocabularyTerm(row["Rank"]["S"], row["Name"]["S"], Kind(row["Kind"]["S"]))


def expansion(reads: Reads, expression: Expression, atom: Atom) -> tuple[str, ...]:
    """The terms of a prefix. Raises ExpressionError if they are too many."""
    found = tuple(term.text for term in terms(reads, atom.text) if atom.names(term.text))
    if len(found) > MAX_EXPANSION:
        raise ExpressionError(
            f"{atom.text}* matches {len(found)} labels, at most {MAX_EXPANSION} can be looked for at once: write more "
            "of the word",
            expression.text,
            atom.position,
        )
    return found


def names(reads: Reads, atoms: Iterable[Atom]) -> dict[Atom, list[str]]:
    """How Rekognition writes the terms of each atom; one that was never seen has none."""
    atoms = list(atoms)
    plain = {atom.text for atom in atoms if not atom.prefix}
    written = {row["Rank"]["S"]: row["Name"]["S"] for row in reads.by_key((VOCABULARY, text) for text in sorted(plain))}
    return {
        atom: [term.name for term in terms(reads, atom.text) if atom.names(term.text)]
        if atom.prefix
        else [written[atom.text]]
        if atom.text in written
        else []
        for atom in atoms
    }


def suggestions(reads: Reads, atoms: Iterable[Atom]) -> dict[str, list[str]]:
    """For each atom that nothing in the vocabulary is meant by: what it is near to, nearest first."""
    atoms = list(atoms)
    known = names(reads, atoms)
    unknown = [atom for atom in atoms if not known[atom]]
    if not unknown:
        return {}
    vocabulary = [term.text for term in terms(reads)]
    return {atom.text + "*" * atom.prefix: near(atom.text, vocabulary, prefix=atom.prefix) for atom in unknown}


def near(text: str, vocabulary: Iterable[str], *, prefix: bool = False) -> list[str]:
    """At most MAX_SUGGESTIONS terms that may have been meant: a slip or two of the hand away, or with this word in."""
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
    """How many letters are wrong, missing, too many, or changed places with the next; more than `allowed` if many."""
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
