"""The comparison of a bucket with the images table: many pages, flat memory, and answers that are incomplete."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from image_labels.failures import TryAgain
from image_labels_cli.inventory.bucket import Bucket, Object
from image_labels_cli.inventory.comparison import Expected, OrderError, State
from image_labels_cli.inventory.keys import KeyFilter
from image_labels_cli.inventory.table import Table
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from support.fakes import BUCKET, TABLE

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

NOW = datetime(2026, 11, 28, tzinfo=UTC)
EXPECTED = Expected(KeyFilter("images/", (".jpg",)), BUCKET, "s", NOW)
LONG_AGO = NOW.replace(year=2020)


def key(n: int) -> str:
    return f"images/{n:08}.jpg"


def item(n: int, **attributes: Any) -> dict[str, Any]:
    """An item as a projected Scan returns it."""
    return {
        "PK": {"S": key(n)},
        "Bucket": {"S": BUCKET},
        "ETag": {"S": f"etag {n}"},
        "Settings": {"S": "s"},
        "Status": {"S": "LABELLED"},
        "LabelModelVersion": {"S": "3.0"},
        "Revision": {"N": "1795000000250000000"},
        "Rows": {"N": "4"},
    } | attributes


@dataclass
class Paged:
    """Clients of S3 and DynamoDB that make up `photos` objects and as many items while they are read.

    Every tenth item is missing, and every tenth object.
    """

    photos: int

    def batch_get_item(self, *, RequestItems: Any, **_: Any) -> Any:  # noqa: N803
        ((table, request),) = RequestItems.items()
        return {"Responses": {table: request["Keys"]}}

    def scan(self, *, ExclusiveStartKey: Any = 0, **_: Any) -> Any:  # noqa: N803
        step = 7919  # prime: the keys come in another order than that of the listing
        end = min(self.photos, ExclusiveStartKey + 400)
        numbers = [n * step % self.photos for n in range(ExclusiveStartKey, end)]
        more = {"LastEvaluatedKey": end} if end < self.photos else {}
        items = [item(n) for n in numbers if n % 10 != 3]
        return {"Items": items, "ConsumedCapacity": {"CapacityUnits": 128.0}} | more

    def list_objects_v2(self, *, ContinuationToken: str = "0", **_: Any) -> Any:  # noqa: N803
        start = int(ContinuationToken)
        end = min(self.photos, start + 1000)
        return {
            "Contents": [
                {"Key": key(n), "ETag": f'"etag {n}"', "Size": 1, "LastModified": LONG_AGO}
                for n in range(start, end)
                if n % 10 != 7
            ],
            "IsTruncated": end < self.photos,
            "NextContinuationToken": str(end),
        }


def compare(aws: Any) -> Counter[State]:
    with Table(aws, TABLE) as table:
        table.read(lambda _key: True)
        return Counter(each.state for each in EXPECTED.compare(Bucket(aws, BUCKET).objects("images/"), table))


def peak_bytes(photos: int) -> int:
    tracemalloc.start()
    try:
        counts = compare(Paged(photos))
        assert counts == {
            State.LABELLED: photos * 8 // 10,
            State.MISSING: photos // 10,
            State.GHOST: photos // 10,
        }
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_number_of_photos() -> None:
    peak_bytes(2_000)  # imports and caches
    # A page, which is a fifth of the memory, is read ahead or not. Another 16 bytes per photo would be too much.
    assert peak_bytes(40_000) <= 1.45 * peak_bytes(2_000)


def test_3000_objects_are_compared_page_by_page(s3: S3Client, dynamodb: DynamoDBClient) -> None:
    """On moto, whose pages have 1,000 objects, and items until 1 MB of them is read."""
    padding = {"Detections": {"L": [{"S": "x" * 2000}]}}
    etag = s3.put_object(Bucket=BUCKET, Key=key(0), Body=b"x")["ETag"].strip('"')
    for n in range(1, 3000):  # without HTTP, which takes a hundred times as long
        s3_backends[DEFAULT_ACCOUNT_ID]["aws"].put_object(BUCKET, key(n), b"x")
    for start in range(0, 2990, 25):
        items = [item(n, ETag={"S": etag}, **padding) for n in range(start, min(start + 25, 2990))]
        dynamodb.batch_write_item(RequestItems={TABLE: [{"PutRequest": {"Item": each}} for each in items]})
    read: list[int] = []
    bucket = Bucket(s3, BUCKET)
    expected = Expected(EXPECTED.keys, BUCKET, "s", datetime.max.replace(tzinfo=UTC))
    with Table(dynamodb, TABLE) as table:
        table.read(lambda _key: True, read.append)
        compared = Counter(each.state for each in expected.compare(bucket.objects("images/"), table))
    assert compared == {State.LABELLED: 2990, State.MISSING: 10}
    assert bucket.requests == 3
    assert table.items.requests == len(read) > 3
    assert read[-1] == 2990


@dataclass
class Throttling:
    """DynamoDB that reads one key per request, and none in the first `refusals`."""

    refusals: int = 0

    def batch_get_item(self, *, RequestItems: Any, **_: Any) -> Any:  # noqa: N803
        keys = RequestItems[TABLE]["Keys"]
        read = 0 if self.refusals else 1
        self.refusals -= not read
        return {
            "Responses": {TABLE: keys[:read]},
            "UnprocessedKeys": {TABLE: {"Keys": keys[read:]}} if keys[read:] else {},
        }


@pytest.mark.parametrize("refusals", [0, 1])
def test_unprocessed_keys_are_read_again(refusals: int) -> None:
    with Table(Throttling(refusals), TABLE, sleep=lambda _: None) as table:  # type: ignore[arg-type]
        assert table.existing([key(1), key(2), key(3)]) == {key(1), key(2), key(3)}


def test_keys_that_stay_unprocessed_are_an_error() -> None:
    with Table(Throttling(1000), TABLE, sleep=lambda _: None) as table, pytest.raises(TryAgain):  # type: ignore[arg-type]
        table.existing([key(1)])


def test_listing_in_another_order_is_an_error() -> None:
    """It would be compared wrongly."""
    listing = [Object(key(n), "e", 1, LONG_AGO) for n in (2, 1)]
    with Table(Throttling(), TABLE) as table, pytest.raises(OrderError, match="after 'images/00000002"):  # type: ignore[arg-type]
        list(EXPECTED.compare(listing, table))


@pytest.mark.parametrize(
    ("prefix", "suffixes", "yes", "no"),
    [
        ("images/", ".jpg,.png", ["images/a.jpg", "images/.png"], ["images/a.JPG", "a.jpg", "images/a.gif"]),
        ("images/", "*", ["images/", "images/a"], ["image"]),
        ("", "*", ["", "a"], []),
        ("", ".jpg", ["a.jpg"], ["a"]),
        ("images/", "/dog.jpg", ["images/dog.jpg"], ["images/a-dog.jpg"]),  # they overlap, as S3 allows
    ],
)
def test_filter_matches_as_the_events_of_s3(prefix: str, suffixes: str, yes: list[str], no: list[str]) -> None:
    keys = KeyFilter.of(prefix, suffixes)
    assert [each for each in (*yes, *no) if keys.matches(each)] == yes


@pytest.mark.parametrize(
    ("prefix", "within"),
    [("", "images/"), ("im", "images/"), ("images/", "images/"), ("images/2026/", "images/2026/"), ("imagine", None)],
)
def test_prefix_within_the_filter(prefix: str, within: str | None) -> None:
    assert KeyFilter.of("images/", "*").within(prefix) == within
