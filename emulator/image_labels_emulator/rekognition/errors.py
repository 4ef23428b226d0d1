"""Errors of the operations, with the codes, HTTP statuses and messages of the real service.

Source: Amazon Rekognition Developer Guide, "Error handling". Where published answers of the service differ from the
guide, which ends every message with a full stop, the emulator follows the answers.
"""

from __future__ import annotations

from localstack.aws.api import ServiceException

MESSAGES = {
    "ImageTooLargeException": "Image size is too large",
    "InternalServerError": "Internal server error",
    "InvalidPaginationTokenException": "Invalid Pagination Token",
    "InvalidImageFormatException": "Request has invalid image format",
    "InvalidParameterException": "Request has invalid parameters",
    "InvalidS3ObjectException": (
        "Unable to get object metadata from S3. Check object key, region and/or access permissions."
    ),
    "ProvisionedThroughputExceededException": "Provisioned rate exceeded",
    "ThrottlingException": "Rate exceeded",
}


class RekognitionError(ServiceException):
    """An error answer. `reason` is for the emulator's log, because the service's messages are often unspecific."""

    sender_fault = False

    def __init__(self, code: str, message: str | None = None, reason: str = "") -> None:
        super().__init__(message or MESSAGES.get(code, code))
        self.code = code
        self.status_code = 500 if code == "InternalServerError" else 400
        self.reason = reason

    @classmethod
    def of(cls, code: str, operation: str) -> RekognitionError:
        """An error of an operation without a cause in its request."""
        denied = f"User is not authorized to perform: rekognition:{operation}"
        return cls(code, denied if code == "AccessDeniedException" else None)
