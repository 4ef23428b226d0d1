"""Settings are checked once at start, all of them."""

from __future__ import annotations

import pytest
from image_labels.settings import Settings, SettingsError

GOOD = {
    "BUCKET_NAME": "photos-bucket",
    "IMAGES_TABLE_NAME": "images",
    "LABELS_TABLE_NAME": "labels",
    "MIN_CONFIDENCE": "80",
    "MAX_LABELS": "10",
    "CONCURRENCY": "5",
    "DETECT_LABELS_PER_SECOND": "6.2500",
    "QUEUE_URL": "https://sqs/photos",
    "DEAD_LETTER_QUEUE_URL": "https://sqs/dead-letters",
    "MAX_RECEIVE_COUNT": "4",
    "RETRY_DELAY_SECONDS": "20",
}
WAITING = {"WAITING_QUEUE_URL": "https://sqs/waiting", "MOVE_AHEAD": "3000"}
LIMITED = WAITING | {"DAILY_IMAGE_LIMIT": "1000"}


def test_good_settings() -> None:
    assert Settings.from_environment(GOOD) == Settings(
        bucket="photos-bucket",
        images_table="images",
        labels_table="labels",
        min_confidence=80.0,
        max_labels=10,
        concurrency=5,
        detect_labels_per_second=6.25,
        queue_url="https://sqs/photos",
        dead_letter_queue_url="https://sqs/dead-letters",
        max_receive_count=4,
        retry_delay=20,
    )


def test_limit_and_where_photos_over_it_wait() -> None:
    settings = Settings.from_environment(GOOD | LIMITED)
    assert (settings.daily_image_limit, settings.waiting_queue_url) == (1000, "https://sqs/waiting")
    settings = Settings.from_environment(GOOD)
    assert (settings.daily_image_limit, settings.waiting_queue_url) == (None, "")


def test_queue_of_waiting_photos_may_be_there_without_a_limit() -> None:
    settings = Settings.from_environment(GOOD | WAITING)
    assert (settings.daily_image_limit, settings.waiting_queue_url) == (None, "https://sqs/waiting")
    assert settings.move_ahead == 3000


def test_queue_of_waiting_photos_needs_to_know_how_many_are_taken_back_at_a_time() -> None:
    with pytest.raises(SettingsError, match="MOVE_AHEAD is not set: a whole number from 1"):
        Settings.from_environment(GOOD | {"WAITING_QUEUE_URL": "https://sqs/waiting"})


def test_limit_decides_no_labels() -> None:
    assert Settings.from_environment(GOOD | LIMITED).fingerprint == Settings.from_environment(GOOD).fingerprint


def test_fingerprint_tells_what_decides_the_labels_and_nothing_else() -> None:
    fingerprint = Settings.from_environment(GOOD).fingerprint
    assert fingerprint == "max_labels=10;min_confidence=80.0"
    same = GOOD | {"MIN_CONFIDENCE": "80.0", "CONCURRENCY": "7"}
    assert Settings.from_environment(same).fingerprint == fingerprint
    for name, value in (("MIN_CONFIDENCE", "80.5"), ("MIN_CONFIDENCE", "80.0000001"), ("MAX_LABELS", "11")):
        assert Settings.from_environment(GOOD | {name: value}).fingerprint != fingerprint


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("MIN_CONFIDENCE", "101", "from 0 to 100"),
        ("MIN_CONFIDENCE", "high", "'high' is not a number"),
        ("MIN_CONFIDENCE", "nan", "from 0 to 100"),
        ("MAX_LABELS", "0", "from 1 to 1000"),
        ("MAX_LABELS", "2.5", "a whole number"),
        ("CONCURRENCY", "", "from 1 to 100"),
        ("DETECT_LABELS_PER_SECOND", "0", "from 0.01 to 10000"),
        ("MAX_RECEIVE_COUNT", "0", "from 1 to 1000"),
        ("RETRY_DELAY_SECONDS", "0.5", "a whole number"),
        ("QUEUE_URL", "", "QUEUE_URL is not set"),
        ("BUCKET_NAME", "", "BUCKET_NAME is not set"),
        ("DAILY_IMAGE_LIMIT", "0", "a whole number from 1 to"),
        ("DAILY_IMAGE_LIMIT", "", "a whole number from 1 to"),
        ("DAILY_IMAGE_LIMIT", "1e3", "a whole number from 1 to"),
        ("WAITING_QUEUE_URL", "", "WAITING_QUEUE_URL is not set"),
        ("MOVE_AHEAD", "0", "a whole number from 1 to"),
        ("MOVE_AHEAD", "1.5", "a whole number from 1 to"),
    ],
)
def test_bad_setting_names_itself_and_what_is_allowed(name: str, value: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words) as raised:
        Settings.from_environment(GOOD | LIMITED | {name: value})
    assert name in str(raised.value)


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(SettingsError) as raised:
        Settings.from_environment({})
    for name in GOOD:
        assert name in str(raised.value)
