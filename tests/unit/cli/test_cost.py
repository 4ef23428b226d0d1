"""The cost of a Scan, and of an audit, in dollars."""

from __future__ import annotations

import pytest
from image_labels_cli import cost


def test_cost_of_a_scan_and_of_an_audit() -> None:
    assert "20,000.0 read units in 3 requests, about $0.002500" in cost.of_scan(20_000, 3)
    assert "in 3 requests, and listed the bucket in 1,000 requests, about $0.007500" in cost.of_audit(20_000, 3, 1000)
    assert "0.5 read units in 1 request, less than $0.000001" in cost.of_scan(0.5, 1)


@pytest.mark.parametrize(
    ("images", "dollars"),
    [
        (0, 0.0),
        (1_000, 1.0),
        (1_000_000, 1_000.0),
        (2_000_000, 1_800.0),
        (5_000_000, 4_200.0),
        (10_000_000, 7_200.0),
    ],
)
def test_rekognition_is_cheaper_after_the_first_million_of_a_month(images: int, dollars: float) -> None:
    assert cost.of_rekognition(images, images_per_month=1e9) == pytest.approx(dollars)


def test_each_month_starts_at_the_highest_price() -> None:
    assert cost.of_rekognition(3_500_000, images_per_month=1_500_000) == pytest.approx(1_400 + 1_400 + 500)
    assert cost.of_rekognition(10, images_per_month=1) == pytest.approx(0.01)
