"""The cost of a Scan, and of an audit, in dollars."""

from __future__ import annotations

from image_labels_cli import cost


def test_cost_of_a_scan_and_of_an_audit() -> None:
    assert "20,000.0 read units in 3 requests, about $0.002500" in cost.of_scan(20_000, 3)
    assert "in 3 requests, and listed the bucket in 1,000 requests, about $0.007500" in cost.of_audit(20_000, 3, 1000)
    assert "0.5 read units in 1 request, less than $0.000001" in cost.of_scan(0.5, 1)
