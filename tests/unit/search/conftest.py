"""A Finder on moto."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from image_labels.search.finder import Finder
from support.fakes import LABELS_TABLE, TABLE
from support.searches import ZOO, RecordingClient
from support.seed import write_photos

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@pytest.fixture
def client(dynamodb: DynamoDBClient) -> RecordingClient:
    return RecordingClient(dynamodb)


@pytest.fixture
def finder(client: RecordingClient) -> Finder:
    return Finder(client, labels_table=LABELS_TABLE, images_table=TABLE)  # type: ignore[arg-type]


@pytest.fixture
def zoo(dynamodb: DynamoDBClient) -> None:
    """The photos of ZOO, and a rejected one."""
    write_photos(dynamodb, ZOO)
    rejected: Any = {"PK": {"S": "c/broken.jpg"}, "Status": {"S": "REJECTED"}, "Reason": {"S": "it is not a JPEG"}}
    dynamodb.put_item(TableName=TABLE, Item=rejected)
