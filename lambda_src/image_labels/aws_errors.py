"""Classification of AWS's errors by their codes, for the function, the command and its page.

https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html and the "Common Errors" pages of the services.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from botocore.exceptions import ClientError


class Kind(Enum):
    """What kind of error AWS answered."""

    DENIED = auto()
    """A permission is missing."""
    EXPIRED = auto()
    """The credentials have expired."""
    UNKNOWN_CREDENTIALS = auto()
    """AWS does not know the credentials, or the signature is wrong."""
    MISSING = auto()
    """A table, queue or bucket does not exist."""
    THROTTLED = auto()
    """Too many requests."""
    INVALID = auto()
    """AWS refuses the request as invalid: the same request gets the same answer."""
    OTHER = auto()
    """Any other error, such as one inside AWS."""


# The answer to a HEAD has no body to carry an error code: botocore gives the HTTP status in its place. S3's 503 is
# "Slow Down": https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance-design-patterns.html
_CODES = {
    Kind.DENIED: (
        "403",
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "KMS.AccessDeniedException",
        "KmsAccessDenied",
        "NotAuthorized",
        "UnauthorizedOperation",
    ),
    Kind.EXPIRED: (
        "ExpiredToken",
        "ExpiredTokenException",
        "RequestExpired",
        "RequestTimeTooSkewed",
        "TokenRefreshRequired",
    ),
    Kind.UNKNOWN_CREDENTIALS: (
        "AuthFailure",
        "IncompleteSignatureException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    ),
    Kind.MISSING: (
        "AWS.SimpleQueueService.NonExistentQueue",
        "NoSuchBucket",
        "QueueDoesNotExist",
        "ResourceNotFoundException",
    ),
    Kind.THROTTLED: (
        "429",
        "503",
        "KMS.ThrottlingException",
        "KmsThrottled",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    ),
    Kind.INVALID: ("InvalidURI", "KeyTooLongError", "SerializationException", "ValidationException"),
}
_KINDS = {code: kind for kind, codes in _CODES.items() for code in codes}


def kind_of(error: ClientError) -> Kind:
    """The kind of an error, by its code."""
    return _KINDS.get(code_of(error), Kind.OTHER)


def code_of(error: ClientError) -> str:
    """The code of an error, "" if it has none."""
    return str(error.response.get("Error", {}).get("Code", ""))


def message_of(error: ClientError) -> str:
    """The message of an error, "" if it has none."""
    return str(error.response.get("Error", {}).get("Message", ""))
