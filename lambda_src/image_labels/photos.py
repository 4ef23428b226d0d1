"""The bucket: the current state of an object."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from image_labels.aws_errors import code_of, message_of
from image_labels.failures import NeedsOperator, TryAgain, failure_of
from image_labels.model import Photo, iso_time

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ENABLE_KEY = "enable the KMS key that the object is encrypted with, or cancel its deletion"
# By the error code of S3: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html. KMS's own codes have the
# prefix "KMS.": https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html#API_Decrypt_Errors
_NEXT_STEPS = {
    "InvalidRequest": "see whether the object is encrypted with a customer-provided key (SSE-C): neither the function "
    "nor Rekognition can read it, so upload it without one",
    "KMS.DisabledException": _ENABLE_KEY,
    "KMS.KMSInvalidStateException": _ENABLE_KEY,
    "KMS.NotFoundException": "the KMS key that the object is encrypted with is gone: upload the object again",
}


class Photos:
    """The objects of one bucket."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def head(self, key: str) -> Photo | None:
        """The current object, or None if there is none; S3 is strongly consistent.

        Raises NeedsOperator if S3 refuses the request, and botocore's errors if it cannot be reached.
        """
        try:
            head = self._client.head_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            # A HEAD has no body to carry an error code: botocore gives the HTTP status in its place.
            match code_of(error):
                case "404" | "NoSuchKey" | "NotFound":
                    return None
                case "403" | "AccessDenied":
                    raise NeedsOperator(
                        f"HeadObject on s3://{self._bucket}/{key}: S3 answers 403 Forbidden",
                        "allow the function's role s3:GetObject under the key's prefix and s3:ListBucket on the "
                        "bucket (without the latter a missing key answers 403), and the KMS key if there is one",
                    ) from error
                case "400":
                    raise self._bad_request(key) from error
                case "301":
                    raise NeedsOperator(
                        f"HeadObject on s3://{self._bucket}/{key}: the bucket is in another Region",
                        "run the module in the bucket's Region: Rekognition reads photos of its own Region only",
                    ) from error
                case _:
                    raise
        version_id = head.get("VersionId")
        return Photo(
            bucket=self._bucket,
            key=key,
            etag=head["ETag"].strip('"'),
            version_id=None if version_id == "null" else version_id,
            size=head["ContentLength"],
            modified=iso_time(head["LastModified"].timestamp()),
        )

    def _bad_request(self, key: str) -> Exception:
        """The reason for a 400 of HeadObject, which has no body: the answer to GetObject has one with an error code."""
        try:
            self._client.get_object(Bucket=self._bucket, Key=key, Range="bytes=0-0")["Body"].close()
        except ClientError as error:
            refusal = f"{code_of(error)}: {message_of(error)}"
            cause = f"HeadObject on s3://{self._bucket}/{key}: S3 answers 400 Bad Request ({refusal})"
            if next_step := _NEXT_STEPS.get(code_of(error)):
                return NeedsOperator(cause, next_step)
            return failure_of(error)  # expired credentials, for instance, which Lambda renews
        return TryAgain(f"HeadObject on s3://{self._bucket}/{key}: S3 answers 400 Bad Request, but GetObject succeeds")
