"""Errors of AWS as failures: whether a retry may help, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from image_labels.failures import TryAgain, failure_of
from image_labels.photos import Photos
from image_labels.tables.store import Store
from support.fakes import BUCKET

if TYPE_CHECKING:
    from image_labels.clients import Clients


def test_head_object_with_503_counts_as_throttled(clients: Clients) -> None:
    """S3's "503 Slow Down" without a body: botocore gives 503 as its code."""
    with Stubber(clients.s3) as stub:
        stub.add_client_error("head_object", "503", "Service Unavailable", 503)
        with pytest.raises(ClientError) as raised:
            Photos(clients.s3, BUCKET).head("images/x.jpg")
    failure = failure_of(raised.value)
    assert isinstance(failure, TryAgain)
    assert failure.throttled


def test_missing_table_has_a_next_step(clients: Clients) -> None:
    with pytest.raises(clients.dynamodb.exceptions.ResourceNotFoundException) as raised:
        Store(clients.dynamodb, "none", "none").get("k")
    assert "apply" in failure_of(raised.value).next_step
