"""Costs and duration of a backfill, from list prices in us-east-1. docs/costs-and-limits.md has a table of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

PER_MILLION = 1_000_000

# https://aws.amazon.com/s3/pricing/ (Management & insights)
DOLLARS_PER_JOB = 0.25
DOLLARS_PER_MILLION_TASKS = 1.00
DOLLARS_PER_MILLION_OBJECTS_IN_BUCKET = 0.015  # for each manifest
# The first million images of a month; more are cheaper. https://aws.amazon.com/rekognition/pricing/
DOLLARS_PER_MILLION_IMAGES = 1000.0
# A transaction of an item of 2 KB and about 25 rows, and two reads. https://aws.amazon.com/dynamodb/pricing/on-demand/
DOLLARS_PER_MILLION_ITEMS = 40.0
# Two HeadObject, and Rekognition's read. https://aws.amazon.com/s3/pricing/
DOLLARS_PER_MILLION_READS = 1.0
# https://aws.amazon.com/cloudwatch/pricing/ and, for a photo from the queue, https://aws.amazon.com/sqs/pricing/
DOLLARS_PER_MILLION_LOGGED = 1.0
# https://aws.amazon.com/lambda/pricing/ for arm64.
DOLLARS_PER_GB_SECOND = 0.0000133334
DOLLARS_PER_MILLION_INVOCATIONS = 0.20
GB = 0.5  # lambda_memory_size
# sizing.tf has so many invocations at a time that each takes this long, its waits for its turns included: for all calls
# of Rekognition together, and for each.
SECONDS_PER_INVOCATION = 0.5
SECONDS_PER_CALL = 1.0
# Billed for a photo from the queue, of which an invocation has ten: 0.1 to 0.5 s.
SECONDS_PER_QUEUED_PHOTO = 0.3

# The part of rekognition_tps that the jobs have with enable_batch_operations (sizing.tf).
BATCH_SHARE = 0.8


class Way(StrEnum):
    """How the photos reach a function."""

    QUEUE = "backfill"
    JOB = "backfill --batch-operations"


@dataclass(frozen=True)
class Estimate:
    """Dollars by service, each at most, and seconds. A photo with current labels costs no call of Rekognition."""

    dollars: dict[str, float]
    seconds: float

    @property
    def total(self) -> float:
        return sum(self.dollars.values())


def of_jobs(photos: int, jobs: int, photos_per_second: float, calls: int = 1) -> Estimate:
    """For jobs with so many photos in all, and so many calls of Rekognition for each.

    Manifests count for the photos only: S3 bills every object in the bucket.
    """
    lambda_seconds = photos * (SECONDS_PER_INVOCATION + calls * SECONDS_PER_CALL)
    return Estimate(
        _of_photos(photos, calls)
        | {
            "Lambda": lambda_seconds * GB * DOLLARS_PER_GB_SECOND + _of(photos, DOLLARS_PER_MILLION_INVOCATIONS),
            "S3 Batch Operations": jobs * DOLLARS_PER_JOB
            + _of(photos, DOLLARS_PER_MILLION_TASKS)
            + jobs * _of(photos, DOLLARS_PER_MILLION_OBJECTS_IN_BUCKET),
        },
        photos / photos_per_second,
    )


def of_queue(photos: int, photos_per_second: float) -> Estimate:
    """For so many photos that go through the queue."""
    lambda_seconds = photos * SECONDS_PER_QUEUED_PHOTO
    invocations = _of(photos / 10, DOLLARS_PER_MILLION_INVOCATIONS)
    return Estimate(
        _of_photos(photos) | {"Lambda": lambda_seconds * GB * DOLLARS_PER_GB_SECOND + invocations},
        photos / photos_per_second,
    )


def duration(seconds: float) -> str:
    """For example "25 seconds", "2.9 days" or "7.9 years"."""
    for unit, size in (("year", 365 * 86400), ("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= 2 * size or (unit == "year" and seconds >= size):
            return f"{seconds / size:,.1f} {unit}s"
    return f"{seconds:,.0f} seconds"


def _of_photos(photos: int, calls: int = 1) -> dict[str, float]:
    """What a photo costs, whichever way it comes."""
    return {
        "Rekognition": _of(photos * calls, DOLLARS_PER_MILLION_IMAGES),
        "DynamoDB": _of(photos, DOLLARS_PER_MILLION_ITEMS),
        "S3": _of(photos, DOLLARS_PER_MILLION_READS),
        "logs and queue": _of(photos, DOLLARS_PER_MILLION_LOGGED),
    }


def _of(number: float, dollars_per_million: float) -> float:
    return number * dollars_per_million / PER_MILLION
