"""Reads photos from LocalStack's S3, as the service reads them from S3.

The bucket must be in the Region of the call (API reference, "S3Object"). As in AWS, a photo that cannot be read
(missing bucket, key or version, or a bucket in another Region) is an InvalidS3ObjectException.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from image_labels_emulator.rekognition.errors import RekognitionError
from image_labels_emulator.rekognition.image import MAX_S3_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from image_labels_emulator.rekognition.validation import S3Photo


@dataclass(frozen=True, slots=True)
class Fetched:
    """An image file: its bytes, and its user metadata in S3 without the prefix `x-amz-meta-`."""

    data: bytes
    metadata: Mapping[str, str]


def fetch(s3: Any, photo: S3Photo, region: str) -> Fetched:
    """Read the object, if it exists, is in this Region, and is not too large.

    Raises RekognitionError: InvalidS3ObjectException, ImageTooLargeException, InternalServerError (S3 unreachable).
    """
    where: dict[str, str] = {"Bucket": photo.bucket, "Key": photo.key}
    if photo.version is not None:
        where["VersionId"] = photo.version
    try:
        home = s3.head_bucket(Bucket=photo.bucket)["ResponseMetadata"]["HTTPHeaders"].get("x-amz-bucket-region")
        if home and home != region:
            raise RekognitionError(
                "InvalidS3ObjectException", reason=f"bucket {photo.bucket} is in {home}, the call in {region}"
            )
        _check_size(s3.head_object(**where)["ContentLength"])
        found = s3.get_object(**where)
        _check_size(found["ContentLength"])  # it may have been replaced after the HEAD request
        return Fetched(found["Body"].read(), found.get("Metadata") or {})
    except ClientError as error:
        raise RekognitionError("InvalidS3ObjectException", reason=str(error)) from error
    except BotoCoreError as error:
        raise RekognitionError("InternalServerError", reason=f"S3 is unreachable: {error}") from error


def _check_size(size: int) -> None:
    if size > MAX_S3_BYTES:
        raise RekognitionError(
            "ImageTooLargeException", reason=f"the object has {size} bytes; the limit is {MAX_S3_BYTES}"
        )
