"""LocalStack's provider of the emulated Rekognition.

A photo in S3 is read from LocalStack's S3 in the caller's account and Region, after a HEAD request. As in AWS, a photo
that cannot be read (missing bucket, key or version, or a bucket in another Region) is an InvalidS3ObjectException (API
reference, "S3Object": the bucket's Region must match the Region of the call).
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from localstack.aws.api import RequestContext, handler
from localstack.aws.connect import connect_to
from localstack.http import Response
from localstack.services.plugins import ServiceLifecycleHook

from image_labels_emulator.rekognition import faults, image, label_models, sources, taxonomy, validation
from image_labels_emulator.rekognition.admin import Admin
from image_labels_emulator.rekognition.detect import detect_labels
from image_labels_emulator.rekognition.errors import RekognitionError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from image_labels_emulator.rekognition.validation import S3Photo

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Fetched:
    """An S3 object: its bytes, and its user metadata without the prefix `x-amz-meta-`."""

    data: bytes
    metadata: Mapping[str, str]


@cache
def shared_behaviour() -> faults.Behaviour:
    """The Behaviour of this process, with settings from the environment. Raises faults.SettingsError."""
    return faults.Behaviour(faults.Settings.from_environment(os.environ))


@cache
def shared_admin() -> Admin:
    """The routes of `shared_behaviour`. A start hook registers them, because LocalStack loads providers later."""
    return Admin(shared_behaviour(), label_models.installed_titles)


def s3_client(context: RequestContext) -> Any:
    """A client of LocalStack's own S3 in the caller's account and Region."""
    return connect_to(aws_access_key_id=context.account_id, region_name=context.region).s3


class RekognitionProvider(ServiceLifecycleHook):
    """The provider for LocalStack's `Service.for_provider`. Only tests pass arguments."""

    service = "rekognition"

    def __init__(
        self,
        behaviour: faults.Behaviour | None = None,
        see: sources.Seer | None = None,
        make_s3_client: Callable[[RequestContext], Any] = s3_client,
    ) -> None:
        self._behaviour = behaviour or shared_behaviour()
        self._see = see
        self._make_s3_client = make_s3_client

    def on_before_start(self) -> None:
        shared_admin().register()

    @handler("DetectLabels", expand=False)
    def detect_labels(self, context: RequestContext, request: Mapping[str, Any]) -> dict[str, Any] | Response:
        """Raises RekognitionError, which LocalStack turns into the error answer."""
        try:
            answer = self._answer(context, request)
        except faults.FaultError as fault:
            if not fault.over_quota:
                self._behaviour.failed()
            LOG.info("DetectLabels fails as set: %s", fault)
            if fault.error == faults.NONSENSE:
                return Response("<html>nonsense</html>", status=200, mimetype="application/x-amz-json-1.1")
            raise RekognitionError(fault.error) from None
        except RekognitionError as error:
            self._behaviour.failed()
            LOG.info("DetectLabels answers %s: %s", error.code, error.reason or error.message)
            raise
        except Exception as error:
            self._behaviour.failed()
            LOG.exception("DetectLabels of %s failed unexpectedly", "/".join(_place(request)))
            raise RekognitionError("InternalServerError") from error
        self._behaviour.answered()
        return answer

    def _answer(self, context: RequestContext, raw: Mapping[str, Any]) -> dict[str, Any]:
        self._behaviour.admit(*_place(raw))
        request = validation.parse(raw)
        if isinstance(request.image, bytes):
            fetched = Fetched(request.image, {})
        else:
            fetched = fetch(self._make_s3_client(context), request.image, context.region)
        photo = image.load(fetched.data)
        known = taxonomy.load()
        found = sources.find_labels(photo, known, metadata=fetched.metadata, see=self._see)
        return detect_labels(request, photo, found, known)


def _place(raw: Mapping[str, Any]) -> tuple[str, str]:
    """Bucket and key of an unvalidated request; empty if absent."""
    photo: Any = raw.get("Image")
    photo = photo.get("S3Object") if isinstance(photo, dict) else None
    photo = photo if isinstance(photo, dict) else {}
    return str(photo.get("Bucket") or ""), str(photo.get("Name") or "")


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
    if size > image.MAX_S3_BYTES:
        raise RekognitionError(
            "ImageTooLargeException", reason=f"the object has {size} bytes; the limit is {image.MAX_S3_BYTES}"
        )
