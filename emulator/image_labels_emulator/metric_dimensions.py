"""Dimensions of the emulated CloudWatch: statistics and alarms are of the metric that has just these.

LocalStack looks for text within the stored dimensions. So an alarm on the queue "image-labels" sees the messages of
"image-labels-dlq" too, and a metric without a dimension that it should have counts as well. A dimension is part of the
metric's identity: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#Dimension

What is left: SQLite's LIKE takes capitals for small letters, and an underscore for any character.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from localstack.services.cloudwatch.cloudwatch_database_helper import CloudwatchDatabase

Dimensions = list[dict[str, str]]


def install() -> None:
    """Change LocalStack's database of metrics for this process; the second time nothing happens."""
    if hasattr(CloudwatchDatabase.list_metrics, "__wrapped__"):
        return
    stored = CloudwatchDatabase._get_ordered_dimensions_with_separator
    CloudwatchDatabase._get_ordered_dimensions_with_separator = _whole(stored)  # type: ignore[method-assign]
    CloudwatchDatabase.list_metrics = _some(CloudwatchDatabase.list_metrics)  # type: ignore[method-assign]


def _whole(stored: Callable[..., str | None]) -> Callable[..., str | None]:
    """Search for the text as it is stored."""

    @wraps(stored)
    def ordered_dimensions(self: CloudwatchDatabase, dims: Dimensions | None, for_search: bool = False) -> str | None:  # noqa: ARG001
        return stored(self, dims)

    return ordered_dimensions


def _some(list_metrics: Callable[..., dict[str, list[dict[str, Any]]]]) -> Callable[..., dict[str, Any]]:
    """ListMetrics alone takes a part of the dimensions, and names without values."""

    @wraps(list_metrics)
    def list_with(
        self: CloudwatchDatabase, account_id: str, region: str, namespace: str, metric_name: str, dimensions: Dimensions
    ) -> dict[str, Any]:
        found = list_metrics(self, account_id, region, namespace, metric_name, [])["metrics"]
        return {"metrics": [metric for metric in found if _has(metric["dimensions"] or [], dimensions)]}

    return list_with


def _has(dimensions: Dimensions, wanted: Dimensions) -> bool:
    values = {dimension["Name"]: dimension["Value"] for dimension in dimensions}
    return all(
        each["Name"] in values and values[each["Name"]] == each.get("Value", values[each["Name"]]) for each in wanted
    )
