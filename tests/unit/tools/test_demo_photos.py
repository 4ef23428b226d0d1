"""The demo's photos: those of earlier runs are removed, and the items of this run are awaited."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from image_labels.model import Label, Labels, Photo, Rejected
from image_labels.tables.store import Store
from support.fakes import BUCKET, LABELS_TABLE, TABLE
from support.rekognition_model import picture

from tools import demo
from tools.demo_photos import LABEL_SECONDS, Photos, RemovalError
from tools.photographs import Photograph

if TYPE_CHECKING:
    from image_labels.clients import Clients
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

VERSIONS = {f"images/{n}.jpg": f"version-{n}" for n in range(5)}
OUTPUTS = {"bucket_name": BUCKET, "images_table_name": TABLE}


class Clock:
    """A clock that a sleep advances by 25 times its length; `at` schedules an action."""

    def __init__(self) -> None:
        self.now = 0.0
        self.due: list[tuple[float, Callable[[], Any]]] = []

    def at(self, seconds: float, act: Callable[[], Any]) -> None:
        self.due.append((seconds, act))

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += 25 * seconds
        for entry in [entry for entry in self.due if entry[0] <= self.now]:
            self.due.remove(entry)
            entry[1]()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def photos(s3: S3Client, dynamodb: DynamoDBClient, clock: Clock) -> Photos:
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    return Photos(s3, dynamodb, OUTPUTS, clock=clock, sleep=clock.sleep)


@pytest.fixture
def store(clients: Clients, dynamodb: DynamoDBClient) -> Store:
    assert dynamodb
    return Store(clients.dynamodb, TABLE, LABELS_TABLE)


def label(store: Store, key: str, version: str) -> None:
    """As the function does."""
    labels = Labels((Label("Dog", 99.0),), "3.0-emulated")
    store.put(Photo(BUCKET, key, "etag", version, 1), labels, "s", store.get(key))


class TestWaiting:
    def test_all_come_one_after_the_other(self, photos: Photos, store: Store, clock: Clock) -> None:
        """Only a pause that is too long ends the wait."""
        for n, (key, version) in enumerate(VERSIONS.items(), 1):
            clock.at(n * 0.8 * LABEL_SECONDS, lambda k=key, v=version: label(store, k, v))  # type: ignore[misc]
        counts: list[int] = []
        assert list(photos.await_items(VERSIONS, counts.append)) == list(VERSIONS)
        assert counts == [1, 2, 3, 4, 5]
        assert clock.now > 3 * LABEL_SECONDS

    def test_some_do_not_come(self, photos: Photos, store: Store, clock: Clock) -> None:
        label(store, "images/1.jpg", "version-1")
        label(store, "images/2.jpg", "of an earlier demo")
        assert list(photos.await_items(VERSIONS, lambda _: None)) == ["images/1.jpg"]
        assert clock.now < LABEL_SECONDS + 10

    def test_item_without_all_its_rows_is_awaited(
        self, photos: Photos, store: Store, dynamodb: DynamoDBClient, clock: Clock
    ) -> None:
        """A search would not find it yet."""
        dynamodb.put_item(
            TableName=TABLE, Item={"PK": {"S": "images/1.jpg"}, "VersionId": {"S": "version-1"}, "Status": {"S": "x"}}
        )
        clock.at(50, lambda: dynamodb.delete_item(TableName=TABLE, Key={"PK": {"S": "images/1.jpg"}}))
        clock.at(60, lambda: label(store, "images/1.jpg", "version-1"))
        assert list(photos.await_items({"images/1.jpg": "version-1"}, lambda _: None)) == ["images/1.jpg"]
        assert clock.now > 50

    def test_rejected_photo_has_come(self, photos: Photos, store: Store) -> None:
        store.put(Photo(BUCKET, "images/1.jpg", "etag", "version-1", 1), Rejected("no photo"), "s", None)
        assert list(photos.await_items({"images/1.jpg": "version-1"}, lambda _: None)) == ["images/1.jpg"]


class TestReplacement:
    @pytest.fixture
    def before(self, s3: S3Client, dynamodb: DynamoDBClient, store: Store, photos: Photos) -> Callable[[str], None]:
        """An object of an earlier run with its item. Returns what the function does when the object is deleted."""
        assert photos
        for key in ("images/old.jpg", "images/kept.jpg", "other/unrelated.jpg"):
            version = s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")["VersionId"]
            if key.startswith("images/"):
                label(store, key, version)

        def function(key: str) -> None:
            if key not in self.keys(s3):
                dynamodb.delete_item(TableName=TABLE, Key={"PK": {"S": key}})

        return function

    @staticmethod
    def keys(s3: S3Client) -> set[str]:
        return {each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET).get("Contents", ())}

    def test_photos_of_the_run_before_are_gone(
        self, s3: S3Client, photos: Photos, store: Store, clock: Clock, before: Callable[[str], None], tmp_path: Path
    ) -> None:
        (tmp_path / "a.jpg").write_bytes(picture())
        chosen = [Photograph(tmp_path / "a.jpg", name) for name in ("kept.jpg", "new & 1.jpg")]
        clock.at(30, lambda: before("images/old.jpg"))

        def function() -> None:
            for photo in chosen:
                label(store, photo.key, s3.head_object(Bucket=BUCKET, Key=photo.key)["VersionId"])

        clock.at(60, function)
        versions, items = demo.replace_photos(photos, chosen, [])
        assert list(versions) == list(items) == ["images/kept.jpg", "images/new & 1.jpg"]
        assert self.keys(s3) == {"images/kept.jpg", "images/new & 1.jpg", "other/unrelated.jpg"}
        assert photos.others(versions) == set()

    def test_item_without_an_object_is_awaited_too(
        self, photos: Photos, dynamodb: DynamoDBClient, store: Store, clock: Clock
    ) -> None:
        """Of a run that was interrupted after it deleted the objects."""
        label(store, "images/old.jpg", "v")
        clock.at(30, lambda: dynamodb.delete_item(TableName=TABLE, Key={"PK": {"S": "images/old.jpg"}}))
        counts: list[int] = []
        photos.remove(photos.others(()), counts.append)
        assert counts[-1] == 1
        assert clock.now >= 30

    def test_item_that_remains_is_an_error_with_its_name(
        self, photos: Photos, clock: Clock, before: Callable[[str], None]
    ) -> None:
        clock.at(2 * LABEL_SECONDS, lambda: before("images/old.jpg"))  # too late
        with pytest.raises(RemovalError, match=r"items of 2 deleted photos remain, for example images/kept\.jpg"):
            photos.remove(photos.others(()), lambda _: None)
        assert LABEL_SECONDS < clock.now < LABEL_SECONDS + 10

    def test_more_objects_than_one_request_takes(self, s3: S3Client, photos: Photos) -> None:
        for n in range(1001):
            s3.put_object(Bucket=BUCKET, Key=f"images/{n}.jpg", Body=b"x")
        photos.remove(photos.others(["images/7.jpg"]), lambda _: None)
        assert self.keys(s3) == {"images/7.jpg"}
