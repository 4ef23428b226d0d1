"""Cost and time of a selection."""

from __future__ import annotations

from dataclasses import replace

import pytest
from image_labels_cli.feeding.preview import Preview, dollars, duration

TEN_MILLION = Preview(
    offered=10_000_100,
    photos=10_000_000,
    sent_to_rekognition=9_999_000,
    calls=9_999_000,
    too_large=900,
    without_object=100,
    from_answer=0,
    pace=50.0,
    daily_limit=None,
)


def test_lines_for_a_person() -> None:
    assert TEN_MILLION.lines() == [
        "Photos: 10,000,000, the first of 10,000,100: 9,999,000 to Rekognition",
        "        900 over 15 MB, rejected without a call",
        "        100 without an object, whose item is removed",
        "Cost:   $7,639.36 in us-east-1: Rekognition $7,199.40, other services $439.96",
        "Time:   2 d 7 h at 50 photos per second",
    ]


def test_daily_limit_takes_days_and_months_of_the_highest_price() -> None:
    limited = replace(TEN_MILLION, daily_limit=10_000)
    assert limited.days == 1_000
    assert limited.lines()[-1] == "        on at least 1,000 days, with 10,000 images per day"
    assert limited.rekognition_dollars == pytest.approx(9_999)


def test_each_call_is_an_image() -> None:
    two_apis = replace(TEN_MILLION, calls=2 * 9_999_000)
    assert two_apis.lines()[0].endswith("9,999,000 to Rekognition, 19,998,000 calls")
    assert two_apis.rekognition_dollars > 1.5 * TEN_MILLION.rekognition_dollars
    assert (two_apis.other_dollars, two_apis.seconds) == (TEN_MILLION.other_dollars, TEN_MILLION.seconds)
    assert replace(two_apis, daily_limit=10_000).days == 2_000


def test_slow_quota_spreads_the_images_over_months() -> None:
    assert replace(TEN_MILLION, pace=0.5).rekognition_dollars > TEN_MILLION.rekognition_dollars


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "1 s"),
        (89, "89 s"),
        (91, "2 min"),
        (5_300, "89 min"),
        (5_399, "1 h 30 min"),
        (5_401, "1 h 31 min"),
        (25_000, "6 h 57 min"),
        (200_000, "2 d 7 h"),
    ],
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_small_amounts_are_not_zero() -> None:
    assert (dollars(0), dollars(0.001), dollars(12345.678)) == ("$0.00", "<$0.01", "$12,345.68")
