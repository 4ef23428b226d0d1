"""The cost of reading a whole table."""

from __future__ import annotations

# In us-east-1, on demand: https://aws.amazon.com/dynamodb/pricing/on-demand/
DOLLARS_PER_MILLION_READ_UNITS = 0.125


def of_scan(read_units: float, requests: int) -> str:
    """One line with the cost of a Scan."""
    dollars = read_units * DOLLARS_PER_MILLION_READ_UNITS / 1_000_000
    about = f"about ${dollars:.6f}" if dollars >= 0.000001 else "less than $0.000001"
    return (
        f"the command read the whole table: {read_units:,.1f} read units in {requests:,} "
        f"request{'' if requests == 1 else 's'}, {about} (on demand, us-east-1)"
    )
