"""What can go wrong on the way to an answer, in words that say what to do about it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from botocore import exceptions as boto
from image_labels.aws_errors import Kind, code_of, kind_of, message_of
from image_labels.search.expression import ExpressionError, NeedsScan
from image_labels.search.finder import TokenError


@dataclass(frozen=True)
class Problem:
    """What the page shows in place of an answer. `kind` is for programs, the rest for people.

    `position` is where in the expression the mistake is, and `suggestions` are expressions that may have been meant.
    """

    kind: str
    title: str
    advice: str = ""
    detail: str = ""
    position: int | None = None
    status: int = 502
    suggestions: tuple[str, ...] = ()


class BadRequest(ValueError):  # noqa: N818 - it is one
    """A parameter that the page itself never sends."""


_NO_CREDENTIALS = (
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.CredentialRetrievalError,
    boto.SSOError,
    boto.TokenRetrievalError,
)
# AWS: "User: arn:… is not authorized to perform: dynamodb:Query on resource: arn:… because no identity-based policy …"
_PERMISSION = re.compile(r"not authorized to perform: (?P<action>\S+?)(?: on resource: \"?(?P<resource>[^\s\"]+)|\s|$)")


def problem_of(error: Exception) -> Problem:
    """The problem that an exception stands for."""
    if isinstance(error, ExpressionError):
        scan = isinstance(error, NeedsScan)
        advice = (
            "A search on this page never reads the whole table: --scan is an option of “image-labels find”."
            if scan
            else ""
        )
        kind = "scan" if scan else "expression"
        return Problem(
            kind,
            _sentence(error.message),
            advice,
            position=error.position,
            status=400,
            suggestions=error.suggestions,
        )
    if isinstance(error, TokenError):
        return Problem("token", "This list cannot be read on.", "Search again.", str(error), status=400)
    if isinstance(error, BadRequest):
        return Problem("request", str(error), status=400)
    if isinstance(error, boto.ClientError):
        return _of_aws(error)
    if isinstance(error, _NO_CREDENTIALS):
        return _credentials(str(error))
    if isinstance(error, (boto.ConnectionError, boto.HTTPClientError)):
        return Problem(
            "network",
            "AWS does not answer.",
            "Check this machine's network, VPN and proxy, then try again.",
            str(error),
        )
    return Problem(
        "unknown",
        "Something went wrong that this page does not know.",
        "The terminal in which “image-labels browse” runs has the details.",
        type(error).__name__,
        status=500,
    )


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _of_aws(error: boto.ClientError) -> Problem:
    message = message_of(error)
    detail = f"{code_of(error)}: {message}"
    match kind_of(error):
        case Kind.DENIED:
            action, resource = _permission(error.operation_name, message)
            return Problem(
                "denied",
                f"Your credentials lack the permission {action}.",
                f"Ask the administrator of the AWS account to allow {action} on {resource}, then try again.",
                detail,
            )
        case Kind.EXPIRED | Kind.UNKNOWN_CREDENTIALS:
            return _credentials(detail)
        case Kind.MISSING:
            return Problem(
                "missing",
                "The table does not exist.",
                "Stop “image-labels browse” with Ctrl-C, and start it with the right names, region and profile.",
                detail,
            )
        case Kind.THROTTLED:
            return Problem("throttled", "DynamoDB asks for a pause.", "Wait a few seconds, then try again.", detail)
        case _:
            advice = "Try again in a moment."
            return Problem("aws", f"AWS answered {error.operation_name} with an error.", advice, detail)


def _credentials(detail: str) -> Problem:
    return Problem(
        "credentials",
        "AWS does not accept your credentials.",
        "They may have expired: log in again, for instance with “aws sso login”. "
        "Then stop “image-labels browse” with Ctrl-C and start it again.",
        detail,
    )


def _permission(operation: str, message: str) -> tuple[str, str]:
    """What is missing, by AWS's message; else by the operation that failed."""
    if found := _PERMISSION.search(message):
        return found["action"], found["resource"] or "this deployment's tables and bucket"
    if operation.endswith("Object"):
        return "s3:GetObject", "the bucket's objects"
    return f"dynamodb:{operation}", "this deployment's tables"
