"""S3's DeleteObject with If-Match in general purpose buckets, which LocalStack 4.8.1 refuses as not implemented.

As the user guide says (AmazonS3/latest/userguide/conditional-deletes.html): the condition is about the current version.
If its ETag differs, the answer is 412 PreconditionFailed; if there is no object, 404 NoSuchKey. `*` matches any object.
The guide does not say what a request with both If-Match and a version id does: it stays refused. In S3, condition and
deletion are one step. Here they are two, and an upload between them is deleted.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from localstack.aws.api.s3 import NoSuchKey, PreconditionFailed
from localstack.services.s3.models import S3DeleteMarker
from localstack.services.s3.provider import S3Provider


def install() -> None:
    """Patch LocalStack's S3 in this process. Idempotent."""
    if not hasattr(S3Provider.delete_object, "__wrapped__"):
        S3Provider.delete_object = with_condition(S3Provider.delete_object)  # type: ignore[method-assign]


def with_condition(delete: Callable[..., Any]) -> Callable[..., Any]:
    """LocalStack's method with the condition."""

    @wraps(delete)
    def delete_object(self: S3Provider, context: Any, bucket: str, key: str, **request: Any) -> Any:
        condition = request.get("if_match")
        if condition and not request.get("version_id"):
            _store, s3_bucket = self._get_cross_account_bucket(context, bucket)
            found = s3_bucket.objects.get(key)
            if found is None or isinstance(found, S3DeleteMarker):
                raise NoSuchKey("The specified key does not exist.", Key=key)
            if condition.strip('"') not in ("*", (found.etag or "").strip('"')):
                raise PreconditionFailed(
                    "At least one of the pre-conditions you specified did not hold", Condition="If-Match"
                )
            request["if_match"] = None
        return delete(self, context, bucket=bucket, key=key, **request)

    return delete_object
