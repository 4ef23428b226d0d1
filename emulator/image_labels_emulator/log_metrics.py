"""Metric filters of the emulated CloudWatch Logs, which turn matching log events into data points.

LocalStack counts every log event as 1 for every filter of every log group. Here a filter applies to its log group only,
its pattern selects the log events, and its value may come from the log event. PutMetricFilter refuses a filter that
cannot be emulated. FilterLogEvents and subscription filters use the same patterns.

Difference from AWS: a default value is published with each PutLogEvents that has no match, not every minute.
"""

from __future__ import annotations

import logging
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import TYPE_CHECKING, Any

from localstack.aws.api.logs import InvalidParameterException, ResourceNotFoundException
from localstack.aws.connect import connect_to
from localstack.services.logs import provider
from localstack.services.logs.models import get_moto_logs_backend
from localstack.services.moto import call_moto
from moto.logs.models import LogsBackend

from image_labels_emulator.filter_patterns import (
    Event,
    InvalidPatternError,
    Pattern,
    Selector,
    compile_pattern,
    is_number,
    number_of,
)

if TYPE_CHECKING:
    from localstack.aws.api import RequestContext

LOG = logging.getLogger(__name__)
DATA_IN_A_CALL = 1000  # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
DIMENSIONS = 3  # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntaxForMetricFilters.html


def install() -> None:
    """Patch LocalStack's provider and moto's backend in this process. Idempotent."""
    if hasattr(LogsBackend.put_metric_filter, "__wrapped__"):
        return
    LogsBackend.put_metric_filter = _checked(LogsBackend.put_metric_filter)  # type: ignore[method-assign]
    provider.LogsProvider.put_log_events = publishing(connect_to)  # type: ignore[method-assign]
    provider.get_pattern_matcher = pattern_matcher


@dataclass(frozen=True, slots=True)
class Transformation:
    """A metric of a filter, and how a log event determines its value and dimensions."""

    namespace: str
    name: str
    value: float | Selector
    default: float | None
    unit: str | None
    dimensions: tuple[tuple[str, Selector], ...]

    @classmethod
    def parse(cls, given: dict[str, Any], pattern: Pattern) -> Transformation:
        """Raises InvalidPatternError; `given` is a MetricTransformation of the API."""
        dimensions = given.get("dimensions") or {}
        default = given.get("defaultValue")
        if dimensions and default is not None:
            raise InvalidPatternError("dimensions and default value are mutually exclusive properties")
        if len(dimensions) > DIMENSIONS:
            raise InvalidPatternError(f"a metric filter has at most {DIMENSIONS} dimensions")
        if dimensions and not pattern.is_json:
            raise InvalidPatternError("The specified filter pattern does not support dimensions")
        text = str(given["metricValue"])
        value: float | Selector | None = number_of(text)
        if value is None:
            if not pattern.is_json:
                raise InvalidPatternError(f"metric value {text}: only JSON patterns select properties")
            value = Selector.parse(text)
        return cls(
            namespace=given["metricNamespace"],
            name=given["metricName"],
            value=value,
            default=None if default is None else float(default),
            unit=given.get("unit"),
            dimensions=tuple((name, Selector.parse(selector)) for name, selector in dimensions.items()),
        )

    def value_of(self, event: Event) -> float | None:
        """The value of a log event; None if the selected property is not a number."""
        found = self.value.of(event.properties or {}) if isinstance(self.value, Selector) else self.value
        return float(found) if is_number(found) and math.isfinite(found) else None

    def dimensions_of(self, event: Event) -> tuple[tuple[str, str], ...]:
        """Dimensions with a value in the log event: "only published for a metric if the value is found"."""
        found = ((name, selector.of(event.properties or {})) for name, selector in self.dimensions)
        return tuple((name, str(value)) for name, value in found if isinstance(value, str) or is_number(value))


