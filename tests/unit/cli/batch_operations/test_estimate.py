"""Costs and duration of a backfill, and the tables of them in docs/costs-and-limits.md."""

from __future__ import annotations

import pytest
from image_labels_cli.batch_operations.estimate import BATCH_SHARE, Way, duration, of_jobs, of_queue

from tools.terraform import ROOT

PAGE = (ROOT / "docs" / "costs-and-limits.md").read_text()
PHOTOS = (10_000, 10_000_000, 1_000_000_000)
CALLS_PER_SECOND = (5, 50, 500)
SUFFIXES = 6


def test_million_photos_by_jobs() -> None:
    estimate = of_jobs(1_000_000, 6, 40)
    assert estimate.dollars == pytest.approx(
        {
            "Rekognition": 1000,
            "DynamoDB": 40,
            "S3": 1,
            "logs and queue": 1,
            "Lambda": 1_500_000 * 0.5 * 0.0000133334 + 0.20,
            "S3 Batch Operations": 6 * 0.25 + 1 + 6 * 0.015,
        }
    )
    assert estimate.seconds == 25_000
    assert estimate.total == pytest.approx(1054.79, abs=0.005)


def test_each_call_of_rekognition_costs_money_and_time() -> None:
    one, two = of_jobs(1_000_000, 6, 40), of_jobs(1_000_000, 6, 40, calls=2)
    assert two.dollars["Rekognition"] == 2000
    assert two.dollars["Lambda"] - one.dollars["Lambda"] == pytest.approx(1_000_000 * 0.5 * 0.0000133334)


def test_million_photos_through_the_queue() -> None:
    estimate = of_queue(1_000_000, 50)
    assert estimate.dollars["Lambda"] == pytest.approx(300_000 * 0.5 * 0.0000133334 + 0.02)
    assert "S3 Batch Operations" not in estimate.dollars
    assert estimate.seconds == 20_000


def test_no_photo_costs_the_jobs_only() -> None:
    assert of_jobs(0, 2, 4).total == 0.50


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (25, "25 seconds"),
        (119, "119 seconds"),
        (120, "2.0 minutes"),
        (7200, "2.0 hours"),
        (2 * 86400, "2.0 days"),
        (364 * 86400, "364.0 days"),
        (730 * 86400, "2.0 years"),
    ],
)
def test_duration_has_a_unit_that_fits(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize("photos", PHOTOS)
def test_page_has_the_costs(photos: int) -> None:
    queue, jobs = of_queue(photos, 50), of_jobs(photos, SUFFIXES, 40)
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| {photos:,} |") and "$" in line]
    assert row.endswith(f"| ${queue.total:,.2f} | ${jobs.total:,.2f} |")


@pytest.mark.parametrize("photos", PHOTOS)
def test_page_has_the_times(photos: int) -> None:
    for way, seconds in (
        (Way.QUEUE, [of_queue(photos, calls).seconds for calls in CALLS_PER_SECOND]),
        (Way.JOB, [of_jobs(photos, SUFFIXES, BATCH_SHARE * calls).seconds for calls in CALLS_PER_SECOND]),
    ):
        times = " | ".join(map(duration, seconds))
        assert f"| {photos:,} | `{way}` | {times} |" in PAGE.splitlines()
