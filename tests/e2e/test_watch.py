"""Metrics and alarms after all other tests: this file runs last (conftest.py)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from stack import Stack, wait_for

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

    from tools.terraform import Root

# Source of each metric: log lines with these outcomes (None: all), and the field to sum (None: the number of lines).
COUNTED: dict[str, tuple[list[str] | None, str | None]] = {
    "Labelled": (["labelled"], None),
    "Rejected": (["rejected"], None),
    "Removed": (["removed"], None),
    "Skipped": (["unchanged"], None),
    "Failed": (["failed", "handed back"], None),
    "Throttled": (None, "throttled"),
    "Latency": (["labelled"], "latency_ms"),
    "RekognitionCalls": (None, "rekognition_calls"),
    "Unwanted": (None, "acted"),
}


@pytest.mark.parametrize("name", COUNTED)
def test_metric_matches_the_log(stack: Stack, name: str) -> None:
    outcomes, field = COUNTED[name]
    cloudwatch: CloudWatchClient = boto3.client("cloudwatch")

    def agree() -> bool:
        lines = [line for line in stack.all_lines() if outcomes is None or line.get("outcome") in outcomes]
        expected = len(lines) if field is None else sum(line.get(field, 0) for line in lines)
        assert expected > 0, f"no previous test has produced {name}"
        return _sum(cloudwatch, stack.outputs["metric_namespace"], name) == pytest.approx(expected)

    wait_for(f"{name} as in the log", agree)


def test_dead_letter_alarm_sends_a_notification(stack: Stack, root: Root) -> None:
    """Previous tests have left dead letters."""
    url = json.loads(root.run("output", "-json", "pager_queue_url").stdout)
    alarm = json.loads(stack.outputs["alarm_arns"])["dead-letters"].rpartition(":")[2]

    def notified() -> dict[str, Any] | None:
        for message in stack.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            change: dict[str, Any] = json.loads(message["Body"])
            if (change["AlarmName"], change["NewStateValue"]) == (alarm, "ALARM"):
                return change
        return None

    assert "image-labels status" in wait_for("the alarm", notified, seconds=150)["AlarmDescription"]


def _sum(cloudwatch: CloudWatchClient, namespace: str, name: str) -> float:
    now = datetime.now(UTC)
    found = cloudwatch.get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        StartTime=now - timedelta(hours=3),
        EndTime=now + timedelta(minutes=5),
        Period=24 * 3600,
        Statistics=["Sum"],
    )
    return sum(point["Sum"] for point in found["Datapoints"])
