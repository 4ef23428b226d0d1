"""What operators see, after all that the other tests have done: metrics and alarms. (Last, by its name.)"""

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

# What each metric is counted from: lines of these outcomes (None: all), and the field that is added up (None: lines).
COUNTED: dict[str, tuple[list[str] | None, str | None]] = {
    "Labelled": (["labelled"], None),
    "Rejected": (["rejected"], None),
    "Removed": (["removed"], None),
    "Skipped": (["unchanged"], None),
    "Failed": (["failed", "handed back"], None),
    "Throttled": (None, "throttled"),
    "Latency": (["labelled"], "latency_ms"),
    "RekognitionCalls": (None, "rekognition_calls"),
}


@pytest.mark.parametrize("name", COUNTED)
def test_metric_is_what_the_log_says(stack: Stack, name: str) -> None:
    outcomes, field = COUNTED[name]
    cloudwatch: CloudWatchClient = boto3.client("cloudwatch")

    def agree() -> bool:
        lines = [line for line in stack.all_lines() if outcomes is None or line.get("outcome") in outcomes]
        said = len(lines) if field is None else sum(line.get(field, 0) for line in lines)
        assert said > 0, f"the tests before gave nothing to count for {name}"
        return _sum(cloudwatch, stack.outputs["metric_namespace"], name) == pytest.approx(said)

    wait_for(f"{name} as in the log", agree)


def test_alarm_of_dead_letters_told_whoever_is_on_duty(stack: Stack, root: Root) -> None:
    """There were dead letters for minutes."""
    url = json.loads(root.run("output", "-json", "pager_queue_url").stdout)
    alarm = json.loads(stack.outputs["alarm_arns"])["dead-letters"].rpartition(":")[2]

    def told() -> dict[str, Any] | None:
        for message in stack.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            news: dict[str, Any] = json.loads(message["Body"])
            if (news["AlarmName"], news["NewStateValue"]) == (alarm, "ALARM"):
                return news
        return None

    assert "image-labels status" in wait_for("the alarm", told, seconds=150)["AlarmDescription"]


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
