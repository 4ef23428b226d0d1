"""Why a photo is not done yet, in words for whoever reads the log: whose turn it is, and what to do."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError

_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "KMS.AccessDeniedException", "403"})
_THROTTLED = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)

LEFT_TO_SQS = "nothing: it is delivered again, and moves to the dead-letter queue if it keeps failing"


class Failure(Exception):  # noqa: N818 - the field's word: SQS calls it batchItemFailures
    """A photo whose state is not settled. `cause` and `next_step` are sentences for a person."""

    def __init__(self, cause: str, next_step: str) -> None:
        super().__init__(cause)
        self.cause = cause
        self.next_step = next_step


class TryAgain(Failure):
    """Waiting may help: throttling, a time-out, an error inside AWS, an object that keeps changing."""

    def __init__(self, cause: str, *, throttled: bool = False) -> None:
        super().__init__(cause, LEFT_TO_SQS)
        self.throttled = throttled


class NeedsOperator(Failure):
    """Waiting will not help: a permission, a setting or an event has to be put right by somebody."""


def failure_of(error: Exception) -> Failure:
    """Say any exception as a Failure; what is not known to be somebody's to mend is worth another try."""
    match error:
        case Failure():
            return error
        case ClientError():
            return _of_client_error(error)
        case BotoCoreError():
            return TryAgain(f"{type(error).__name__}: {error}")
        case _:
            return TryAgain(f"unexpected {type(error).__name__}: {error}")


def _of_client_error(error: ClientError) -> Failure:
    code = str(error.response.get("Error", {}).get("Code", ""))
    message = str(error.response.get("Error", {}).get("Message", ""))
    cause = f"{error.operation_name}: {code}: {message}"
    if code in _DENIED:
        return NeedsOperator(
            cause,
            f"allow {error.operation_name} to the function's role, and to its use of the KMS key if there is one",
        )
    if code == "ResourceNotFoundException":
        return NeedsOperator(cause, "apply the Terraform module again: a table it made has gone")
    return TryAgain(cause, throttled=code in _THROTTLED)
