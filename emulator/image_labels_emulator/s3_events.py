"""S3 events as AWS sends them, where LocalStack's differ.

- Keys in event notifications are form-encoded ("red flower.jpg" is "red+flower.jpg"), and so are compared with a
  notification's prefix and suffix; LocalStack has "%20". "The S3 key name is URL encoded":
  https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html and
  https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html
- Keys in EventBridge events are not encoded at all; LocalStack encodes them. And the reason for an object that came in
  parts is CompleteMultipartUpload; LocalStack has the notification's name for it:
  https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
- Times of events are UTC; LocalStack's are this machine's local time, called UTC.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import wraps
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from localstack.services.s3.notifications import EventBridgeNotifier, S3EventNotificationContext

Context = S3EventNotificationContext


def install() -> None:
    """Change LocalStack's notifications for this process; the second time nothing happens."""
    if hasattr(EventBridgeNotifier._get_event_payload, "__wrapped__"):
        return
    from_request = Context.from_request_context_native.__func__  # type: ignore[attr-defined]
    Context.from_request_context_native = classmethod(_form_encoded(from_request))  # type: ignore[method-assign,assignment]
    payload = _not_encoded(EventBridgeNotifier._get_event_payload)
    EventBridgeNotifier._get_event_payload = staticmethod(payload)  # type: ignore[method-assign]


def _form_encoded(from_request: Callable[..., Context]) -> Callable[..., Context]:
    @wraps(from_request)
    def from_request_context_native(*args: Any, s3_object: Any, **kwargs: Any) -> Context:
        event = from_request(*args, s3_object=s3_object, **kwargs)
        return replace(event, key_name=quote_plus(s3_object.key, safe="/"), event_time=datetime.now(UTC))

    return from_request_context_native


def _not_encoded(get_payload: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(get_payload)
    def get_event_payload(ctx: Context, config_id: str | None = None) -> Any:
        entry = get_payload(replace(ctx, key_name=unquote_plus(ctx.key_name)), config_id)
        detail = json.loads(entry["Detail"])
        if "reason" in detail:
            detail["reason"] = detail["reason"].removeprefix("s3:ObjectCreated:")
        return entry | {"Detail": json.dumps(detail)}

    return get_event_payload
