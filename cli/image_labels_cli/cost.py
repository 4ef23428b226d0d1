"""What reading a whole table costs, for whoever did it."""

from __future__ import annotations

# $ for a million read request units, on demand, in us-east-1: https://aws.amazon.com/dynamodb/pricing/on-demand/
MILLION_READ_UNITS = 0.125


def of_scan(read_units: float, requests: int) -> str:
    """The cost of a Scan in a line."""
    dollars = read_units * MILLION_READ_UNITS / 1_000_000
    about = f"about ${dollars:.6f}" if dollars >= 0.000001 else "less than $0.000001"
    return (
        f"the whole table was read: {read_units:,.1f} read units in {requests:,} "
        f"request{'' if requests == 1 else 's'}, {about} (on demand, us-east-1)"
    )
