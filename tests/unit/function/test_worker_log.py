"""What the worker logs of each photo."""

from __future__ import annotations

import logging
import threading
import time

import pytest
from botocore.exceptions import ClientError
from image_labels.events import read
from image_labels.failures import NeedsOperator, TryAgain
from image_labels.reconcile import Outcome, Result
from support.event_files import load
from support.fakes import BUCKET
from support.workers import OVER, Kept, Keys, returned, sqs, worker


class Breaks(logging.Handler):
    """A log that cannot be written."""

    def emit(self, record: logging.LogRecord) -> None:
        raise OSError(f"no log takes {record.getMessage()}")


def test_log_that_cannot_be_written_fails_no_photo() -> None:
    def some_fail(key: str) -> Result:
        match key:
            case "b":
                raise TryAgain("later")
            case "c":
                raise OVER
            case "d":
                raise ZeroDivisionError
        return Result(Outcome.LABELLED)

    broken = Breaks()
    logging.getLogger().addHandler(broken)
    try:
        assert returned(worker(Keys(some_fail)).handle(read(sqs("a", "b", "c", "d", "%FF", "e")), 60)) == [
            "m1", "m2", "m3", "m4",
        ]  # fmt: skip
        assert returned(worker(Keys()).handle(read(sqs("late")), 0)) == ["m0"]
    finally:
        logging.getLogger().removeHandler(broken)


def test_log_names_the_photo_the_cause_and_the_next_step(caplog: pytest.LogCaptureFixture) -> None:
    def fails(_key: str) -> Result:
        raise NeedsOperator("HeadObject: 403", "allow s3:GetObject")

    worker(Keys(fails)).handle(read(load("sqs_s3_batch")), 60)
    record = next(r for r in caplog.records if r.__dict__.get("key") == "images/old.jpg")
    fields = record.__dict__
    assert record.levelno == logging.ERROR
    assert (fields["bucket"], fields["attempt"]) == (BUCKET, 3)
    assert (fields["cause"], fields["next_step"]) == ("HeadObject: 403", "allow s3:GetObject")


def test_photo_over_the_daily_limit_is_logged_as_waiting(caplog: pytest.LogCaptureFixture) -> None:
    def over(_key: str) -> Result:
        raise OVER

    caplog.set_level(logging.INFO)
    kept = Kept()
    worker(Keys(over), kept=kept).handle(read(sqs("a")), 60)
    assert [failed.failure for failed in kept.failed] == [OVER]
    assert kept.waiting == []  # hand_back sends the message itself
    (record,) = caplog.records
    assert (record.levelno, record.message) == (logging.INFO, "photo over daily limit")
    fields = record.__dict__
    assert (fields["key"], fields["outcome"], fields["rekognition_calls"]) == ("a", "waiting", 0)
    assert fields["cause"] == "the daily limit of 1,000 images is reached for 2026-11-25 (UTC)"
    assert "when the day (UTC) is over" in fields["next_step"]
    assert "throttled" not in fields


def test_log_has_the_latency_of_a_message(caplog: pytest.LogCaptureFixture) -> None:
    event = sqs("a", "b")
    event["Records"][0]["attributes"] = {"SentTimestamp": str(round((time.time() - 90) * 1000))}
    event["Records"][1]["attributes"] = {"SentTimestamp": str(round((time.time() + 5) * 1000))}  # the clocks differ
    caplog.set_level(logging.INFO)
    worker(Keys()).handle(read(event), 60)
    worker(Keys()).handle(read(load("s3_created")), 60)  # not from a queue
    latency = [record.__dict__.get("latency_ms") for record in sorted(caplog.records, key=lambda r: r.__dict__["key"])]
    assert latency[0] == pytest.approx(90_000, abs=10_000)
    assert latency[1:] == [0, None]


@pytest.mark.parametrize("calls", [0, 1])
def test_failure_is_logged_with_its_calls_of_rekognition(caplog: pytest.LogCaptureFixture, calls: int) -> None:
    def fails(_key: str) -> Result:
        raise TryAgain("TransactWriteItems: ThrottlingError", throttled=True)

    keys = Keys(fails)
    keys.calls = calls
    worker(keys).handle(read(sqs("a")), 60)
    (record,) = caplog.records
    assert (record.message, record.__dict__["rekognition_calls"]) == ("photo failed", calls)
    assert record.__dict__["throttled"] == 1


def test_calls_of_a_detector_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    keys = Keys()
    keys.apis = ["detect_text", "detect_text"]
    caplog.set_level(logging.INFO)
    worker(keys).handle(read(sqs("a")), 60)
    worker(Keys()).handle(read(sqs("b")), 60)
    first, second = (record.__dict__ for record in caplog.records)
    assert (first["rekognition_calls"], first["detect_text_calls"]) == (2, 2)
    assert "detect_text_calls" not in second


def test_call_that_ends_after_the_invocation_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    release = threading.Event()

    def hangs(_key: str) -> Result:
        release.wait(30)
        raise TryAgain("the invocation ended before the photo was done")

    keys = Keys(hangs)
    keys.calls = 1
    assert returned(worker(keys).handle(read(sqs("a")), 0.2)) == ["m0"]
    release.set()
    until = time.monotonic() + 30
    while len(caplog.records) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    first, late = caplog.records
    assert (first.message, first.__dict__["outcome"]) == ("photo handed back", "handed back")
    assert late.getMessage() == "photo answered too late"
    assert (late.__dict__["key"], late.__dict__["rekognition_calls"]) == ("a", 1)
    assert "outcome" not in late.__dict__  # it was logged before


def test_transient_error_of_aws_is_a_warning_without_a_traceback(caplog: pytest.LogCaptureFixture) -> None:
    def fails(_key: str) -> Result:
        raise ClientError({"Error": {"Code": "500", "Message": "Internal Server Error"}}, "HeadObject")

    assert returned(worker(Keys(fails)).handle(read(sqs("a")), 60)) == ["m0"]
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert not record.exc_info
    assert "HeadObject: 500" in record.__dict__["cause"]


def test_unexpected_error_is_logged_with_its_traceback_and_fails_only_its_photo(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def breaks_for_b(key: str) -> Result:
        if key == "b":
            raise ZeroDivisionError("division by zero")
        return Result(Outcome.LABELLED)

    assert returned(worker(Keys(breaks_for_b)).handle(read(sqs("a", "b")), 60)) == ["m1"]
    record = next(r for r in caplog.records if r.exc_info)
    assert "ZeroDivisionError" in record.__dict__["cause"]


@pytest.mark.parametrize(
    "outcome",
    [
        Result(Outcome.LABELLED, 3),
        Result(Outcome.REJECTED, reason="no photo"),
        TryAgain("slow down", throttled=True),
        OVER,
        NeedsOperator("no permission", "allow it"),
        ZeroDivisionError("division by zero"),
    ],
    ids=str,
)
def test_log_fields_are_plain_values(caplog: pytest.LogCaptureFixture, outcome: Result | Exception) -> None:
    """Lambda's JSON formatter loses a line with a Decimal, a set or a datetime in it."""

    def ends(_key: str) -> Result:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    caplog.set_level(logging.INFO)
    worker(Keys(ends)).handle(read(load("sqs_poison")), 60)
    worker(Keys(ends)).handle(read(sqs("late")), 0)
    standard = logging.LogRecord("", 0, "", 0, "", None, None).__dict__.keys() | {"message"}
    ours = [(k, v) for r in caplog.records for k, v in r.__dict__.items() if k not in standard]
    assert ours
    assert {type(value) for _, value in ours} <= {str, int, float}
