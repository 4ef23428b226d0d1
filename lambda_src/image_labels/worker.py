"""One event: its photos, several at a time, within the time that Lambda leaves."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from image_labels import answers, logs
from image_labels.events import Source, notification
from image_labels.failures import (
    Failed,
    Failure,
    NeedsOperator,
    NotAnEvent,
    OverDailyLimit,
    OverDailyLimitOfJob,
    Permanent,
    TryAgain,
    failure_of,
)
from image_labels.reconcile import Cost, Outcome, Result

if TYPE_CHECKING:
    from image_labels.answers import Done
    from image_labels.events import ObjectRef, Task, Work

logger = logging.getLogger(__name__)

# No photo is started in the last fifth of the function's time, and no detector is called. The answer is given a little
# before its end. Photos that are not settled by then are returned to their sender; a timeout of the function would lose
# all outcomes. The margin leaves time to set the visibility timeouts of the failed messages.
START_SHARE = 0.8
ANSWER_MARGIN_SECONDS = 3.0


class KeyReconciler(Protocol):
    """Settles one key: see image_labels.reconcile.Reconciler."""

    def reconcile(
        self, key: str, abandoned: Callable[[], bool], cost: Cost, labelled_before: str, late: Callable[[], bool]
    ) -> Result: ...


class FailedMessages(Protocol):
    """Redelivers messages that failed: see image_labels.queues.redelivery.Redelivery."""

    def hand_back(self, failed: Sequence[Failed]) -> list[str]: ...

    def let_wait(self, messages: Sequence[tuple[str, str]]) -> Sequence[bool]: ...


class Worker:
    """Reconciles the photos of an event. `concurrency` is the number of photos at a time.

    `make_failed_messages` is called when photos fail, or are over the daily limit.
    """

    def __init__(
        self,
        reconciler: KeyReconciler,
        make_failed_messages: Callable[[], FailedMessages],
        bucket: str,
        concurrency: int,
    ) -> None:
        self._reconciler = reconciler
        self._make_failed_messages = make_failed_messages
        self._bucket = bucket
        self._concurrency = concurrency

    def handle(self, work: Work, seconds_left: float) -> Mapping[str, Any]:
        """Reconcile every object of the event. The answer has the form that the event's sender expects.

        Raises answers.SomeFailed if a bare event is not settled.
        """
        done = self._reconcile_all(work, time.monotonic(), seconds_left)
        if work.source is Source.S3:
            self._let_wait(done)
        failed = [failed for task in work.tasks if (failed := _failed(task, done))]
        match work.source:
            case Source.SQS:
                return answers.for_sqs(self._make_failed_messages().hand_back(failed) if failed else [])
            case Source.S3_BATCH:
                return answers.for_s3_batch(work, done, failed)
            case _:
                return answers.for_bare_event(done, failed)

    def _let_wait(self, done: dict[ObjectRef, Done]) -> None:
        """Send photos over the daily limit to the queue of waiting photos: Lambda retries a bare event only twice.

        SQS messages are sent unchanged, by `hand_back`. Photos of S3 Batch Operations do not wait: see
        failures.OverDailyLimitOfJob.
        """
        over_limit = {ref: outcome for ref, outcome in done.items() if isinstance(outcome, OverDailyLimit)}
        if not over_limit:
            return
        sent = self._make_failed_messages().let_wait([(_address(ref), notification(ref)) for ref in over_limit])
        for (ref, failure), waits in zip(over_limit.items(), sent, strict=True):
            if waits:
                done[ref] = Result(Outcome.WAITING, reason=failure.cause)

    def _reconcile_all(self, work: Work, began: float, seconds_left: float) -> dict[ObjectRef, Done]:
        """Reconcile each object once, even if several records name it."""
        tasks = {ref: task for task in work.tasks for ref in task.objects}
        if not tasks:
            return {}
        start_until = began + seconds_left * START_SHARE
        answer_by = began + seconds_left - min(ANSWER_MARGIN_SECONDS, seconds_left * (1 - START_SHARE) / 2)
        over = threading.Event()
        pool = ThreadPoolExecutor(min(self._concurrency, len(tasks)), thread_name_prefix="photo")
        futures: dict[ObjectRef, Future[Done]] = {
            ref: pool.submit(self._reconcile, ref, task, work.source, start_until, over) for ref, task in tasks.items()
        }
        wait(futures.values(), timeout=max(0.0, answer_by - time.monotonic()))
        # A thread that is still at work continues after the answer, perhaps minutes later, when Lambda thaws the
        # environment for another event. It must not write anything then.
        over.set()
        pool.shutdown(wait=False, cancel_futures=True)
        return {
            ref: future.result() if future.done() and not future.cancelled() else _out_of_time(ref, tasks[ref])
            for ref, future in futures.items()
        }

    def _reconcile(self, ref: ObjectRef, task: Task, source: Source, start_until: float, over: threading.Event) -> Done:
        began = time.monotonic()
        if began > start_until:
            return _out_of_time(ref, task)
        fields: dict[str, logs.Field] = {"bucket": ref.bucket, "key": ref.key, "attempt": task.attempt}
        cost = Cost()
        try:
            if ref.bucket != self._bucket:
                raise NeedsOperator(
                    f"the event is for bucket {ref.bucket}; this function labels the photos of {self._bucket}",
                    "send the events of that bucket to its own instance of the module",
                )
            late = partial(_is_past, start_until)
            result = self._reconciler.reconcile(ref.key, over.is_set, cost, ref.labelled_before, late)
        except Exception as error:
            failure = failure_of(error)
            if isinstance(failure, OverDailyLimit) and source is Source.S3_BATCH:
                failure = OverDailyLimitOfJob(failure)
            fields |= _calls(cost)
            if over.is_set():  # it is logged as handed back already, but without its calls of Rekognition
                if cost.rekognition_calls:
                    logs.write(logger, logging.WARNING, "photo answered too late", fields)
                return failure
            known = isinstance(error, (Failure, ClientError, BotoCoreError))
            fields |= {"cause": failure.cause, "next_step": failure.next_step}
            if isinstance(failure, OverDailyLimit):  # not a failure
                fields["outcome"] = Outcome.WAITING.value
                logs.write(logger, logging.INFO, "photo over daily limit", fields)
                return failure
            fields["outcome"] = "failed"
            fields["throttled"] = int(isinstance(failure, TryAgain) and failure.throttled)
            level = logging.WARNING if isinstance(failure, TryAgain) and known else logging.ERROR
            logs.write(logger, level, "photo failed", fields, None if known else error)
            return failure
        fields |= {
            "outcome": result.outcome.value,
            "labels": result.labels,
            **_calls(cost),
            "duration_ms": round((time.monotonic() - began) * 1000),
        }
        if task.sent_ms:  # the clocks of SQS and Lambda may differ a little
            fields["latency_ms"] = max(0, round(time.time() * 1000) - task.sent_ms)
        if result.outcome is Outcome.REJECTED:
            fields["reason"] = result.reason
        logs.write(logger, logging.INFO, f"photo {result.outcome.value}", fields)
        return result


def _is_past(time_: float) -> bool:
    return time.monotonic() > time_


def _calls(cost: Cost) -> dict[str, logs.Field]:
    """The billed calls of all APIs, and those of each detector that was asked, such as `detect_text_calls`."""
    return {"rekognition_calls": cost.rekognition_calls, **{f"{api}_calls": n for api, n in cost.by_detector.items()}}


def _out_of_time(ref: ObjectRef, task: Task) -> Failure:
    failure = TryAgain("the function's time ran out before it was this photo's turn or before it was done")
    fields: dict[str, logs.Field] = {
        "bucket": ref.bucket,
        "key": ref.key,
        "attempt": task.attempt,
        "outcome": "handed back",
        "cause": failure.cause,
        "next_step": failure.next_step,
    }
    logs.write(logger, logging.WARNING, "photo handed back", fields)
    return failure


def _failed(task: Task, done: Mapping[ObjectRef, Done]) -> Failed | None:
    """The task as a failed message; None if it is settled.

    A failure that a retry may help takes precedence: then the message is retried.
    """
    failures = [(_address(ref), outcome) for ref in task.objects if isinstance(outcome := done[ref], Failure)]
    if task.error:
        failures.append(("", _not_an_event(task)))
    if not failures:
        return None
    photo, failure = next((each for each in failures if not isinstance(each[1], Permanent)), failures[0])
    return Failed(task, failure, photo)


def _not_an_event(task: Task) -> NotAnEvent:
    failure = NotAnEvent(task.error, task.next_step)
    fields: dict[str, logs.Field] = {
        "message_id": task.id,
        "outcome": "failed",
        "cause": failure.cause,
        "next_step": failure.next_step,
    }
    logs.write(logger, logging.ERROR, "event not understood", fields)
    return failure


def _address(ref: ObjectRef) -> str:
    return f"s3://{ref.bucket}/{ref.key}"
