"""The address of the S3 console, by Region and partition."""

from __future__ import annotations

from typing import Any, cast

import boto3
import pytest
from image_labels_cli.browse import Access


@pytest.mark.parametrize(
    ("region", "endpoint", "console"),
    [
        ("us-east-1", None, "https://us-east-1.console.aws.amazon.com/s3/object/"),
        ("cn-north-1", None, "https://cn-north-1.console.amazonaws.cn/s3/object/"),
        ("us-gov-west-1", None, "https://us-gov-west-1.console.amazonaws-us-gov.com/s3/object/"),
        ("us-east-1", "http://localhost:4566", ""),
        ("us-east-1", "https://amazonaws.com.evil.example", ""),
    ],
)
def test_console_belongs_to_the_partition(region: str, endpoint: str | None, console: str) -> None:
    s3 = boto3.client("s3", region_name=region, endpoint_url=endpoint)
    assert Access(cast("Any", None), s3, "images", "labels", "photos").console == console