def metric_data(filters: Iterable[dict[str, Any]], log_events: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """MetricData by namespace: one datum per metric, dimensions and second, because each datum is a disk write."""
    events = [(event["timestamp"] // 1000, Event.parse(event["message"])) for event in log_events]
    values: dict[tuple[Any, ...], Counter[float]] = defaultdict(Counter)
    for each in filters:
        pattern = compile_pattern(each.get("filterPattern") or "")
        for given in each["metricTransformations"]:
            wanted = Transformation.parse(given, pattern)
            for second, dimensions, value in _points(wanted, pattern, events):
                values[wanted.namespace, wanted.name, wanted.unit, dimensions, second][value] += 1
    data: dict[str, list[Any]] = defaultdict(list)
    for (namespace, name, unit, dimensions, second), counts in values.items():
        datum = {
            "MetricName": name,
            "Timestamp": datetime.fromtimestamp(second, UTC),
            "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions],
            "Values": list(counts),
            "Counts": [float(count) for count in counts.values()],
        }
        data[namespace].append(datum | ({"Unit": unit} if unit else {}))
    return data


def _points(
    wanted: Transformation, pattern: Pattern, events: list[tuple[int, Event]]
) -> Iterator[tuple[int, tuple[tuple[str, str], ...], float]]:
    matching = [(second, event) for second, event in events if pattern.matches(event)]
    for second, event in matching:
        value = wanted.value_of(event)
        if value is not None:
            yield second, wanted.dimensions_of(event), value
    if not matching and events and wanted.default is not None:
        yield events[-1][0], (), wanted.default


def publishing(connect: Callable[..., Any]) -> Callable[..., Any]:
    """PutLogEvents for LocalStack's provider. `connect` is a factory like LocalStack's `connect_to`.

    Metrics are published after the log events are stored, because callers retry failed calls.
    """

    def put_log_events(
        _self: Any,
        context: RequestContext,
        log_group_name: str,
        log_stream_name: str,  # noqa: ARG001 - LocalStack passes it by name
        log_events: list[dict[str, Any]],
        **_kwargs: Any,
    ) -> Any:
        answer = call_moto(context)
        filters = get_moto_logs_backend(context.account_id, context.region).filters.metric_filters
        own = [each for each in filters if each["logGroupName"] == log_group_name]
        if own:
            try:
                client = connect(aws_access_key_id=context.account_id, region_name=context.region).cloudwatch
                _publish(client, metric_data(own, log_events))
            except Exception:
                LOG.exception("Cannot publish metrics of log group %s", log_group_name)  # the log events are stored
        return answer

    return put_log_events


def _publish(cloudwatch: Any, by_namespace: dict[str, list[Any]]) -> None:
    for namespace, data in by_namespace.items():
        for start in range(0, len(data), DATA_IN_A_CALL):
            cloudwatch.put_metric_data(Namespace=namespace, MetricData=data[start : start + DATA_IN_A_CALL])


def pattern_matcher(pattern: str) -> Callable[[str, dict[str, Any]], bool]:
    """LocalStack's interface for the patterns of FilterLogEvents and subscription filters."""
    try:
        compiled = compile_pattern(pattern or "")
    except InvalidPatternError as error:
        raise InvalidParameterException(str(error)) from None
    return lambda _pattern, event: compiled.matches(Event.parse(event["message"]))


def _checked(put: Callable[..., None]) -> Callable[..., None]:
    @wraps(put)
    def put_metric_filter(
        self: LogsBackend, filter_name: str, filter_pattern: str, log_group_name: str, metric_transformations: Any
    ) -> None:
        if log_group_name not in self.groups:
            raise ResourceNotFoundException("The specified log group does not exist.")
        try:
            pattern = compile_pattern(filter_pattern)
        except InvalidPatternError as error:
            raise InvalidParameterException(str(error)) from None
        try:
            for given in metric_transformations:
                Transformation.parse(given, pattern)
        except InvalidPatternError as error:
            raise InvalidParameterException(f"Invalid metric transformation: {error}") from None
        self.filters.delete_filter(filter_name, log_group_name)  # PutMetricFilter replaces; moto would add
        put(self, filter_name, filter_pattern, log_group_name, metric_transformations)

    return put_metric_filter
