"""One event in, an answer in its sender's form out: batches, time, and failures that stay with their photo."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from image_labels.answers import SomeFailed
from image_labels.events import read
from image_labels.failures import InvalidRequest, NeedsOperator, NotAnEvent, OverDailyLimit, TryAgain
from image_labels.reconcile import Cost, Outcome, Result
from image_labels.worker import Worker
from support.event_files import load

if TYPE_CHECKING:
    from image_labels.queues.redelivery import Failed

BUCKET = "photos-bucket"


OVER = OverDailyLimit(1000, "2026-11-25")


class Keys:
    """A reconciler that remembers its keys and does what it is told for each; `calls` is what each costs."""

    calls = 0

    def __init__(self, doing: Callable[[str], Result] | None = None) -> None:
        self.seen: list[str] = []
        self._doing = doing or (lambda _key: Result(Outcome.LABELLED, labels=3))

    def reconcile(self, key: str, abandoned: Callable[[], bool], cost: Cost) -> Result:
        self.seen.append(key)
        cost.rekognition_calls += self.calls
        self.abandoned = abandoned
        return self._doing(key)


class Kept:
    """Messages that failed, all of which SQS keeps; what was said of each is remembered.

    Photos that came in no message wait in `waiting`, as messages, except those whose address is in `refuses`.
    """

    def __init__(self, *refuses: str) -> None:
        self.failed: list[Failed] = []
        self.waiting: list[Any] = []
        self._refuses = refuses

    def hand_back(self, failed: Sequence[Failed]) -> list[str]:
        self.failed += failed
        return [each.message.id for each in failed]

    def let_wait(self, messages: Sequence[tuple[str, str]]) -> Sequence[bool]:
        self.waiting += [json.loads(body) for photo, body in messages if photo not in self._refuses]
        return [photo not in self._refuses for photo, _ in messages]


def worker(keys: Keys, concurrency: int = 5, kept: Kept | None = None) -> Worker:
    return Worker(keys, kept or Kept(), BUCKET, concurrency)


def sqs(*keys: str, bucket: str = BUCKET) -> dict[str, Any]:
    """An SQS event with one S3 notification a message; the messages are called m0, m1, …"""
    messages = []
    for n, key in enumerate(keys):
        notification = {"eventSource": "aws:s3", "s3": {"bucket": {"name": bucket}, "object": {"key": key}}}
        body = json.dumps({"Records": [notification]})
        messages.append({"eventSource": "aws:sqs", "messageId": f"m{n}", "body": body, "attributes": {}})
    return {"Records": messages}


def handed_back(answer: Any) -> list[str]:
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def test_all_photos_of_a_batch_are_looked_at() -> None:
    keys = Keys()
    assert handed_back(worker(keys).handle(read(load("sqs_s3_batch")), 60)) == []
    assert sorted(keys.seen) == ["images/old.jpg", "images/red flower.jpg"]


def test_one_failure_hands_back_its_own_message_only() -> None:
    def fails_for_b(key: str) -> Result:
        if key == "b":
            raise TryAgain("DetectLabels: ThrottlingException", throttled=True)
        return Result(Outcome.LABELLED)

    assert handed_back(worker(Keys(fails_for_b)).handle(read(sqs("a", "b", "c")), 60)) == ["m1"]


def test_poison_messages_are_handed_back_and_the_good_one_is_done() -> None:
    keys, kept = Keys(), Kept()
    event = load("sqs_poison")
    back = handed_back(worker(keys, kept=kept).handle(read(event), 60))
    assert keys.seen == ["images/good.jpg"]
    assert back == [m["messageId"] for n, m in enumerate(event["Records"]) if n != 4]
    assert all(isinstance(failed.failure, NotAnEvent) and failed.message.error for failed in kept.failed)


def test_what_failed_is_handed_back_with_all_that_is_known_of_it() -> None:
    def fails(_key: str) -> Result:
        raise NeedsOperator("no permission", "allow it")

    kept = Kept()
    event = sqs("a+b")
    event["Records"][0] |= {"receiptHandle": "handle", "attributes": {"ApproximateReceiveCount": "3"}}
    worker(Keys(fails), kept=kept).handle(read(event), 60)
    (failed,) = kept.failed
    assert failed.photo == f"s3://{BUCKET}/a b"
    assert failed.failure.cause == "no permission"
    assert (failed.message.attempt, failed.message.receipt_handle) == (3, "handle")
    assert failed.message.body == event["Records"][0]["body"]


def test_message_of_several_photos_is_named_after_the_one_that_failed() -> None:
    def fails_for_b(key: str) -> Result:
        if key == "b":
            raise TryAgain("no")
        return Result(Outcome.LABELLED)

    kept = Kept()
    event = sqs("a", "b")
    both = [json.loads(message["body"])["Records"][0] for message in event["Records"]]
    event["Records"] = [event["Records"][0] | {"body": json.dumps({"Records": both})}]
    assert handed_back(worker(Keys(fails_for_b), kept=kept).handle(read(event), 60)) == ["m0"]
    assert [failed.photo for failed in kept.failed] == [f"s3://{BUCKET}/b"]


def test_message_with_a_record_that_cannot_be_read_is_settled_for_the_others_and_then_fails() -> None:
    keys, kept = Keys(), Kept()
    event = sqs("a", "b")
    records = [json.loads(message["body"])["Records"][0] for message in event["Records"]]
    event["Records"] = [
        event["Records"][0] | {"body": json.dumps({"Records": [records[0], {"eventSource": "aws:s3"}]})}
    ]
    assert handed_back(worker(keys, kept=kept).handle(read(event), 60)) == ["m0"]
    assert keys.seen == ["a"]
    (failed,) = kept.failed
    assert isinstance(failed.failure, NotAnEvent)
    assert "Records[1].s3.bucket.name" in failed.failure.cause


def test_message_comes_back_as_long_as_one_of_its_photos_may_be_settled() -> None:
    def fails(key: str) -> Result:
        raise InvalidRequest("never") if key == "a" else TryAgain("later")

    kept = Kept()
    event = sqs("a", "b")
    both = [json.loads(message["body"])["Records"][0] for message in event["Records"]]
    event["Records"] = [event["Records"][0] | {"body": json.dumps({"Records": both})}]
    worker(Keys(fails), kept=kept).handle(read(event), 60)
    assert [failed.failure.cause for failed in kept.failed] == ["later"]


def test_bare_notification_with_a_record_that_cannot_be_read_is_settled_for_the_others() -> None:
    keys = Keys()
    event = load("s3_many_records")
    del event["Records"][1]["s3"]
    with pytest.raises(SomeFailed, match=r"^1 of the 2 photos of the event are not settled: Records\[1\]"):
        worker(keys).handle(read(event), 60)
    assert keys.seen == ["images/a.jpg"]


class Breaks(logging.Handler):
    """Lambda's log while it cannot be written."""

    def emit(self, record: logging.LogRecord) -> None:
        raise OSError(f"no log takes {record.getMessage()}")


