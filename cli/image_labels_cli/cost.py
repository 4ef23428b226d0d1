"""The cost of reading a whole table, and of listing a bucket."""

from __future__ import annotations

# In us-east-1, on demand: https://aws.amazon.com/dynamodb/pricing/on-demand/
DOLLARS_PER_MILLION_READ_UNITS = 0.125
# In us-east-1, for S3 Standard: https://aws.amazon.com/s3/pricing/
DOLLARS_PER_THOUSAND_LISTS = 0.005


def of_scan(read_units: float, requests: int) -> str:
    """One line with the cost of a Scan."""
    return f"{_scan(read_units, requests)}, {_about(_dollars(read_units))} (on demand, us-east-1)"


def of_audit(read_units: float, requests: int, lists: int) -> str:
    """One line with the cost of the reads of a table, and of the requests that list a bucket."""
    dollars = _dollars(read_units) + lists * DOLLARS_PER_THOUSAND_LISTS / 1000
    return (
        f"{_scan(read_units, requests)}, and listed the bucket in {_requests(lists)}, {_about(dollars)} "
        "(on demand, us-east-1)"
    )


def _scan(read_units: float, requests: int) -> str:
    return f"the command read the whole table: {read_units:,.1f} read units in {_requests(requests)}"


def _requests(number: int) -> str:
    return f"{number:,} request{'' if number == 1 else 's'}"


def _dollars(read_units: float) -> float:
    return read_units * DOLLARS_PER_MILLION_READ_UNITS / 1_000_000


def _about(dollars: float) -> str:
    return f"about ${dollars:.6f}" if dollars >= 0.000001 else "less than $0.000001"
