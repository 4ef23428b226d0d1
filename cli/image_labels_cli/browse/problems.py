"""Converts exceptions to error messages for the page, each with the next step."""

from __future__ import annotations

import re
from dataclasses import dataclass

from botocore import exceptions as boto
from image_labels.aws_errors import Kind, code_of, kind_of, message_of
from image_labels.search.expression import ExpressionError, NeedsScan
from image_labels.search.finder import TokenError

from image_labels_cli import emulated
from image_labels_cli.browse.repairs import repairs


@dataclass(frozen=True)
class Problem:
    """An error that the page shows. `kind` is for the page's code, the other fields for its user.

    `position` is the offset of the mistake in the expression. `suggestions` are expressions that the user may have
    meant.
    """

    kind: str
    title: str
    advice: str = ""
    detail: str = ""
    position: int | None = None
    status: int = 502
    suggestions: tuple[str, ...] = ()


class BadRequest(ValueError):  # noqa: N818 - the name of HTTP's status 400
    """A parameter that the page never sends."""


_NO_CREDENTIALS = (
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.CredentialRetrievalError,
    boto.SSOError,
    boto.TokenRetrievalError,
)
# AWS's message: "User: arn:… is not authorized to perform: dynamodb:Query on resource: arn:… because …"
_PERMISSION = re.compile(r"not authorized to perform: (?P<action>\S+?)(?: on resource: \"?(?P<resource>[^\s\"]+)|\s|$)")


def problem_of(error: Exception) -> Problem:
    if isinstance(error, ExpressionError):
        scan = isinstance(error, NeedsScan)
        advice = "A search on this page never reads the whole table. Run “image-labels find --scan”." if scan else ""
        kind = "scan" if scan else "expression"
        return Problem(
            kind,
            _sentence(error.message),
            advice,
            position=error.position,
            status=400,
            suggestions=error.suggestions or repairs(error.expression),
        )
    if isinstance(error, TokenError):
        return Problem("token", "This list cannot be continued.", "Search again.", str(error), status=400)
    if isinstance(error, BadRequest):
        return Problem("request", str(error), status=400)
    if isinstance(error, boto.ClientError):
        return _of_aws(error)
    if isinstance(error, _NO_CREDENTIALS):
        return _credentials(str(error))
    if isinstance(error, (boto.ConnectionError, boto.HTTPClientError)):
        if endpoint := emulated.no_answer(error):
            return Problem(
                "network",
                f"The emulated AWS at {endpoint} does not answer.",
                "The demo is not running. Start it with “make demo”, then open this page again with “make browse”.",
                str(error),
            )
        return Problem(
            "network",
            "AWS does not answer.",
            "Check this machine's network, VPN and proxy, then try again.",
            str(error),
        )
    return Problem(
        "unknown",
        "Internal error.",
        "The details are in the terminal where “image-labels browse” runs.",
        type(error).__name__,
        status=500,
    )


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _of_aws(error: boto.ClientError) -> Problem:
    message = message_of(error)
    detail = f"{code_of(error)}: {message}"
    of_s3 = error.operation_name.endswith("Object")
    if code_of(error) == "PreconditionFailed":  # of If-None-Match
        return Problem("exists", "The bucket has an object with this key.", "Replace it, or rename the file.", detail)
    match kind_of(error):
        case Kind.DENIED:
            action, resource = _permission(error.operation_name, message)
            advice = f"Ask the administrator of the AWS account to allow {action} on {resource}, then try again."
            if error.operation_name == "PutObject":
                advice += " The module's output uploader_policy_json is a policy that allows it."
            return Problem("denied", f"Your credentials lack the permission {action}.", advice, detail)
        case Kind.EXPIRED | Kind.UNKNOWN_CREDENTIALS:
            return _credentials(detail)
        case Kind.MISSING:
            return Problem(
                "missing",
                "The bucket does not exist." if of_s3 else "The table does not exist.",
                "Stop “image-labels browse” with Ctrl-C. Start it again with the right names, Region and profile.",
                detail,
            )
        case Kind.THROTTLED:
            service = "S3" if of_s3 else "DynamoDB"
            advice = "Wait a few seconds, then try again."
            return Problem("throttled", f"{service} throttles the requests.", advice, detail)
        case _:
            advice = "Try again later."
            return Problem("aws", f"AWS returned an error for {error.operation_name}.", advice, detail)


def _credentials(detail: str) -> Problem:
    return Problem(
        "credentials",
        "AWS does not accept your credentials.",
        "They may have expired: log in again, for example with “aws sso login”. "
        "Then stop “image-labels browse” with Ctrl-C, and start it again.",
        detail,
    )


def _permission(operation: str, message: str) -> tuple[str, str]:
    """The missing action and its resource: from AWS's message if possible, else from the operation."""
    if found := _PERMISSION.search(message):
        return found["action"], found["resource"] or "this deployment's tables and bucket"
    if operation.endswith("Object"):
        return "s3:PutObject" if operation == "PutObject" else "s3:GetObject", "the bucket's objects"
    return f"dynamodb:{operation}", "this deployment's tables"
