"""The objects of the bucket, from ListObjectsV2."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

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
    """The objects of one bucket. `requests` is the number of ListObjectsV2 requests so far."""

    def __init__(self, client: S3Client, name: str) -> None:
        self.name = name
        self.requests = 0
        self._client = client

    def objects(self, prefix: str) -> Iterator[Object]:
        """The objects under a prefix, ascending by the UTF-8 of their keys. Raises botocore's errors.

        The order is that of general purpose buckets, the only ones that send events:
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/ListingKeysUsingAPIs.html
        """
        for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix):
            self.requests += 1
            for found in page.get("Contents", ()):
                yield Object(found["Key"], found["ETag"].strip('"'), found["Size"], found["LastModified"])
