"""What the page may use: the operator's own clients, and the names of what they reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class Access:
    """Clients with the operator's credentials, and one deployment of the module.

    `s3` makes the addresses of the photos. It has to be one whose addresses S3 answers itself, without sending the
    browser to another host: in the bucket's region, `Config(signature_version="s3v4",
    s3={"addressing_style": "virtual"})`.
    """

    dynamodb: DynamoDBClient
    s3: S3Client
    images_table: str
    labels_table: str
    bucket: str
