"""The cost of reading a whole table, of listing a bucket, and of labelling photos, at list prices of us-east-1."""

from __future__ import annotations

# In us-east-1, on demand: https://aws.amazon.com/dynamodb/pricing/on-demand/
DOLLARS_PER_MILLION_READ_UNITS = 0.125
# In us-east-1, for S3 Standard: https://aws.amazon.com/s3/pricing/
DOLLARS_PER_THOUSAND_LISTS = 0.005
# DetectLabels, by the images of a month: up to so many cost so much per thousand. https://aws.amazon.com/rekognition/pricing/
# Above 35 million, a lower price follows, which is left out.
REKOGNITION_TIERS = ((1_000_000, 1.0), (5_000_000, 0.8), (float("inf"), 0.6))
# Lambda, DynamoDB, S3, SQS and CloudWatch Logs: the table in docs/costs-and-limits.md.
OTHER_DOLLARS_PER_THOUSAND = 0.044


def of_scan(read_units: float, requests: int) -> str:
    """One line with the cost of a Scan."""
    return f"{_scan(read_units, requests)}, {_about(_dollars(read_units))} (on demand, us-east-1)"


def of_reads(read_units: float, requests: int) -> str:
    """One line with the cost of reads of the tables."""
    return (
        f"the command read {read_units:,.1f} read units in {_requests(requests)}, {_about(_dollars(read_units))} "
        "(on demand, us-east-1)"
    )


def of_audit(read_units: float, requests: int, lists: int) -> str:
    """One line with the cost of the reads of a table, and of the requests that list a bucket."""
    dollars = _dollars(read_units) + lists * DOLLARS_PER_THOUSAND_LISTS / 1000
    return (
        f"{_scan(read_units, requests)}, and listed the bucket in {_requests(lists)}, {_about(dollars)} "
        "(on demand, us-east-1)"
    )


def of_rekognition(images: int, images_per_month: float) -> float:
    """Dollars for DetectLabels, if no other images are sent in these months."""
    dollars = 0.0
    left = float(images)
    while left > 0:
        month = min(left, images_per_month)
        months = left // month
        dollars += months * _of_month(month)
        left -= months * month
    return dollars


def of_other_services(images: int) -> float:
    """Dollars for the other services that label a photo."""
    return images * OTHER_DOLLARS_PER_THOUSAND / 1000


def _of_month(images: float) -> float:
    dollars = below = 0.0
    for top, per_thousand in REKOGNITION_TIERS:
        dollars += max(0.0, min(images, top) - below) * per_thousand / 1000
        below = top
    return dollars


def _scan(read_units: float, requests: int) -> str:
    return f"the command read the whole table: {read_units:,.1f} read units in {_requests(requests)}"


def _requests(number: int) -> str:
    return f"{number:,} request{'' if number == 1 else 's'}"


def _dollars(read_units: float) -> float:
    return read_units * DOLLARS_PER_MILLION_READ_UNITS / 1_000_000


def _about(dollars: float) -> str:
    return f"about ${dollars:.6f}" if dollars >= 0.000001 else "less than $0.000001"
