"""S3 events as AWS sends them, where LocalStack's differ.

- Keys in event notifications are form-encoded ("red flower.jpg" is "red+flower.jpg"); LocalStack has "%20". "The S3 key
  name is URL encoded": https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html. It
  is sure that a space is a plus, that slashes are left, and that what is decoded as forms are is the key again. It is
  not documented which other characters are left as they are; here it is . - _ * as by Java's URLEncoder, which may not
  be what S3 uses.
- A notification's prefix and suffix are written with a plus for a space and %XX for others, except for S3's "safe
  characters", which are left as they are: those of Java's URLEncoder and ! ' ( ). LocalStack compares them with its
  "%20". https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html and
  https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html. Whether S3 takes %28 for a parenthesis as well
  is not documented; here it does not.
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

from localstack.services.s3 import notifications
from localstack.services.s3.notifications import EventBridgeNotifier, S3EventNotificationContext

Context = S3EventNotificationContext

# In a key: what form encoding leaves. In a filter: what S3 calls safe.
PLAIN_IN_KEY = "/*"
PLAIN_IN_FILTER = "/*!'()"


def install() -> None:
    """Change LocalStack's notifications for this process; the second time nothing happens."""
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
