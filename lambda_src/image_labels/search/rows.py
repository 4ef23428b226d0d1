"""The rows of one term in the labels table, and the photos that they name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from image_labels.search.formula import FULL, Atom
from image_labels.search.reads import PhotoTerms, Reads, uploaded_of
from image_labels.tables.items import percent
from image_labels.tables.terms import percent_of, rank, rank_bound, thousandths

if TYPE_CHECKING:
    Attributes = dict[str, Any]

END = "~"  # sorts after every rank
# The limit of a partition key: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
MAX_KEY_BYTES = 2048


class Rows:
    """The rows of one term, highest confidence first, one request at a time."""

    def __init__(self, reads: Reads, term: str, atom: Atom, row_filter: Attributes, after: str) -> None:
        self.term = term
        self.read = 0  # rows that DynamoDB has read, including those that the filter discarded
        self.found = 0
        self.edge = ""  # the rank up to which all rows have been read
        self._reads = reads
        self._query = _query(term, atom, row_filter, after)
        self._start: Attributes = {}
        if atom.high < atom.low or after >= _last_rank(atom):
            self.edge = END

    @property
    def exhausted(self) -> bool:
        return self.edge == END

    def next(self, limit: int) -> list[PhotoTerms]:
        """Read up to `limit` rows, or 1 MB, and return the photos of those that pass the filter."""
        answer = self._reads.rows(**self._query, **self._start, Limit=limit)
        self.read += answer.get("ScannedCount", len(answer["Items"]))
        if last := answer.get("LastEvaluatedKey"):
            self._start = {"ExclusiveStartKey": last}
            self.edge = last["Rank"]["S"]
        else:
            self.edge = END
        return self._photos(answer["Items"])

    def _photos(self, rows: Iterable[Attributes]) -> list[PhotoTerms]:
        """The photos of the rows that this module wrote. A row of another program may have only the table's key."""
        read: list[tuple[str, dict[str, int] | None, int, str]] = []
        for row in rows:
            key, terms, confidence = _read(row, self.term)
            # Photos come in the order of their rows, so a row with a wrong rank would break the order.
            if key and confidence is not None and row["Rank"]["S"] == rank(percent_of(confidence), key):
                read.append((key, terms, confidence, uploaded_of(row)))
            else:
                self._reads.skip(row)
        cut = self._reads.photos([key for key, terms, _, _ in read if terms is None])
        photos = []
        for key, terms, confidence, uploaded in read:
            if terms is not None:
                photos.append(PhotoTerms(key, terms, uploaded))
            elif key in cut:  # otherwise the photo was deleted after the query
                # The item may be newer than the row, and the row's confidence gives the order.
                photos.append(PhotoTerms(key, {**cut[key].terms, self.term: confidence}, uploaded))
        return photos


def _read(row: Attributes, term: str) -> tuple[str, dict[str, int] | None, int | None]:
    """The object key of a row, the terms of its photo, and the confidence of this term.

    If the row does not have them, the key is "" and the confidence None. The terms are None if only the photo's item
    has them.
    """
    key: str = row.get("PK", {}).get("S", "")
    if len(key.encode()) > MAX_KEY_BYTES:
        return "", None, None
    if "Terms" not in row:
        found = percent(row.get("Confidence", {})) if row.get("TermsCut") == {"BOOL": True} else None
        return key, None, None if found is None else thousandths(found)
    terms = {name: percent(value) for name, value in row["Terms"].get("M", {}).items()}
    readable = {name: thousandths(found) for name, found in terms.items() if found is not None}
    return (key, readable, readable.get(term)) if len(readable) == len(terms) else (key, None, None)


def _query(term: str, atom: Atom, row_filter: Attributes, after: str) -> Attributes:
    """The parameters of Query for the rows of a term within the bounds, starting at the rank `after`, inclusive."""
    names = {"#term": "Term", **row_filter.get("ExpressionAttributeNames", {})}
    values = {":term": {"S": term}, **row_filter.get("ExpressionAttributeValues", {})}
    condition = "#term = :term"
    if atom.bounded or after:
        condition += " AND #rank BETWEEN :from AND :to"
        names["#rank"] = "Rank"
        values[":from"] = {"S": max(rank_bound(percent_of(atom.high)), after)}
        values[":to"] = {"S": _last_rank(atom)}
    return {
        **row_filter,
        "KeyConditionExpression": condition,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }


def _last_rank(atom: Atom) -> str:
    """A sort key after the ranks of all photos within the bounds."""
    return f"{FULL - atom.low:06d}$"  # $ is the character after #
