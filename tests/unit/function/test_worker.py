"""The photos of an event: concurrency, the function's time, and failures that affect no other photo."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from image_labels.events import ObjectRef, notification, read
from image_labels.failures import InvalidRequest, NeedsOperator, NotAnEvent, TryAgain
from image_labels.reconcile import Outcome, Result
from support.event_files import load
from support.fakes import BUCKET
from support.workers import OVER, Kept, Keys, in_one_message, returned, sqs, worker

if TYPE_CHECKING:
    import pytest


def test_all_photos_of_a_batch_are_reconciled() -> None:
    keys = Keys()
    assert returned(worker(keys).handle(read(load("sqs_s3_batch")), 60)) == []
    assert sorted(keys.seen) == ["images/old.jpg", "images/red flower.jpg"]


def test_only_the_message_of_a_failed_photo_returns_to_the_queue() -> None:
    def fails_for_b(key: str) -> Result:
        if key == "b":
            raise TryAgain("DetectLabels: ThrottlingException", throttled=True)
        return Result(Outcome.LABELLED)

    assert returned(worker(Keys(fails_for_b)).handle(read(sqs("a", "b", "c")), 60)) == ["m1"]


def test_unreadable_messages_fail_and_the_valid_one_is_settled() -> None:
    keys, kept = Keys(), Kept()
    event = load("sqs_poison")
    back = returned(worker(keys, kept=kept).handle(read(event), 60))
    assert keys.seen == ["images/good.jpg"]
    assert back == [m["messageId"] for n, m in enumerate(event["Records"]) if n != 4]
    assert all(isinstance(failed.failure, NotAnEvent) and failed.message.error for failed in kept.failed)


def test_failed_message_is_redelivered_with_its_photo_and_attempt() -> None:
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


def test_failed_message_of_several_photos_names_the_photo_that_failed() -> None:
    def fails_for_b(key: str) -> Result:
        if key == "b":
            raise TryAgain("no")
        return Result(Outcome.LABELLED)

    kept = Kept()
    event = in_one_message(sqs("a", "b"))
    assert returned(worker(Keys(fails_for_b), kept=kept).handle(read(event), 60)) == ["m0"]
    assert [failed.photo for failed in kept.failed] == [f"s3://{BUCKET}/b"]


def test_message_with_an_unreadable_record_labels_the_others_and_fails() -> None:
    keys, kept = Keys(), Kept()
    event = in_one_message(sqs("a"), {"eventSource": "aws:s3"})
    assert returned(worker(keys, kept=kept).handle(read(event), 60)) == ["m0"]
    assert keys.seen == ["a"]
    (failed,) = kept.failed
    assert isinstance(failed.failure, NotAnEvent)
    assert "Records[1].s3.bucket.name" in failed.failure.cause


def test_message_is_retried_if_one_of_its_failures_is_not_permanent() -> None:
    def fails(key: str) -> Result:
        raise InvalidRequest("never") if key == "a" else TryAgain("later")

    kept = Kept()
    event = in_one_message(sqs("a", "b"))
    worker(Keys(fails), kept=kept).handle(read(event), 60)
    assert [failed.failure.cause for failed in kept.failed] == ["later"]


def test_photo_named_twice_in_a_batch_is_reconciled_once() -> None:
    def fails(_key: str) -> Result:
        raise TryAgain("no")

    keys = Keys(fails)
    assert returned(worker(keys).handle(read(sqs("a", "a")), 60)) == ["m0", "m1"]
    assert keys.seen == ["a"]


def test_photo_to_label_again_is_reconciled_once_with_the_latest_time() -> None:
    times = ["", "2026-11-28T07:00:00.000+00:00", "2026-11-27T07:00:00.000+00:00"]
    messages = [notification(ObjectRef(BUCKET, "a b", time)) for time in times]
    records = [{"eventSource": "aws:sqs", "messageId": f"m{n}", "body": body} for n, body in enumerate(messages)]
    keys = Keys()
    assert returned(worker(keys).handle(read({"Records": records}), 60)) == []
    assert keys.seen == ["a b"]
    assert keys.labelled_before == {"a b": times[1]}


def test_photos_are_reconciled_concurrently() -> None:
    together = threading.Barrier(4, timeout=10)

    def waits_for_the_others(_key: str) -> Result:
        together.wait()  # raises BrokenBarrierError unless four are here at once
        return Result(Outcome.LABELLED)

    assert returned(worker(Keys(waits_for_the_others), 4).handle(read(sqs("a", "b", "c", "d")), 60)) == []


def test_unfinished_photos_return_to_the_queue_when_the_time_is_over(caplog: pytest.LogCaptureFixture) -> None:
    release = threading.Event()

    def first_one_hangs(key: str) -> Result:
        if key == "a":
            release.wait(30)
        return Result(Outcome.LABELLED)

    keys = Keys(first_one_hangs)
    try:
        back = returned(worker(keys, concurrency=1).handle(read(sqs("a", "b", "c")), 0.5))
    finally:
        release.set()
    assert back == ["m0", "m1", "m2"]
    assert keys.seen == ["a"]
    assert keys.abandoned()  # the thread that still runs can see it
    assert keys.late()
    lines = {record.__dict__["key"]: record.__dict__ for record in caplog.records}
    assert lines.keys() == {"a", "b", "c"}
    assert all(line["attempt"] == 1 and line["cause"] and line["next_step"] for line in lines.values())


def test_photo_settled_in_time_does_not_return_to_the_queue() -> None:
    release = threading.Event()

    def second_one_hangs(key: str) -> Result:
        if key == "b":
            release.wait(30)
        return Result(Outcome.LABELLED)

    try:
        back = returned(worker(Keys(second_one_hangs), concurrency=1).handle(read(sqs("a", "b", "c")), 0.5))
    finally:
        release.set()
    assert back == ["m1", "m2"]


def test_event_of_another_bucket_is_not_labelled(caplog: pytest.LogCaptureFixture) -> None:
    keys = Keys()
    assert returned(worker(keys).handle(read(sqs("a", bucket="other-bucket")), 60)) == ["m0"]
    assert keys.seen == []
    assert "other-bucket" in caplog.records[0].__dict__["cause"]


def test_message_waits_if_its_first_unsettled_photo_is_over_the_limit() -> None:
    def ends(key: str) -> Result:
        if key == "a":
            return Result(Outcome.REMOVED)
        raise OVER if key == "b" else TryAgain("no")

    event = in_one_message(sqs("a", "b", "c"))
    kept = Kept()
    worker(Keys(ends), kept=kept).handle(read(event), 60)
    assert [(failed.failure, failed.photo) for failed in kept.failed] == [(OVER, f"s3://{BUCKET}/b")]
