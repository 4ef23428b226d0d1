"""The objects of the bucket, from ListObjectsV2."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from image_labels_cli.patience import at_once

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class Object:
    """The current version of an object. `etag` has no quotation marks, `size` is in bytes.

    A listing has no version ids, so the ETag decides whether an item belongs to the object.
    """

    key: str
    etag: str
    size: int
    last_modified: datetime


class Bucket:
    """The objects of one bucket. `requests` is the number of answers so far, and `call` makes each request."""

    def __init__(self, client: S3Client, name: str, *, call: Callable[[Callable[[], Any]], Any] = at_once) -> None:
        self.name = name
        self.requests = 0
        self._client = client
        self._call = call

    def objects(self, prefix: str) -> Iterator[Object]:
        """The objects under a prefix, ascending by the UTF-8 of their keys. Raises botocore's errors.

        The order is that of general purpose buckets, the only ones that send events:
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/ListingKeysUsingAPIs.html
        """
        more: dict[str, Any] = {}
        while True:
            page = self._list(prefix, more)
            yield from _objects(page)
            if not page.get("IsTruncated"):
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def find(self, key: str) -> Object | None:
        """The object with this key, by listing it: operators may not read photos."""
        # Of all keys with a prefix, the prefix itself is the first.
        found = _objects(self._list(key, {"MaxKeys": 1}))
        return next((each for each in found if each.key == key), None)

    def _list(self, prefix: str, more: dict[str, Any]) -> Any:
        page = self._call(lambda: self._client.list_objects_v2(Bucket=self.name, Prefix=prefix, **more))
        self.requests += 1
        return page


def _objects(page: Mapping[str, Any]) -> Iterator[Object]:
    for found in page.get("Contents", ()):
        yield Object(found["Key"], found["ETag"].strip('"'), found["Size"], found["LastModified"])