def test_no_log_call_fails_a_photo() -> None:
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
        assert handed_back(worker(Keys(some_fail)).handle(read(sqs("a", "b", "c", "d", "%FF", "e")), 60)) == [
            "m1", "m2", "m3", "m4",
        ]  # fmt: skip
        assert handed_back(worker(Keys()).handle(read(sqs("late")), 0)) == ["m0"]
    finally:
        logging.getLogger().removeHandler(broken)


def test_a_photo_named_twice_in_a_batch_is_looked_at_once() -> None:
    def fails(_key: str) -> Result:
        raise TryAgain("no")

    keys = Keys(fails)
    assert handed_back(worker(keys).handle(read(sqs("a", "a")), 60)) == ["m0", "m1"]
    assert keys.seen == ["a"]


def test_photos_are_worked_on_at_the_same_time() -> None:
    together = threading.Barrier(4, timeout=10)

    def waits_for_the_others(_key: str) -> Result:
        together.wait()  # raises BrokenBarrierError unless four are here at once
        return Result(Outcome.LABELLED)

    assert handed_back(worker(Keys(waits_for_the_others), 4).handle(read(sqs("a", "b", "c", "d")), 60)) == []


def test_when_time_runs_short_the_rest_is_handed_back(caplog: pytest.LogCaptureFixture) -> None:
    release = threading.Event()

    def first_one_hangs(key: str) -> Result:
        if key == "a":
            release.wait(30)
        return Result(Outcome.LABELLED)

    keys = Keys(first_one_hangs)
    try:
        back = handed_back(worker(keys, concurrency=1).handle(read(sqs("a", "b", "c")), 0.5))
    finally:
        release.set()
    assert back == ["m0", "m1", "m2"]
    assert keys.seen == ["a"]
    assert keys.abandoned()  # what still runs is told
    lines = {record.__dict__["key"]: record.__dict__ for record in caplog.records}
    assert lines.keys() == {"a", "b", "c"}
    assert all(line["attempt"] == 1 and line["cause"] and line["next_step"] for line in lines.values())


def test_what_was_done_in_time_is_not_handed_back() -> None:
    release = threading.Event()

    def second_one_hangs(key: str) -> Result:
        if key == "b":
            release.wait(30)
        return Result(Outcome.LABELLED)

    try:
        back = handed_back(worker(Keys(second_one_hangs), concurrency=1).handle(read(sqs("a", "b", "c")), 0.5))
    finally:
        release.set()
    assert back == ["m1", "m2"]


