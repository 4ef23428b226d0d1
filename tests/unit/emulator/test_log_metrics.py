"""Metric filters: data points from log events, and filters that PutMetricFilter refuses."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from image_labels_emulator import log_metrics
from localstack.aws.api.logs import InvalidParameterException, ResourceNotFoundException
from localstack.aws.forwarder import create_aws_request_context
from localstack.services.logs.models import get_moto_logs_backend
from moto.logs.models import LogsBackend

ACCOUNT = "000000000000"
GROUP = "/aws/lambda/image-labels"
NOW = int(time.time())
LABELLED = '{ $.outcome = "labelled" }'
EVENTS = [
    {"outcome": "labelled", "duration_ms": 12.5},
    {"outcome": "labelled", "duration_ms": 12.5},
    {"outcome": "labelled", "duration_ms": 30},
    {"outcome": "labelled", "duration_ms": "fast"},
    {"outcome": "labelled", "duration_ms": True},
    {"outcome": "rejected", "duration_ms": 5},
    "START RequestId: 1",
]


def transformation(**given: Any) -> dict[str, Any]:
    return {"metricName": "Photos", "metricNamespace": "ImageLabels", "metricValue": "1"} | given


def metric_filter(pattern: str, **given: Any) -> dict[str, Any]:
    return {"filterPattern": pattern, "metricTransformations": [transformation(**given)]}


def log_event(message: Any, second: int = NOW) -> dict[str, Any]:
    text = message if isinstance(message, str) else json.dumps(message)
    return {"timestamp": second * 1000 + 7, "message": text + "\n"}


def data(pattern: str, *events: dict[str, Any], **given: Any) -> list[dict[str, Any]]:
    """The data points of one filter for the events (default: EVENTS), without members that the tests ignore."""
    found = log_metrics.metric_data([metric_filter(pattern, **given)], list(events) or [log_event(e) for e in EVENTS])
    assert set(found) <= {"ImageLabels"}
    return found.get("ImageLabels", [])


def test_datum_counts_the_matching_events() -> None:
    assert data(LABELLED) == [
        {
            "MetricName": "Photos",
            "Timestamp": datetime.fromtimestamp(NOW, UTC),
            "Dimensions": [],
            "Values": [1.0],
            "Counts": [5.0],
        }
    ]


def test_only_numbers_of_the_event_become_data_points() -> None:
    datum = data(LABELLED, metricValue="$.duration_ms", unit="Milliseconds")[0]
    assert dict(zip(datum["Values"], datum["Counts"], strict=True)) == {12.5: 2, 30: 1}
    assert datum["Unit"] == "Milliseconds"


def test_each_second_has_a_separate_datum() -> None:
    found = data("", log_event("a", NOW - 60), log_event("b", NOW - 60), log_event("c"))
    assert [(datum["Timestamp"].timestamp(), datum["Counts"]) for datum in found] == [(NOW - 60, [2]), (NOW, [1])]


def test_default_value_is_published_without_a_match() -> None:
    assert data('{ $.outcome = "gone" }', defaultValue=0)[0]["Values"] == [0]
    assert data('{ $.outcome = "gone" }') == []
    assert data(LABELLED, defaultValue=0)[0]["Values"] == [1]


def test_dimensions_come_from_the_event() -> None:
    found = data("{ $.outcome = * }", dimensions={"Outcome": "$.outcome", "Size": "$.size"})
    assert [(datum["Dimensions"], datum["Counts"]) for datum in found] == [
        ([{"Name": "Outcome", "Value": "labelled"}], [5]),
        ([{"Name": "Outcome", "Value": "rejected"}], [1]),
    ]


@pytest.fixture
def backend() -> LogsBackend:
    log_metrics.install()
    backend = LogsBackend("eu-central-1", ACCOUNT)
    backend.create_log_group(GROUP, {})
    return backend


def put(backend: LogsBackend, pattern: str, group: str = GROUP, **given: Any) -> None:
    backend.put_metric_filter("filter", pattern, group, [transformation(**given)])  # type: ignore[arg-type] # moto's


@pytest.mark.parametrize(
    ("pattern", "given", "message"),
    [
        ("%x%", {}, "Invalid filter pattern %x%: "),
        ('{ $.a = "b"', {}, "must end with '}'"),
        (LABELLED, {"metricValue": "fast"}, "Invalid metric transformation: fast "),
        ("labelled", {"metricValue": "$.duration_ms"}, "only JSON patterns select properties"),
        ("labelled", {"dimensions": {"A": "$.a"}}, "does not support dimensions"),
        (LABELLED, {"dimensions": {"A": "fixed"}}, "Invalid metric transformation: fixed "),
        (LABELLED, {"dimensions": {"A": "$.a"}, "defaultValue": 0}, "mutually exclusive"),
        (LABELLED, {"dimensions": dict.fromkeys("ABCD", "$.a")}, "at most 3"),
    ],
)
def test_unsupported_filters_are_refused(
    backend: LogsBackend, pattern: str, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidParameterException) as raised:
        put(backend, pattern, **given)
    assert message in raised.value.message
    assert backend.describe_metric_filters() == []


def test_filter_of_a_missing_log_group_is_refused(backend: LogsBackend) -> None:
    with pytest.raises(ResourceNotFoundException):
        put(backend, "", group="/none")


def test_second_filter_of_the_same_name_replaces_the_first(backend: LogsBackend) -> None:
    put(backend, "one")
    put(backend, "two")
    assert [each["filterPattern"] for each in backend.describe_metric_filters()] == ["two"]


class CloudWatch:
    """A fake CloudWatch that records its data or fails, and LocalStack's client factory for it."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails
        self.counts: dict[str, float] = {}
        self.cloudwatch = self

    def __call__(self, **_kwargs: str) -> CloudWatch:
        return self

    def put_metric_data(self, *, Namespace: str, MetricData: list[dict[str, Any]]) -> None:  # noqa: N803 - boto3's
        if self.fails:
            raise RuntimeError("no CloudWatch")
        for datum in MetricData:
            self.counts[f"{Namespace}/{datum['MetricName']}"] = sum(datum["Counts"])


