"""S3 events: corrections where LocalStack differs from AWS.

- Keys in event notifications are form-encoded ("red flower.jpg" is "red+flower.jpg"); LocalStack writes "%20". "The S3
  key name is URL encoded": https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html.
  Known facts: a space becomes a plus, slashes stay, and form decoding restores the key. AWS does not document which
  other characters stay unencoded. Here they are . - _ * as in Java's URLEncoder.
- A notification's prefix and suffix contain a plus for a space and %XX for other characters, except S3's "safe
  characters", which stay: those of Java's URLEncoder and ! ' ( ). LocalStack compares them with its "%20".
  https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html and
  https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html. AWS does not document whether %28 in a filter
  matches a parenthesis. Here it does not.
- Keys in EventBridge events are not encoded; LocalStack encodes them. The reason for a multipart upload is
  CompleteMultipartUpload; LocalStack uses the notification's name:
  https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
- Event times are in UTC; LocalStack writes local time and labels it UTC.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import wraps
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from localstack.services.s3 import notifications
from localstack.services.s3.notifications import EventBridgeNotifier, S3EventNotificationContext

Context = S3EventNotificationContext

# Unencoded characters: in a key those of form encoding, in a filter S3's safe characters.
PLAIN_IN_KEY = "/*"
PLAIN_IN_FILTER = "/*!'()"


def install() -> None:
    """Patch LocalStack's notifications in this process. Idempotent."""
    if hasattr(EventBridgeNotifier._get_event_payload, "__wrapped__"):
        return
    from_request = Context.from_request_context_native.__func__  # type: ignore[attr-defined]
    Context.from_request_context_native = classmethod(_form_encoded(from_request))  # type: ignore[method-assign,assignment]
    notifications._matching_filter = _with_safe_characters(notifications._matching_filter)
    payload = _not_encoded(EventBridgeNotifier._get_event_payload)
    EventBridgeNotifier._get_event_payload = staticmethod(payload)  # type: ignore[method-assign]


def _form_encoded(from_request: Callable[..., Context]) -> Callable[..., Context]:
    @wraps(from_request)
    def from_request_context_native(*args: Any, s3_object: Any, **kwargs: Any) -> Context:
        event = from_request(*args, s3_object=s3_object, **kwargs)
        return replace(event, key_name=_encoded(s3_object.key, PLAIN_IN_KEY), event_time=datetime.now(UTC))

    return from_request_context_native


def _with_safe_characters(matching: Callable[..., bool]) -> Callable[..., bool]:
    @wraps(matching)
    def matching_filter(notification_filter: Any, key_name: str) -> bool:
        return matching(notification_filter, _encoded(unquote_plus(key_name), PLAIN_IN_FILTER))

    return matching_filter


def _encoded(key: str, plain: str) -> str:
    """Form-encoded, except for letters, digits, . - _ and the plain characters."""
    return quote_plus(key, safe=plain).replace("~", "%7E")


def _not_encoded(get_payload: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(get_payload)
    def get_event_payload(ctx: Context, config_id: str | None = None) -> Any:
        entry = get_payload(replace(ctx, key_name=unquote_plus(ctx.key_name)), config_id)
        detail = json.loads(entry["Detail"])
        if "reason" in detail:
            detail["reason"] = detail["reason"].removeprefix("s3:ObjectCreated:")
        return entry | {"Detail": json.dumps(detail)}

    return get_event_payload
