"""Why a photo is not settled, and what to do about it: the exceptions that the function logs and dead-letters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from image_labels.aws_errors import Kind, code_of, kind_of, message_of

if TYPE_CHECKING:
    from image_labels.events import Task

LEFT_TO_SQS = "nothing: SQS delivers it again, and it moves to the dead-letter queue if it keeps failing"
SEND_BACK = "send it back from the dead-letter queue with `image-labels redrive`"


class Failure(Exception):  # noqa: N818 - the field's word: SQS calls it batchItemFailures
    """A photo that is not settled. `cause` and `next_step` are texts for the operator."""

    def __init__(self, cause: str, next_step: str) -> None:
        super().__init__(cause)
        self.cause = cause
        self.next_step = next_step

    @property
    def next_step_for_dead_letter(self) -> str:
        """What to do after the last attempt has failed."""
        return f"{self.next_step}; then {SEND_BACK}"


class Failed:
    """A message that is not settled. `photo` is the s3:// address of the photo that failed, "" if it names none.

    Not a dataclass, because making one takes a part of the cold start.
    """

    def __init__(self, message: Task, failure: Failure, photo: str) -> None:
        self.message = message
        self.failure = failure
        self.photo = photo


class TryAgain(Failure):
    """A retry may help: throttling, a timeout, an error inside AWS, an object that keeps changing."""

    def __init__(self, cause: str, *, throttled: bool = False) -> None:
        super().__init__(cause, LEFT_TO_SQS)
        self.throttled = throttled

    @property
    def next_step_for_dead_letter(self) -> str:
        return f"when what caused it is over, {SEND_BACK}"


class NeedsOperator(Failure):
    """A retry does not help until an operator corrects a permission or a setting."""


class OverDailyLimit(Failure):
    """Rekognition is not called any more on this day: the photo waits, which does not count as an attempt.

    `limit` is in images a day, `day` an ISO date (UTC).
    """

    def __init__(self, limit: int, day: str) -> None:
        super().__init__(
            f"the daily limit of {limit:,} images is reached for {day} (UTC)",
            "nothing: it is tried again when the day (UTC) is over, or soon after daily_image_limit is raised",
        )

    @property
    def next_step_for_dead_letter(self) -> str:
        """Needed only if the queue of waiting photos refuses the message."""
        return f"see in the log why the queue of waiting photos did not take it; then {SEND_BACK}"


class OverDailyLimitOfJob(NeedsOperator):
    """As OverDailyLimit, for a task of S3 Batch Operations, which does not wait.

    A job can have more photos over the limit than the queue of waiting photos keeps until their day comes: SQS deletes
    its messages after 14 days. The job's report names the photos, and S3 stops a job of which most tasks fail.
    """

    def __init__(self, over: OverDailyLimit) -> None:
        super().__init__(
            f"{over.cause}, and photos of a batch job do not wait",
            "raise daily_image_limit, or wait for the next day; then run the job again, which skips labelled photos",
        )


class Permanent(Failure):
    """No retry can help: the message goes to the dead-letter queue after its first attempt."""


class InvalidRequest(Permanent):
    """AWS refuses the function's request as invalid, so the same request fails again."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause, "look in the cause for the value that AWS refuses, and change it or the object's key")


class NotAnEvent(Permanent):
    """A message that the function cannot read."""

    def __init__(self, cause: str, next_step: str = "") -> None:
        super().__init__(
            cause, next_step or "find the sender of the message; then delete it from the dead-letter queue"
        )

    @property
    def next_step_for_dead_letter(self) -> str:
        return self.next_step


def failure_of(error: Exception) -> Failure:
    """Any exception as a Failure. An unknown error is worth a retry."""
    match error:
        case Failure():
            return error
        case ClientError():
            return _of_client_error(error)
        case ParamValidationError():
            return InvalidRequest(f"{type(error).__name__}: {error}")
        case BotoCoreError():
            return TryAgain(f"{type(error).__name__}: {error}")
        case _:
            return TryAgain(f"unexpected {type(error).__name__}: {error}")


def _of_client_error(error: ClientError) -> Failure:
    operation = error.operation_name
    cause = f"{operation}: {code_of(error)}: {message_of(error)}"
    kind = kind_of(error)
    match kind:
        case Kind.DENIED:
            return NeedsOperator(
                cause, f"allow {operation} to the function's role, and to its use of the KMS key if there is one"
            )
        case Kind.MISSING:
            return NeedsOperator(cause, "apply the Terraform module again: one of its resources is missing")
        case Kind.INVALID:
            return InvalidRequest(cause)
        case _:
            return TryAgain(cause, throttled=kind is Kind.THROTTLED)
