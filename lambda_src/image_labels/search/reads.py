"""DynamoDB's read calls for the searches. They add up their cost, and read all pages and unprocessed keys."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from image_labels.backoff import waits
from image_labels.failures import TryAgain
from image_labels.model import is_iso_time
from image_labels.tables.items import FINDINGS_NAMES, findings_of, readable_labels
from image_labels.tables.terms import terms_of, thousandths

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from image_labels.search.dates import Dates

    Attributes = dict[str, Any]

# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
MAX_KEYS = 100
MAX_UNDATED = 10_000  # more are not counted, to bound the memory


@dataclass(frozen=True, order=True)
class Skipped:
    """The key of an unreadable item of the images table or row of the labels table, which another program wrote or
    changed.
    """

    table: str
    key: tuple[str, ...]


@dataclass(frozen=True)
class PhotoTerms:
    """A photo's key, the confidence of each of its terms in thousandths of a percent, and its upload time.

    The time has the form of image_labels.model.iso_time. It is "" for a photo that an earlier version of this module
    labelled.
    """

    key: str
    terms: Mapping[str, int]
    uploaded: str = ""


def uploaded_of(attributes: Mapping[str, Any]) -> str:
    """The upload time of an item or row; "" if it has none."""
    text: str = attributes.get("Uploaded", {}).get("S", "")
    return text if is_iso_time(text) else ""


class Reads:
    """Eventually consistent reads of the two tables. `units` and `requests` are their cost so far. `skipped` has the
    items and rows that could not be read, `undated` the keys of up to MAX_UNDATED photos that match, but have no time.

    If DynamoDB fails, the methods raise botocore's errors, or TryAgain if it repeatedly leaves all keys unprocessed.
    """

    def __init__(self, client: DynamoDBClient, *, labels_table: str, images_table: str) -> None:
        self.labels_table = labels_table
        self.images_table = images_table
        self.units = 0.0
        self.requests = 0
        self.skipped: set[Skipped] = set()
        self.undated: set[str] = set()
        self._client = client

    def rows(self, **query: Any) -> Attributes:
        """Make one request for rows of the labels table."""
        answer = self._client.query(TableName=self.labels_table, ReturnConsumedCapacity="TOTAL", **query)
        return self._counted(answer)

    def all_rows(self, **query: Any) -> Iterator[Attributes]:
        """All rows of the labels table that match the query, with as many requests as necessary."""
        more: Attributes = {}
        while True:
            answer = self.rows(**query, **more)
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            more = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def scan(self, **scan: Any) -> Iterator[PhotoTerms]:
        """The photos of the images table that pass the filter of image_labels.search.filters.scan_filter."""
        more: Attributes = {}
        while True:
            answer = self._counted(
                self._client.scan(
                    TableName=self.images_table,
                    ReturnConsumedCapacity="TOTAL",
                    **scan,
                    **more,
                )
            )
            for item in answer["Items"]:
                if photo := self._photo(item):
                    yield photo
            if "LastEvaluatedKey" not in answer:
                return
            more = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def photos(self, keys: Iterable[str]) -> dict[str, PhotoTerms]:
        """The photos with these keys, by key, from the images table. Keys that the table does not have are omitted."""
        request = {
            "ProjectionExpression": ", ".join(("PK, Detections, Uploaded, #status", *FINDINGS_NAMES)),
            "ExpressionAttributeNames": {"#status": "Status"} | FINDINGS_NAMES,
        }
        items = self._batch(self.images_table, [{"PK": {"S": key}} for key in dict.fromkeys(keys)], request)
        # The rows of a photo that has been rejected or removed since the query are about to be deleted.
        gone = ({"S": "REJECTED"}, {"S": "REMOVED"})
        photos = (self._photo(item) for item in items if item.get("Status") not in gone)
        return {photo.key: photo for photo in photos if photo}

    def by_key(self, keys: Iterable[tuple[str, str]]) -> list[Attributes]:
        """The rows of the labels table with these keys (Term and Rank)."""
        return list(self._batch(self.labels_table, [{"Term": {"S": t}, "Rank": {"S": r}} for t, r in keys], {}))

    def is_within(self, photo: PhotoTerms, dates: Dates) -> bool:
        """Whether the photo was uploaded on these dates. Records a photo of which this is unknown."""
        if dates and not photo.uploaded and len(self.undated) < MAX_UNDATED:
            self.undated.add(photo.key)
        return dates.include(photo.uploaded)

    def skip(self, row: Attributes) -> None:
        """Record that a row of the labels table cannot be read."""
        self.skipped.add(Skipped(self.labels_table, (row["Term"]["S"], row["Rank"]["S"])))

    def _photo(self, item: Attributes) -> PhotoTerms | None:
        labels = readable_labels(item)
        if item.get("Status") != {"S": "LABELLED"} or labels is None:
            self.skipped.add(Skipped(self.images_table, (item["PK"]["S"],)))
            return None
        terms = {term.text: thousandths(term.confidence) for term in terms_of(labels, findings_of(item))}
        return PhotoTerms(item["PK"]["S"], terms, uploaded_of(item))

    def _batch(self, table: str, keys: list[Attributes], request: Attributes) -> Iterator[Attributes]:
        pauses = waits()
        while keys:
            requested: Any = {table: {**request, "Keys": keys[:MAX_KEYS]}}
            answer: Any = self._client.batch_get_item(RequestItems=requested, ReturnConsumedCapacity="TOTAL")
            self.requests += 1
            self.units += sum(each.get("CapacityUnits", 0.0) for each in answer.get("ConsumedCapacity", ()))
            items = answer.get("Responses", {}).get(table, [])
            yield from items
            unread = answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
            if len(unread) == len(keys[:MAX_KEYS]):  # throttled; otherwise the answer has reached 16 MB
                wait = next(pauses, None)
                if wait is None:
                    raise TryAgain("BatchGetItem: DynamoDB throttles", throttled=True)
                time.sleep(wait)
            keys = [*unread, *keys[MAX_KEYS:]]

    def _counted(self, answer: Any) -> Attributes:
        self.requests += 1
        self.units += answer.get("ConsumedCapacity", {}).get("CapacityUnits", 0.0)
        return dict(answer)