def test_event_of_another_bucket_is_not_labelled(caplog: pytest.LogCaptureFixture) -> None:
    keys = Keys()
    assert handed_back(worker(keys).handle(read(sqs("a", bucket="other-bucket")), 60)) == ["m0"]
    assert keys.seen == []
    assert "other-bucket" in caplog.records[0].__dict__["cause"]


def test_batch_operations_gets_its_form_of_answer() -> None:
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
def test_batch_operations_learns_whether_to_try_again(error: Exception, code: str) -> None:
    def fails(_key: str) -> Result:
        raise error

    (result,) = worker(Keys(fails)).handle(read(load("batch_operations_2_0")), 60)["results"]
    assert (result["resultCode"], result["resultString"]) == (code, str(error))


def over_for_b(key: str) -> Result:
    if "b" in key.rpartition("/")[2]:
        raise OVER
    return Result(Outcome.LABELLED, labels=3)


@pytest.mark.parametrize("name", ["batch_operations_1_0", "batch_operations_2_0"])
def test_photo_over_the_limit_waits_and_batch_operations_is_told_so(name: str) -> None:
    """Its own tries would be over within the day, and the job would count the photo as failed."""

    def over(_key: str) -> Result:
        raise OVER

    kept = Kept()
    (result,) = worker(Keys(over), kept=kept).handle(read(load(name)), 60)["results"]
    assert result["resultCode"] == "Succeeded"
    assert result["resultString"] == "waiting: the daily limit of 1,000 images is reached for 2026-11-25 (UTC)"
    (body,) = kept.waiting
    keys = Keys()
    worker(keys).handle(read(body), 60)
    assert keys.seen == ["images/red flower.jpg"]
    assert kept.failed == []


def test_photo_that_cannot_wait_is_tried_again_by_batch_operations() -> None:
    def over(_key: str) -> Result:
        raise OVER

    kept = Kept(f"s3://{BUCKET}/images/red flower.jpg")
    (result,) = worker(Keys(over), kept=kept).handle(read(load("batch_operations_2_0")), 60)["results"]
    assert (result["resultCode"], result["resultString"]) == ("TemporaryFailure", OVER.cause)


def test_bare_notification_is_answered_with_those_that_wait(caplog: pytest.LogCaptureFixture) -> None:
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


def test_bare_event_from_eventbridge_waits_under_its_own_key() -> None:
    def over(_key: str) -> Result:
        raise OVER

    kept = Kept()
    worker(Keys(over), kept=kept).handle(read(load("eventbridge_created")), 60)
    keys = Keys()
    worker(keys).handle(read(kept.waiting[0]), 60)
    assert keys.seen == ["images/red flower + 100%25.jpg"]


def test_bare_notification_of_a_photo_that_cannot_wait_raises_so_that_lambda_retries_it() -> None:
    kept = Kept(f"s3://{BUCKET}/images/b.png")
    with pytest.raises(
        SomeFailed, match=r"1 of the 2 photos of the event are not settled: images/b\.png: the daily limit"
    ):
        worker(Keys(over_for_b), kept=kept).handle(read(load("s3_many_records")), 60)
    assert kept.waiting == []


def test_bare_notification_answers_with_the_outcomes() -> None:
    answer = worker(Keys()).handle(read(load("s3_created")), 60)
    assert answer == {"photos": [{"key": "images/red flower.jpg", "outcome": "labelled", "labels": 3, "reason": ""}]}


def test_bare_notification_that_fails_raises_so_that_lambda_retries_it() -> None:
    def fails_for_b(key: str) -> Result:
        if key.endswith("b.png"):
            raise TryAgain("slow down")
        return Result(Outcome.LABELLED)

    keys = Keys(fails_for_b)
    with pytest.raises(SomeFailed, match=r"1 of the 2 photos of the event are not settled: images/b\.png: slow down"):
        worker(keys).handle(read(load("s3_many_records")), 60)
    assert sorted(keys.seen) == ["images/a.jpg", "images/b.png"]


def test_test_event_is_nothing_to_do() -> None:
    keys = Keys()
    assert worker(keys).handle(read(load("s3_test_event")), 60) == {"photos": []}
    assert keys.seen == []


def test_log_names_the_photo_the_cause_and_the_next_step(caplog: pytest.LogCaptureFixture) -> None:
    def fails(_key: str) -> Result:
        raise NeedsOperator("HeadObject: 403", "allow s3:GetObject")

    worker(Keys(fails)).handle(read(load("sqs_s3_batch")), 60)
    record = next(r for r in caplog.records if r.__dict__.get("key") == "images/old.jpg")
    fields = record.__dict__
    assert record.levelno == logging.ERROR
    assert (fields["bucket"], fields["attempt"]) == (BUCKET, 3)
    assert (fields["cause"], fields["next_step"]) == ("HeadObject: 403", "allow s3:GetObject")


