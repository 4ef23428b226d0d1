"""`make bench-counts`: write units of DynamoDB per photo, and the part that dates and counts of photos take.

The real Store and the real Counts write the photos of bench/collection.py to an emulated DynamoDB (moto). Write units
follow from the published rules and the sizes of what is written: one for each KB of an item, twice as many in a
transaction, and a deletion costs as much as a write of what it deletes.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html

Counts depend on how many photos arrive between two runs of the schedule, because photos with labels in common are added
together. So several numbers of photos are measured, each in new tables.

Figures of the last line:

    labels              write units per photo for its item, its rows and new words of the vocabulary
    date_and_change     for its row of the month, and the row that says what changed
    counting_of_1000    for adding the changes to the counts, if 1,000 photos arrive between two runs
    counting_of_100     the same for 100 photos
    counting_of_1       the same for a photo that arrives alone
    with_over_without   all write units with 1,000 photos between two runs, divided by `labels`
"""

from __future__ import annotations

import math
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import Any, cast
from unittest.mock import patch

import boto3
from image_labels.model import iso_time
from image_labels.tables.counts import Counts
from image_labels.tables.item_size import item_size
from image_labels.tables.rows import COUNTS, DELTAS, UPLOADED
from image_labels.tables.store import Store
from image_labels_emulator import dynamodb as emulated_dynamodb
from moto import mock_aws

from bench.collection import Collection
from bench.report import report

IMAGES_TABLE, LABELS_TABLE = "images", "labels"
KEYS = {IMAGES_TABLE: ("PK",), LABELS_TABLE: ("Term", "Rank")}
PHOTOS = (1000, 100, 1)
UPLOADED_AT = 1_790_000_000
KB = 1024


class Metered:
    """A client of DynamoDB that adds up write units, by the partition of the labels table or the images table."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._sizes: dict[tuple[str, ...], int] = {}
        self.units: defaultdict[str, int] = defaultdict(int)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def put_item(self, **request: Any) -> Any:
        self._count("Put", request, 1)
        return self._client.put_item(**request)

    def batch_write_item(self, *, RequestItems: Mapping[str, Any]) -> Any:  # noqa: N803
        for table, requests in RequestItems.items():
            for each in requests:
                self._count("Put", each["PutRequest"] | {"TableName": table}, 1)
        return self._client.batch_write_item(RequestItems=RequestItems)

    def transact_write_items(self, *, TransactItems: list[Any]) -> Any:  # noqa: N803
        for action in TransactItems:
            ((kind, request),) = action.items()
            self._count(kind, request, 2)
        return self._client.transact_write_items(TransactItems=TransactItems)

    def _count(self, kind: str, request: Any, factor: int) -> None:
        attributes = request.get("Key") or request["Item"]
        key = tuple(attributes[name]["S"] for name in KEYS[request["TableName"]])
        size = item_size(request["Item"]) if kind == "Put" else self._sizes.get(key, 1)  # an updated count has 1 KB
        self.units[key[0] if request["TableName"] == LABELS_TABLE else IMAGES_TABLE] += factor * math.ceil(size / KB)
        self._sizes[key] = 1 if kind == "Delete" else size

    def of_counting(self) -> int:
        """Units for counts and, with them, for changes, since the last call."""
        return sum(self.units.pop(partition, 0) for partition in (COUNTS, DELTAS))

    def of_dates(self) -> int:
        """Units for the rows of the months, since the last call."""
        return sum(self.units.pop(term) for term in list(self.units) if term.startswith(UPLOADED))


def main() -> None:
    """Measure the numbers of photos, and report."""
    figures: dict[str, float] = {}
    for number in PHOTOS:
        with tables() as client:
            labels, dates_and_changes, counting = measure(client, number)
        print(
            f"{number:5} photos between two runs: {labels:.1f} + {dates_and_changes:.1f} + {counting:.1f} units a photo"
        )
        if number == PHOTOS[0]:
            figures |= {"labels": labels, "date_and_change": dates_and_changes}
            figures["with_over_without"] = (labels + dates_and_changes + counting) / labels
        figures[f"counting_of_{number}"] = counting
    order = ("labels", "date_and_change", *(f"counting_of_{number}" for number in PHOTOS), "with_over_without")
    report("counts", {name: figures[name] for name in order}, {"photos": PHOTOS})


def measure(client: Any, number: int) -> tuple[float, float, float]:
    """Write units per photo for labels, for date and change, and for adding the changes to the counts."""
    metered = cast("Any", Metered(client))
    store, counts = Store(metered, IMAGES_TABLE, LABELS_TABLE), Counts(metered, LABELS_TABLE)
    counts.fold(math.inf)  # creates the state
    metered.units.clear()
    for n, (photo, labels) in enumerate(islice(Collection().photos(), number)):
        store.put(replace(photo, modified=iso_time(UPLOADED_AT + n)), labels, "settings", None)
    dates_and_changes = metered.of_counting() + metered.of_dates()
    labels_units = sum(metered.units.values())
    counts.fold(math.inf)
    return labels_units / number, dates_and_changes / number, metered.of_counting() / number


@contextmanager
def tables() -> Iterator[Any]:
    """A client of an emulated DynamoDB with both tables, empty."""
    emulated_dynamodb.install()
    environment = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_DEFAULT_REGION": "eu-central-1"}
    with patch.dict(os.environ, environment), mock_aws():
        client: Any = boto3.client("dynamodb")
        for table, names in KEYS.items():
            client.create_table(
                TableName=table,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
                KeySchema=[
                    {"AttributeName": name, "KeyType": kind}
                    for name, kind in zip(names, ("HASH", "RANGE"), strict=False)
                ],
            )
        yield client


if __name__ == "__main__":
    main()
