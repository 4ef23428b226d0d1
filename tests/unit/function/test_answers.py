"""The answers to S3 Batch Operations and to bare events, in the form that each sender expects."""

from __future__ import annotations

import logging

import pytest
from image_labels.answers import SomeFailed
from image_labels.events import read
from image_labels.failures import NeedsOperator, TryAgain
from image_labels.reconcile import Outcome, Result
from support.event_files import load
from support.fakes import BUCKET
from support.workers import OVER, Kept, Keys, worker


def test_batch_operations_gets_an_answer_in_its_schema() -> None:
    for name, version in (("batch_operations_1_0", "1.0"), ("batch_operations_2_0", "2.0")):
        event = load(name)
        answer = worker(Keys()).handle(read(event), 60)
        assert answer["invocationSchemaVersion"] == version
        assert answer["invocationId"] == event["invocationId"]
        assert answer["treatMissingKeysAs"] == "PermanentFailure"
        assert answer["results"] == [
            {"taskId": event["tasks"][0]["taskId"], "resultCode": "Succeeded", "resultString": "labelled"}
        ]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TryAgain("slow down"), "TemporaryFailure"),
        (NeedsOperator("no permission", "allow"), "PermanentFailure"),
    ],
)
def test_batch_operations_result_says_whether_to_retry(error: Exception, code: str) -> None:
    def fails(_key: str) -> Result:
        raise error

    (result,) = worker(Keys(fails)).handle(read(load("batch_operations_2_0")), 60)["results"]
    assert (result["resultCode"], result["resultString"]) == (code, str(error))


def over_for_b(key: str) -> Result:
    if "b" in key.rpartition("/")[2]:
        raise OVER
    return Result(Outcome.LABELLED, labels=3)


@pytest.mark.parametrize("name", ["batch_operations_1_0", "batch_operations_2_0"])
def test_photo_of_a_batch_job_over_the_limit_does_not_wait(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """SQS would delete most messages of a large job before their day comes. The job's report names the photo."""

    def over(_key: str) -> Result:
        raise OVER

    kept = Kept()
    (result,) = worker(Keys(over), kept=kept).handle(read(load(name)), 60)["results"]
    assert result["resultCode"] == "PermanentFailure"
    assert result["resultString"] == (
        "the daily limit of 1,000 images is reached for 2026-11-25 (UTC), and photos of a batch job do not wait"
    )
    assert kept.waiting == []
    (line,) = caplog.records
    assert (line.__dict__["outcome"], "run the job again" in line.__dict__["next_step"]) == ("failed", True)


def test_result_string_is_short() -> None:
    def fails(_key: str) -> Result:
        raise TryAgain("long " * 100_000)

    def rejects(_key: str) -> Result:
        return Result(Outcome.REJECTED, reason="long " * 100_000)

    for doing in (fails, rejects):
        (result,) = worker(Keys(doing)).handle(read(load("batch_operations_2_0")), 60)["results"]
        assert len(result["resultString"]) == 1000


def test_answer_to_a_bare_notification_includes_waiting_photos(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    kept = Kept()
    answer = worker(Keys(over_for_b), kept=kept).handle(read(load("s3_many_records")), 60)
    assert answer["photos"] == [
        {"key": "images/a.jpg", "outcome": "labelled", "labels": 3, "reason": ""},
        {"key": "images/b.png", "outcome": "waiting", "labels": 0, "reason": OVER.cause},
    ]
    (body,) = kept.waiting
    assert [record["s3"]["bucket"]["name"] for record in body["Records"]] == [BUCKET]
    keys = Keys()
    worker(keys).handle(read(body), 60)
    assert keys.seen == ["images/b.png"]
    outcomes = {record.__dict__["key"]: record.__dict__["outcome"] for record in caplog.records[:2]}
    assert outcomes == {"images/a.jpg": "labelled", "images/b.png": "waiting"}


def test_waiting_message_for_a_bare_eventbridge_event_has_the_same_key() -> None:
    def over(_key: str) -> Result:
        raise OVER

    kept = Kept()
    worker(Keys(over), kept=kept).handle(read(load("eventbridge_created")), 60)
    keys = Keys()
    worker(keys).handle(read(kept.waiting[0]), 60)
    assert keys.seen == ["images/red flower + 100%25.jpg"]


def test_bare_notification_of_a_photo_that_cannot_wait_raises() -> None:
    kept = Kept(f"s3://{BUCKET}/images/b.png")
    with pytest.raises(
        SomeFailed, match=r"1 of the 2 photos of the event are not settled: images/b\.png: the daily limit"
    ):
        worker(Keys(over_for_b), kept=kept).handle(read(load("s3_many_records")), 60)
    assert kept.waiting == []


def test_answer_to_a_bare_notification_has_the_outcomes() -> None:
    answer = worker(Keys()).handle(read(load("s3_created")), 60)
    assert answer == {"photos": [{"key": "images/red flower.jpg", "outcome": "labelled", "labels": 3, "reason": ""}]}


def test_bare_notification_of_a_photo_that_fails_raises() -> None:
    def fails_for_b(key: str) -> Result:
        if key.endswith("b.png"):
            raise TryAgain("slow down")
        return Result(Outcome.LABELLED)

    keys = Keys(fails_for_b)
    with pytest.raises(SomeFailed, match=r"1 of the 2 photos of the event are not settled: images/b\.png: slow down"):
        worker(keys).handle(read(load("s3_many_records")), 60)
    assert sorted(keys.seen) == ["images/a.jpg", "images/b.png"]


def test_bare_notification_with_an_unreadable_record_labels_the_others_and_raises() -> None:
    keys = Keys()
    event = load("s3_many_records")
    del event["Records"][1]["s3"]
    with pytest.raises(SomeFailed, match=r"^1 of the 2 photos of the event are not settled: Records\[1\]"):
        worker(keys).handle(read(event), 60)
    assert keys.seen == ["images/a.jpg"]


def test_test_event_is_answered_without_photos() -> None:
    keys = Keys()
    assert worker(keys).handle(read(load("s3_test_event")), 60) == {"photos": []}
    assert keys.seen == []
