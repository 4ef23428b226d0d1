"""All settings are checked once, at the start."""

from __future__ import annotations

import pytest
from image_labels.detectors.text import TextCriteria
from image_labels.selection import Criteria
from image_labels.settings import Settings, SettingsError, detectors_by, fingerprint_of, wanted_by

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
    "WAITING_QUEUE_URL": "https://sqs/waiting",
    "MAX_QUEUE_BACKLOG": "3000",
}
LIMITED = {"DAILY_IMAGE_LIMIT": "1000"}


def test_settings_are_read_from_the_environment() -> None:
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
        waiting_queue_url="https://sqs/waiting",
        max_queue_backlog=3000,
        requested_min_confidence=80.0,
        requested_max_labels=10,
        daily_image_limit=None,
    )


def test_daily_limit_is_optional() -> None:
    assert Settings.from_environment(GOOD | LIMITED).daily_image_limit == 1000


@pytest.mark.parametrize("name", ["WAITING_QUEUE_URL", "MAX_QUEUE_BACKLOG"])
def test_waiting_queue_is_configured_without_a_limit_too(name: str) -> None:
    """Photos that wait when the limit is removed are moved back."""
    with pytest.raises(SettingsError, match=f"{name} is not set"):
        Settings.from_environment({each: value for each, value in GOOD.items() if each != name})


def test_text_is_optional() -> None:
    assert not Settings.from_environment(GOOD).has_detectors
    settings = Settings.from_environment(GOOD | {"TEXT_MIN_CONFIDENCE": "75", "DETECT_TEXT_PER_SECOND": "2.5"})
    assert settings.has_detectors
    assert (settings.text_min_confidence, settings.detect_text_per_second) == (75.0, 2.5)
    with pytest.raises(SettingsError, match=r"TEXT_MIN_CONFIDENCE='101' .*; DETECT_TEXT_PER_SECOND is not set"):
        Settings.from_environment(GOOD | {"TEXT_MIN_CONFIDENCE": "101"})


def test_detectors_are_part_of_the_fingerprint() -> None:
    text = {"TEXT_MIN_CONFIDENCE": "75"}
    assert fingerprint_of(GOOD | text) == "max_labels=10;min_confidence=80.0;text=min_confidence=75.0"
    assert fingerprint_of(GOOD | {"TEXT_MIN_CONFIDENCE": ""}) == fingerprint_of(GOOD)
    assert detectors_by(GOOD | text) == {"text": TextCriteria(75.0)}
    with pytest.raises(SettingsError, match="TEXT_MIN_CONFIDENCE='x' is not a number from 0 to 100"):
        detectors_by({"TEXT_MIN_CONFIDENCE": "x"})


def test_rekognition_is_asked_for_more_than_is_wanted() -> None:
    settings = Settings.from_environment(GOOD | {"REQUESTED_MIN_CONFIDENCE": "55"})
    assert (settings.requested_min_confidence, settings.wanted) == (55.0, Criteria(10, 80.0))
    assert settings.wanted == Settings.from_environment(GOOD).wanted  # the same labels
    assert Settings.from_environment(GOOD | {"REQUESTED_MAX_LABELS": "1000"}).requested_max_labels == 1000
    with pytest.raises(SettingsError, match="REQUESTED_MAX_LABELS='9' is not a whole number from 10 to 1000"):
        Settings.from_environment(GOOD | {"REQUESTED_MAX_LABELS": "9"})


def test_moderation_and_rules_are_optional_parts_of_the_fingerprint() -> None:
    moderation = {"MODERATION_MIN_CONFIDENCE": "75", "DETECT_MODERATION_LABELS_PER_SECOND": "2.5"}
    settings = Settings.from_environment(GOOD | moderation | {"UNWANTED_ID": "r1"})
    assert settings.has_detectors
    assert (settings.moderation_min_confidence, settings.detect_moderation_labels_per_second) == (75.0, 2.5)
    assert settings.unwanted_id == "r1"
    text = {"TEXT_MIN_CONFIDENCE": "70", "LABEL_POLICY_ID": "p1", "UNWANTED_ID": "r1"}
    assert fingerprint_of(GOOD | moderation | text) == (
        "max_labels=10;min_confidence=80.0;policy=p1;unwanted=r1;text=min_confidence=70.0;moderation=min_confidence=75.0"
    )
    assert fingerprint_of(GOOD | {"UNWANTED_ID": ""}) == fingerprint_of(GOOD)


def test_limit_does_not_change_the_fingerprint() -> None:
    assert Settings.from_environment(GOOD | LIMITED).wanted.text == Settings.from_environment(GOOD).wanted.text


def test_fingerprint_changes_with_the_settings_that_decide_the_labels() -> None:
    fingerprint = Settings.from_environment(GOOD).wanted.text
    assert fingerprint == "max_labels=10;min_confidence=80.0"
    same = GOOD | {"MIN_CONFIDENCE": "80.0", "CONCURRENCY": "7"}
    assert Settings.from_environment(same).wanted.text == fingerprint
    for name, value in (("MIN_CONFIDENCE", "80.5"), ("MIN_CONFIDENCE", "80.0000001"), ("MAX_LABELS", "11")):
        assert Settings.from_environment(GOOD | {name: value}).wanted.text != fingerprint


def test_command_computes_the_same_fingerprint_from_two_variables() -> None:
    environment = GOOD | {"MIN_CONFIDENCE": "80.5", "MAX_LABELS": "11"}
    needed = {name: environment[name] for name in ("MIN_CONFIDENCE", "MAX_LABELS")}
    assert wanted_by(needed) == Criteria(11, 80.5)
    assert fingerprint_of(needed) == Settings.from_environment(environment).wanted.text
    with pytest.raises(SettingsError, match=r"^MIN_CONFIDENCE is not set.*MAX_LABELS='0' is not a whole number"):
        fingerprint_of({"MAX_LABELS": "0"})


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
        ("REQUESTED_MIN_CONFIDENCE", "81", "a number from 0 to 80"),
        ("MAX_QUEUE_BACKLOG", "0", "a whole number from 1 to"),
        ("MAX_QUEUE_BACKLOG", "1.5", "a whole number from 1 to"),
    ],
)
def test_invalid_setting_is_refused_with_the_allowed_values(name: str, value: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words) as raised:
        Settings.from_environment(GOOD | LIMITED | {name: value})
    assert name in str(raised.value)


def test_all_missing_settings_are_named_at_once() -> None:
    with pytest.raises(SettingsError) as raised:
        Settings.from_environment({})
    for name in GOOD:
        assert name in str(raised.value)
