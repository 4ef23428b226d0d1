"""Tags of CloudWatch alarms. PutMetricAlarm stores the tags of a new alarm; LocalStack drops them.

For an existing alarm, PutMetricAlarm ignores the tags:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from localstack.services.cloudwatch.provider_v2 import CloudwatchProvider
from localstack.utils.aws.arns import cloudwatch_alarm_arn

if TYPE_CHECKING:
    from localstack.aws.api import RequestContext


def install() -> None:
    """Patch LocalStack's CloudWatch in this process. Idempotent."""
    put = CloudwatchProvider.put_metric_alarm
    if hasattr(put, "keeps_tags"):
        return

    @wraps(put)
    def put_with_tags(self: CloudwatchProvider, context: RequestContext, request: Any) -> None:
        arn = cloudwatch_alarm_arn(request["AlarmName"], context.account_id, context.region)
        store = self.get_store(context.account_id, context.region)
        is_new = arn not in store.alarms
        put(self, context, request)
        if is_new and request.get("Tags"):
            store.TAGS.tag_resource(arn, request["Tags"])

    put_with_tags.keeps_tags = True  # type: ignore[attr-defined]
    CloudwatchProvider.put_metric_alarm = put_with_tags  # type: ignore[method-assign]
