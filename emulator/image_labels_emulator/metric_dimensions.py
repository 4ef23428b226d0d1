"""Dimensions of the emulated CloudWatch: statistics and alarms use only the metric with exactly these dimensions.

LocalStack searches for a substring of the stored dimensions. An alarm on the queue "image-labels" would therefore also
see the messages of "image-labels-dlq", and metrics that lack a dimension. A dimension is part of a metric's identity:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#Dimension

Remaining difference: SQLite's LIKE ignores case, and treats an underscore as any character.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from localstack.services.cloudwatch.cloudwatch_database_helper import CloudwatchDatabase

Dimensions = list[dict[str, str]]


def install() -> None:
    """Patch LocalStack's metrics database in this process. Idempotent."""
    if hasattr(CloudwatchDatabase.list_metrics, "__wrapped__"):
        return
    stored = CloudwatchDatabase._get_ordered_dimensions_with_separator
    CloudwatchDatabase._get_ordered_dimensions_with_separator = _whole(stored)  # type: ignore[method-assign]
    CloudwatchDatabase.list_metrics = _some(CloudwatchDatabase.list_metrics)  # type: ignore[method-assign]


def _whole(stored: Callable[..., str | None]) -> Callable[..., str | None]:
    """Search for the complete stored text."""

    @wraps(stored)
    def ordered_dimensions(self: CloudwatchDatabase, dims: Dimensions | None, for_search: bool = False) -> str | None:  # noqa: ARG001
        return stored(self, dims)

    return ordered_dimensions


def _some(list_metrics: Callable[..., dict[str, list[dict[str, Any]]]]) -> Callable[..., dict[str, Any]]:
    """Only ListMetrics accepts a subset of the dimensions, and names without values."""

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
