"""Answers in the form that the sender of an event expects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from image_labels.failures import Failure, TryAgain
from image_labels.reconcile import Result

if TYPE_CHECKING:
    from image_labels.events import ObjectRef, Task, Work
    from image_labels.failures import Failed

Done = Result | Failure

# Of a result string, in characters. S3 Batch Operations documents no limit; the report has a line for each task.
MAX_TEXT = 1000


class SomeFailed(Exception):  # noqa: N818 - the field's word: SQS calls it batchItemFailures
    """Photos of a bare event are not settled: Lambda's own retries deliver the whole event again."""


def for_sqs(kept: Sequence[str]) -> Mapping[str, Any]:
    """SQS keeps these messages and deletes the others.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    return {"batchItemFailures": [{"itemIdentifier": id_} for id_ in kept]}


def for_s3_batch(work: Work, done: Mapping[ObjectRef, Done], failed: Sequence[Failed]) -> Mapping[str, Any]:
    """A result code for each task. S3 runs a task again before the job ends if it has failed temporarily.

    It does so a number of times that is not documented, and it stops a job of which more than half of at least 1,000
    tasks have failed. Only a failure that may be over soon is therefore a temporary one.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-invoke-lambda.html
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-job-status.html
    """

    failures = {each.message.id: each.failure for each in failed}

    def result(task: Task) -> dict[str, str]:
        failure = failures.get(task.id)
        if failure is None:
            settled = [outcome for ref in task.objects if isinstance(outcome := done[ref], Result)]
            text = "; ".join(
                f"{outcome.outcome.value}: {outcome.reason}" if outcome.reason else outcome.outcome.value
                for outcome in settled
            )
            return {"taskId": task.id, "resultCode": "Succeeded", "resultString": text[:MAX_TEXT]}
        code = "TemporaryFailure" if isinstance(failure, TryAgain) else "PermanentFailure"
        return {"taskId": task.id, "resultCode": code, "resultString": failure.cause[:MAX_TEXT]}

    version, id_ = work.invocation
    return {
        "invocationSchemaVersion": version,
        "treatMissingKeysAs": "PermanentFailure",
        "invocationId": id_,
        "results": [result(task) for task in work.tasks],
    }


def for_bare_event(done: Mapping[ObjectRef, Done], failed: Sequence[Failed]) -> Mapping[str, Any]:
    """The outcome of each photo, for the operator. Raises SomeFailed if a photo is not settled."""
    if failed:
        failures = [f"{ref.key}: {outcome.cause}" for ref, outcome in done.items() if isinstance(outcome, Failure)]
        unread = [each.message.error for each in failed if each.message.error]
        raise SomeFailed(
            f"{len(failures + unread)} of the {len(done) + len(unread)} photos of the event are not settled: "
            + "; ".join(failures + unread)
        )
    return {
        "photos": [
            {
                "key": ref.key,
                "outcome": outcome.outcome.value,
                "labels": outcome.labels,
                "reason": outcome.reason,
            }
            for ref, outcome in done.items()
            if isinstance(outcome, Result)
        ]
    }
