"""The emulator's S3 events have keys in AWS's encoding, unlike LocalStack's."""

from __future__ import annotations

import json
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import unquote_plus

import pytest
from image_labels_emulator import s3_events
from localstack.aws.api import RequestContext
from localstack.aws.spec import load_service
from localstack.http import Request
from localstack.services.s3.models import S3DeleteMarker
from localstack.services.s3.notifications import EventBridgeNotifier, S3EventNotificationContext, SqsNotifier

KEYS = {
    "images/red flower.jpg": "images/red+flower.jpg",
    "images/Größe +1%.jpg": "images/Gr%C3%B6%C3%9Fe+%2B1%25.jpg",
    "images/%20.jpg": "images/%2520.jpg",
    "images/a&b=c.jpg": "images/a%26b%3Dc.jpg",
    "images(1)/it's!.jpg": "images%281%29/it%27s%21.jpg",
    "images/a-b_c*d~.jpg": "images/a-b_c*d%7E.jpg",
}


@pytest.fixture(autouse=True)
def installed() -> None:
    s3_events.install()


def event(key: str, operation: str = "PutObject", s3_object: Any = None) -> S3EventNotificationContext:
    """LocalStack's event context for a change in an unversioned bucket."""
    context = RequestContext(Request("PUT", "/"))
    context.service = load_service("s3")
    context.operation = context.service.operation_model(operation)
    context.service_request = cast("Any", {"Bucket": "photos", "Key": key})
    context.request_id, context.account_id, context.region = "1", "000000000000", "us-east-1"
    bucket = SimpleNamespace(bucket_region="us-east-1", bucket_account_id="000000000000", versioning_status=None)
    found = SimpleNamespace(key=key, etag='"e"', size=1, expires=None, storage_class="STANDARD", version_id=None)
    return S3EventNotificationContext.from_request_context_native(
        context,
        s3_bucket=cast("Any", bucket),
        s3_object=s3_object or cast("Any", found),
    )


def passes(key: str, prefix: str) -> bool:
    rules: Any = [{"Name": "prefix", "Value": prefix}]
    config: Any = {"Events": ["s3:ObjectCreated:*"], "Filter": {"Key": {"FilterRules": rules}}}
    return SqsNotifier.should_notify(event(key), config)


def eventbridge(ctx: S3EventNotificationContext) -> tuple[str, dict[str, Any]]:
    entry = cast("dict[str, str]", EventBridgeNotifier._get_event_payload(ctx))
    return entry["DetailType"], json.loads(entry["Detail"])


@pytest.mark.parametrize(("key", "encoded"), KEYS.items())
def test_notifications_are_form_encoded_and_eventbridge_is_not(key: str, encoded: str) -> None:
    ctx = event(key)
    record = SqsNotifier._get_event_payload(ctx, "id")["Records"][0]
    assert record["s3"]["object"]["key"] == encoded
    assert unquote_plus(encoded) == key
    assert eventbridge(ctx)[1]["object"]["key"] == key
    assert ctx.event_time.utcoffset() == timedelta(0)


def test_notification_filters_are_encoded_too() -> None:
    assert passes("my photos/a.jpg", "my+photos/")
    assert not passes("my/photos/a.jpg", "my+photos/")
    assert passes("Größe/a.jpg", "Gr%C3%B6%C3%9Fe/")


@pytest.mark.parametrize("prefix", ["images(1)/", "it's!/", "a-b_c.d*/", "Az09/"])
def test_safe_characters_of_a_filter_are_not_encoded(prefix: str) -> None:
    assert passes(f"{prefix}a.jpg", prefix)
    assert not passes(f"x{prefix}a.jpg", prefix)


@pytest.mark.parametrize("operation", ["PutObject", "CopyObject", "CompleteMultipartUpload"])
def test_reason_of_a_creation_event_is_the_operation(operation: str) -> None:
    kind, detail = eventbridge(event("a b.jpg", operation))
    assert (kind, detail["reason"]) == ("Object Created", operation)


def test_deletion_event_has_its_deletion_type() -> None:
    kind, detail = eventbridge(event("a b.jpg", "DeleteObject"))
    assert (kind, detail["reason"], detail["deletion-type"]) == (
        "Object Deleted",
        "DeleteObject",
        "Permanently Deleted",
    )
    marker = event("a b.jpg", "DeleteObject", S3DeleteMarker(key="a b.jpg", version_id="v"))
    marker.event_type += "MarkerCreated"  # as LocalStack's provider does
    kind, detail = eventbridge(marker)
    assert (kind, detail["reason"], detail["deletion-type"]) == (
        "Object Deleted",
        "DeleteObject",
        "Delete Marker Created",
    )
    assert detail["object"]["key"] == "a b.jpg"


def test_install_is_idempotent() -> None:
    s3_events.install()
    assert eventbridge(event("a+b%20.jpg"))[1]["object"]["key"] == "a+b%20.jpg"
