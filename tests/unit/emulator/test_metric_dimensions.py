"""The emulated CloudWatch's statistics use the metric with exactly the requested dimensions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from image_labels_emulator import metric_dimensions
from localstack.services.cloudwatch.cloudwatch_database_helper import CloudwatchDatabase

WHO = ("000000000000", "us-east-1")
NOW = datetime.now(UTC)
QUEUES = {"labels": 1, "labels-dlq": 10, "my-labels": 100}


def dimensions(**values: str) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in values.items()]


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CloudwatchDatabase:
    """Metrics of three queues, one with an additional dimension, and one without dimensions."""
    metric_dimensions.install()
    # LocalStack has no other way to set the paths of its database.
    monkeypatch.setattr(CloudwatchDatabase, "CLOUDWATCH_DATA_ROOT", str(tmp_path))
    monkeypatch.setattr(CloudwatchDatabase, "METRICS_DB", str(tmp_path / "metrics.db"))
    monkeypatch.setattr(CloudwatchDatabase, "METRICS_DB_READ_ONLY", f"file:{tmp_path / 'metrics.db'}?mode=ro")
    database = CloudwatchDatabase()
    points = [(dimensions(QueueName=name), value) for name, value in QUEUES.items()]
    points += [(dimensions(QueueName="labels", Kind="x"), 1000), ([], 10000)]
    for having, value in points:
        datum: Any = {"MetricName": "Visible", "Value": value, "Timestamp": NOW, "Dimensions": having}
        database.add_metric_data(*WHO, "AWS/SQS", [datum])
    return database


def total(database: CloudwatchDatabase, having: list[dict[str, str]]) -> list[float]:
    metric = {"Namespace": "AWS/SQS", "MetricName": "Visible", "Dimensions": having}
    query: Any = {"MetricStat": {"Metric": metric, "Period": 600, "Stat": "Sum"}}
    span = timedelta(seconds=300)
    return list(database.get_metric_data_stat(*WHO, query, NOW - span, NOW + span, "TimestampAscending")["values"])


def test_statistics_of_a_queue_exclude_similar_names(database: CloudwatchDatabase) -> None:
    for name, value in QUEUES.items():
        assert total(database, dimensions(QueueName=name)) == [value]
    assert total(database, dimensions(QueueName="label")) == []


def test_dimensions_must_match_completely_in_any_order(database: CloudwatchDatabase) -> None:
    assert total(database, dimensions(QueueName="labels", Kind="x")) == [1000]
    assert total(database, dimensions(Kind="x", QueueName="labels")) == [1000]
    assert total(database, dimensions(Kind="x")) == []
    assert total(database, []) == [10000]


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        ([], 5),
        (dimensions(QueueName="labels"), 2),
        (dimensions(Kind="x"), 1),
        ([{"Name": "QueueName"}], 4),
        ([{"Name": "Kind"}, *dimensions(QueueName="labels")], 1),
        (dimensions(QueueName="dlq"), 0),
    ],
)
def test_metrics_are_listed_by_a_part_of_their_dimensions(
    database: CloudwatchDatabase, wanted: list[dict[str, str]], count: int
) -> None:
    assert len(database.list_metrics(*WHO, "AWS/SQS", "Visible", wanted)["metrics"]) == count