def test_photo_over_the_daily_limit_waits_and_has_not_failed(caplog: pytest.LogCaptureFixture) -> None:
    def over(_key: str) -> Result:
        raise OVER

    caplog.set_level(logging.INFO)
    kept = Kept()
    worker(Keys(over), kept=kept).handle(read(sqs("a")), 60)
    assert [failed.failure for failed in kept.failed] == [OVER]
    assert kept.waiting == []  # it is for hand_back to send the message as it is
    (record,) = caplog.records
    assert (record.levelno, record.message) == (logging.INFO, "photo over daily limit")
    fields = record.__dict__
    assert (fields["key"], fields["outcome"], fields["rekognition_calls"]) == ("a", "waiting", 0)
    assert fields["cause"] == "the daily limit of 1,000 images is reached for 2026-11-25 (UTC)"
    assert "when the day (UTC) is over" in fields["next_step"]
    assert "throttled" not in fields


def test_message_waits_if_the_first_photo_that_is_not_settled_is_over_the_limit() -> None:
    def ends(key: str) -> Result:
        if key == "a":
            return Result(Outcome.REMOVED)
        raise OVER if key == "b" else TryAgain("no")

    event = sqs("a", "b", "c")
    records = [json.loads(message["body"])["Records"][0] for message in event["Records"]]
    event["Records"] = [event["Records"][0] | {"body": json.dumps({"Records": records})}]
    kept = Kept()
    worker(Keys(ends), kept=kept).handle(read(event), 60)
    assert [(failed.failure, failed.photo) for failed in kept.failed] == [(OVER, f"s3://{BUCKET}/b")]


def test_labels_say_how_long_after_the_event_they_came(caplog: pytest.LogCaptureFixture) -> None:
    event = sqs("a", "b")
    event["Records"][0]["attributes"] = {"SentTimestamp": str(round((time.time() - 90) * 1000))}
    event["Records"][1]["attributes"] = {"SentTimestamp": str(round((time.time() + 5) * 1000))}  # another clock
    caplog.set_level(logging.INFO)
    worker(Keys()).handle(read(event), 60)
    worker(Keys()).handle(read(load("s3_created")), 60)  # by no queue
    latency = [record.__dict__.get("latency_ms") for record in sorted(caplog.records, key=lambda r: r.__dict__["key"])]
    assert latency[0] == pytest.approx(90_000, abs=10_000)
    assert latency[1:] == [0, None]


@pytest.mark.parametrize("calls", [0, 1])
def test_failure_says_what_it_cost(caplog: pytest.LogCaptureFixture, calls: int) -> None:
    def fails(_key: str) -> Result:
        raise TryAgain("TransactWriteItems: ThrottlingError", throttled=True)

    keys = Keys(fails)
    keys.calls = calls
    worker(keys).handle(read(sqs("a")), 60)
    (record,) = caplog.records
    assert (record.message, record.__dict__["rekognition_calls"]) == ("photo failed", calls)
    assert record.__dict__["throttled"] == 1


def test_answer_that_comes_too_late_is_accounted_for(caplog: pytest.LogCaptureFixture) -> None:
    release = threading.Event()

    def hangs(_key: str) -> Result:
        release.wait(30)
        raise TryAgain("the invocation ended before the photo was done")

    keys = Keys(hangs)
    keys.calls = 1
    assert handed_back(worker(keys).handle(read(sqs("a")), 0.2)) == ["m0"]
    release.set()
    until = time.monotonic() + 30
    while len(caplog.records) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    first, late = caplog.records
    assert (first.message, first.__dict__["outcome"]) == ("photo handed back", "handed back")
    assert late.getMessage() == "photo answered too late"
    assert (late.__dict__["key"], late.__dict__["rekognition_calls"]) == ("a", 1)
    assert "outcome" not in late.__dict__  # it has had one


def test_passing_fault_of_aws_is_a_warning_without_a_traceback(caplog: pytest.LogCaptureFixture) -> None:
    def fails(_key: str) -> Result:
        raise ClientError({"Error": {"Code": "500", "Message": "Internal Server Error"}}, "HeadObject")

    assert handed_back(worker(Keys(fails)).handle(read(sqs("a")), 60)) == ["m0"]
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert not record.exc_info
    assert "HeadObject: 500" in record.__dict__["cause"]


def test_unexpected_error_keeps_its_traceback_and_fails_its_photo_only(caplog: pytest.LogCaptureFixture) -> None:
    def breaks_for_b(key: str) -> Result:
        if key == "b":
            raise ZeroDivisionError("division by zero")
        return Result(Outcome.LABELLED)

    assert handed_back(worker(Keys(breaks_for_b)).handle(read(sqs("a", "b")), 60)) == ["m1"]
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
