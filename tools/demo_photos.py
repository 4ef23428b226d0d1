"""The demo's photos in AWS: removal of those of earlier runs, upload, and the wait for their items."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer

from tools.photographs import PREFIX, Photograph

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

LABEL_SECONDS = 120  # maximum time between two labelled photos, or between two removed ones
_DELETED_AT_ONCE = 1000  # https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html

Advance = Callable[[int], object]  # is told how many photos are done


class RemovalError(Exception):
    """Photos of an earlier run remain; the message names one, and the next step."""


class Photos:
    """The bucket and the images table of the applied example. `clock` and `sleep` are replaced by tests only."""

    def __init__(
        self,
        s3: S3Client,
        dynamodb: DynamoDBClient,
        outputs: Mapping[str, str],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._s3, self._dynamodb = s3, dynamodb
        self._bucket, self._table = outputs["bucket_name"], outputs["images_table_name"]
        self._clock, self._sleep = clock, sleep

    def others(self, keys: Collection[str]) -> set[str]:
        """Keys of objects and of items under PREFIX, without these keys."""
        return (self._objects() | self._items()) - set(keys)

    def remove(self, others: Collection[str], done: Advance) -> None:
        """Delete these objects, and wait until the function has removed their items.

        Raises RemovalError if S3 does not delete one, or if no item has disappeared for LABEL_SECONDS.
        """
        keys = sorted(others)
        for start in range(0, len(keys), _DELETED_AT_ONCE):
            objects: Any = [{"Key": key} for key in keys[start : start + _DELETED_AT_ONCE]]
            answer = self._s3.delete_objects(Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True})
            for error in answer.get("Errors", ()):
                raise RemovalError(f"S3 does not delete {error.get('Key')}: {error.get('Message')}")
        left, deadline = set(keys), self._clock() + LABEL_SECONDS
        while left:
            if remaining := left & self._items():
                if self._clock() > deadline:
                    raise RemovalError(
                        f"the items of {len(remaining)} deleted photos remain, for example {min(remaining)}; "
                        "the photos are deleted, but the function does not remove them. To start over: make down demo"
                    )
                if remaining < left:
                    deadline = self._clock() + LABEL_SECONDS
                self._sleep(0.2)
            done(len(keys) - len(remaining))
            left = remaining

    def upload(self, photos: Iterable[Photograph]) -> dict[str, str]:
        """The version of each key, which distinguishes it from those of earlier runs."""
        versions = {}
        for photo in photos:
            with photo.path.open("rb") as body:
                answer = self._s3.put_object(
                    Bucket=self._bucket, Key=photo.key, Body=body, ContentType=photo.content_type
                )
            versions[photo.key] = answer["VersionId"]
        return versions

    def upload_text(self, key: str, body: bytes) -> dict[str, str]:
        """Upload what is not a photo."""
        return {key: self._s3.put_object(Bucket=self._bucket, Key=key, Body=body)["VersionId"]}

    def await_items(self, versions: Mapping[str, str], done: Advance) -> dict[str, dict[str, Any]]:
        """Wait for the item of each uploaded version, with all its rows in the labels table. Returns items by key.

        The wait ends when all items exist, or when no new item has appeared for LABEL_SECONDS.
        """
        items: dict[str, dict[str, Any]] = {}
        deadline = self._clock() + LABEL_SECONDS
        while (missing := [key for key in versions if key not in items]) and self._clock() < deadline:
            for key in missing:
                answer = self._dynamodb.get_item(TableName=self._table, Key={"PK": {"S": key}}, ConsistentRead=True)
                item = answer.get("Item", {})
                if item.get("VersionId", {}).get("S") == versions[key] and "Rows" in item:
                    items[key] = {name: TypeDeserializer().deserialize(value) for name, value in item.items()}
                    done(len(items))
                    deadline = self._clock() + LABEL_SECONDS
            self._sleep(0.2)
        return items

    def _objects(self) -> set[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=PREFIX)
        return {each["Key"] for page in pages for each in page.get("Contents", ())}

    def _items(self) -> set[str]:
        pages = self._dynamodb.get_paginator("scan").paginate(
            TableName=self._table,
            ConsistentRead=True,
            ProjectionExpression="PK",
            FilterExpression="begins_with(PK, :prefix)",
            ExpressionAttributeValues={":prefix": {"S": PREFIX}},
        )
        return {item["PK"]["S"] for page in pages for item in page["Items"]}
