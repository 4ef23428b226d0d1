"""Filter expressions for Query and Scan.

The caller checks every photo of the answer again. A filter may therefore pass too many photos, but never too few, and
omits parts that exceed DynamoDB's limits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from image_labels.search.dates import ALWAYS, Dates
from image_labels.search.formula import FULL, Atom, Conjunction
from image_labels.tables.items import FINDINGS
from image_labels.tables.terms import DIGITS, percent_of

# DynamoDB allows expressions of 4 KB, with 300 operators and functions. The difference is for the key prefix, the
# dates, TermsCut and the words in between. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
MAX_BYTES = 3_500
MAX_OPERATORS = 250

# The terms of the vocabulary that each pattern names.
Expansions = Mapping[Atom, Sequence[str]]


class _Placeholders:
    """The placeholders of an expression for names and values, which keep text from users out of the expression."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.values: dict[str, Any] = {}

    def name(self, name: str) -> str:
        return self._of(self.names, "#", name)

    def value(self, value: Any) -> str:
        return self._of(self.values, ":", value)

    @staticmethod
    def _of(known: dict[str, Any], sign: str, content: Any) -> str:
        for placeholder, each in known.items():
            if each == content:
                return placeholder
        placeholder = f"{sign}{len(known)}"
        known[placeholder] = content
        return placeholder

    def request(self, expression: str) -> dict[str, Any]:
        """The parameters of Query or Scan."""
        return {
            "FilterExpression": expression,
            "ExpressionAttributeNames": self.names,
            **({"ExpressionAttributeValues": self.values} if self.values else {}),
        }


def row_filter(
    conjunction: Conjunction, driver: Atom, expansions: Expansions, key_prefix: str, dates: Dates = ALWAYS
) -> dict[str, Any]:
    """For Query on the rows of the driver's terms: passes all photos of the conjunction, and few others.

    The driver itself is not part of the filter, because it is the Query's key condition.
    """
    p = _Placeholders()
    clauses: list[str] = []
    operators = length = 0
    rest = [(False, atom) for atom in conjunction.positive if atom != driver]
    for negated, atom in [*rest, *((True, atom) for atom in conjunction.negative)]:
        terms = expansions[atom] if atom.pattern else (atom.text,)
        if not terms:
            continue  # NOT of a pattern without terms
        names, values = dict(p.names), dict(p.values)
        parts = [(_lacks if negated else _has)(p, atom, term) for term in terms]
        clause = f"({(' AND ' if negated else ' OR ').join(parts)})"
        operators += len(parts) * 5
        length += len(clause) + len(" AND ")
        if operators > MAX_OPERATORS or length > MAX_BYTES:
            p.names, p.values = names, values  # DynamoDB rejects unused placeholders
            break
        clauses.append(clause)
    expression = " AND ".join(clauses)
    if clauses:
        # The rows of a photo with very many terms do not list them.
        expression = f"(attribute_exists({p.name('TermsCut')}) OR ({expression}))"
    whole = [*_within(p, key_prefix, dates), *([expression] if expression else [])]
    return p.request(" AND ".join(whole)) if whole else {}


def _within(p: _Placeholders, key_prefix: str, dates: Dates) -> Iterator[str]:
    """Clauses for the key prefix and the dates. Photos without a date pass, because the caller counts them."""
    if key_prefix:
        yield f"begins_with({p.name('PK')}, {p.value({'S': key_prefix})})"
    if dates:
        uploaded = p.name("Uploaded")
        bounds = [f"{uploaded} >= {p.value({'S': dates.since})}"] if dates.since else []
        bounds += [f"{uploaded} < {p.value({'S': dates.until})}"] if dates.until else []
        yield f"(attribute_not_exists({uploaded}) OR {' AND '.join(bounds)})"


def _has(p: _Placeholders, atom: Atom, term: str) -> str:
    path = f"{p.name('Terms')}.{p.name(term)}"
    bounds = []
    if atom.low > 0:
        bounds.append(f"{path} >= {p.value(_percent(atom.low))}")
    if atom.high < FULL:
        bounds.append(f"{path} <= {p.value(_percent(atom.high))}")
    return f"({' AND '.join(bounds)})" if bounds else f"attribute_exists({path})"


def _lacks(p: _Placeholders, atom: Atom, term: str) -> str:
    path = f"{p.name('Terms')}.{p.name(term)}"
    outside = [f"attribute_not_exists({path})"]
    if atom.low > 0:
        outside.append(f"{path} < {p.value(_percent(atom.low))}")
    if atom.high < FULL:
        outside.append(f"{path} > {p.value(_percent(atom.high))}")
    return f"({' OR '.join(outside)})"


def scan_filter(
    conjunctions: Iterable[Conjunction], names: Mapping[Atom, Sequence[str]], prefix: str, dates: Dates = ALWAYS
) -> dict[str, Any]:
    """For Scan of the images table: passes labelled photos, except those that `Labels` alone excludes, and the items of
    other programs, which the caller counts.

    `names` are the terms as Rekognition writes them. `Labels` has the names of labels without aliases, parents,
    categories and confidences. It can therefore show that a photo has a term, but not that it lacks one.
    """
    p = _Placeholders()
    status, labelled = p.name("Status"), p.value({"S": "LABELLED"})
    others = ", ".join(p.value({"S": other}) for other in ("REJECTED", "REMOVED"))
    expression = f"{status} = {labelled}"
    excluded = [
        [name for atom in conjunction.negative if not atom.bounded for name in names.get(atom, ())]
        for conjunction in conjunctions
    ]
    number = sum(map(len, excluded))
    if all(excluded) and number * 2 <= MAX_OPERATORS and number * len("NOT contains(#2, :100) AND ") <= MAX_BYTES:
        alternatives = [
            " AND ".join(f"NOT contains({p.name('Labels')}, {p.value({'S': name})})" for name in part)
            for part in excluded
        ]
        if alternatives:
            expression += f" AND ({' OR '.join(f'({alternative})' for alternative in alternatives)})"
    expression = f"({expression} OR NOT ({status} IN ({labelled}, {others})))"
    expression = " AND ".join([*_within(p, prefix, dates), expression])
    findings = [p.name(attribute) for attribute in FINDINGS.values()]
    return p.request(expression) | {"ProjectionExpression": ", ".join(("PK, Detections, Uploaded", status, *findings))}


def _percent(confidence: int) -> dict[str, str]:
    return {"N": f"{percent_of(confidence):.{DIGITS}f}"}