def put_log_events(cloudwatch: CloudWatch, group: str, events: list[dict[str, Any]]) -> None:
    """PutLogEvents, which stores the events in moto's backend."""
    request: Any = {"logGroupName": group, "logStreamName": "stream", "logEvents": events}
    context = create_aws_request_context("logs", "PutLogEvents", request, "eu-central-1")
    context.account_id, context.region = ACCOUNT, "eu-central-1"
    context.request.headers["X-Moto-Account-Id"] = ACCOUNT
    log_metrics.publishing(cloudwatch)(None, context, group, "stream", events)


@pytest.mark.parametrize("fails", [False, True])
def test_filter_counts_events_of_its_log_group_and_all_events_are_stored(fails: bool) -> None:
    log_metrics.install()
    cloudwatch = CloudWatch(fails=fails)
    backend = get_moto_logs_backend(ACCOUNT, "eu-central-1")
    backend.reset()
    for group in (GROUP, "/other"):
        backend.create_log_group(group, {})
        backend.create_log_stream(group, "stream")
    put(backend, LABELLED)
    put(backend, "", group="/other", metricName="Others")
    with pytest.raises(Exception, match="does not exist"):
        put_log_events(cloudwatch, "/none", [log_event(EVENTS[0])])
    put_log_events(cloudwatch, GROUP, [log_event(event) for event in EVENTS])
    assert cloudwatch.counts == ({} if fails else {"ImageLabels/Photos": 5})
    assert len(backend.groups[GROUP].streams["stream"].events) == len(EVENTS)


def test_filter_log_events_uses_the_same_patterns() -> None:
    matches = log_metrics.pattern_matcher(LABELLED)
    assert [matches("", log_event(event)) for event in EVENTS[4:]] == [True, False, False]
    with pytest.raises(InvalidParameterException, match="Invalid filter pattern %x%"):
        log_metrics.pattern_matcher("%x%")
