"""The AWS clients and resource names that the page uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class Access:
    """Clients with the operator's credentials, and one deployment of the module.

    `s3` presigns the URLs of the photos. S3 must answer these URLs without a redirect. This requires the bucket's
    Region, and `Config(signature_version="s3v4", s3={"addressing_style": "virtual"})`. `labels_by` is a line that names
    the emulated Rekognition, or "" on AWS.
    """

    dynamodb: DynamoDBClient
    s3: S3Client
    images_table: str
    labels_table: str
    bucket: str
    labels_by: str = ""
