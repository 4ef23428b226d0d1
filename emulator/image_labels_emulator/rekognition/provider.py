"""LocalStack's provider of the emulated Rekognition. All operations share one path: `RekognitionProvider._serve`."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from botocore import xform_name
from localstack.aws.api import RequestContext, handler
from localstack.aws.connect import connect_to
from localstack.http import Response
from localstack.services.plugins import ServiceLifecycleHook

from image_labels_emulator.rekognition import faults, label_models, s3_photos, settings, validation
from image_labels_emulator.rekognition.admin import Admin
from image_labels_emulator.rekognition.calls import Call
from image_labels_emulator.rekognition.errors import RekognitionError
from image_labels_emulator.rekognition.inference import Inference
from image_labels_emulator.rekognition.operations import ANSWERS
from image_labels_emulator.rekognition.store import stores

if TYPE_CHECKING:
    from localstack.state import StateVisitor

LOG = logging.getLogger(__name__)
_IMAGES = ("Image", "SourceImage", "TargetImage")  # members of requests


@cache
def shared_behaviour() -> faults.Behaviour:
    """The Behaviour of this process, with settings from the environment. Raises settings.SettingsError."""
    return faults.Behaviour(settings.Settings.from_environment(os.environ))


@cache
def shared_admin() -> Admin:
    """The routes of `shared_behaviour`. A start hook registers them, because LocalStack loads providers later."""
    return Admin(shared_behaviour(), label_models.installed_titles)


def s3_client(context: RequestContext) -> Any:
    """A client of LocalStack's own S3 in the caller's account and Region."""
    return connect_to(aws_access_key_id=context.account_id, region_name=context.region).s3


def _handler(operation: str) -> Callable[..., Any]:
    """A method that LocalStack calls for the operation, and finds by its name: boto3's name of the operation."""

    def serve(self: RekognitionProvider, context: RequestContext, request: Mapping[str, Any]) -> Any:
        return self._serve(operation, context, request)

    serve.__name__ = xform_name(operation)
    return handler(operation, expand=False)(serve)


class RekognitionProvider(ServiceLifecycleHook):
    """The provider for LocalStack's `Service.for_provider`. Only tests pass arguments."""

    service = "rekognition"

    def __init__(
        self,
        behaviour: faults.Behaviour | None = None,
        inference: Inference | None = None,
        make_s3_client: Callable[[RequestContext], Any] = s3_client,
    ) -> None:
        self._behaviour = behaviour or shared_behaviour()
        self._inference = inference or Inference()
        self._make_s3_client = make_s3_client

    compare_faces = _handler("CompareFaces")
    create_collection = _handler("CreateCollection")
    delete_collection = _handler("DeleteCollection")
    delete_faces = _handler("DeleteFaces")
    describe_collection = _handler("DescribeCollection")
    detect_faces = _handler("DetectFaces")
    detect_labels = _handler("DetectLabels")
    detect_moderation_labels = _handler("DetectModerationLabels")
    detect_text = _handler("DetectText")
    index_faces = _handler("IndexFaces")
    list_collections = _handler("ListCollections")
    list_faces = _handler("ListFaces")
    list_tags_for_resource = _handler("ListTagsForResource")
    search_faces = _handler("SearchFaces")
    search_faces_by_image = _handler("SearchFacesByImage")
    tag_resource = _handler("TagResource")
    untag_resource = _handler("UntagResource")

    def on_before_start(self) -> None:
        shared_admin().register()

    def accept_state_visitor(self, visitor: StateVisitor) -> None:
        """LocalStack resets and saves state by this."""
        visitor.visit(stores)

    def _serve(self, operation: str, context: RequestContext, request: Mapping[str, Any]) -> dict[str, Any] | Response:
        """Raises RekognitionError, which LocalStack turns into the error answer."""
        try:
            answer = self._answer(operation, context, request)
        except faults.FaultError as fault:
            if not fault.over_quota:
                self._behaviour.failed(operation)
            LOG.info("%s fails as set: %s", operation, fault)
            if fault.error == settings.NONSENSE:
                return Response("<html>nonsense</html>", status=200, mimetype="application/x-amz-json-1.1")
            raise RekognitionError.of(fault.error, operation) from None
        except RekognitionError as error:
            self._behaviour.failed(operation)
            LOG.info("%s answers %s: %s", operation, error.code, error.reason or error.message)
            raise
        except Exception as error:
            self._behaviour.failed(operation)
            where = ", ".join("/".join(place) for place in _places(request)) or "a request without a photo in S3"
            LOG.exception("%s of %s failed unexpectedly", operation, where)
            raise RekognitionError("InternalServerError") from error
        self._behaviour.answered(operation)
        return answer

    def _answer(self, operation: str, context: RequestContext, request: Mapping[str, Any]) -> dict[str, Any]:
        self._behaviour.admit(*next(_places(request), ("", "")), operation)
        validation.check(operation, request)
        call = Call(
            account=context.account_id,
            region=context.region,
            request=request,
            read=lambda photo: s3_photos.fetch(self._make_s3_client(context), photo, context.region),
            inference=self._inference,
        )
        return ANSWERS[operation](call)


def _places(raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Bucket and key of each image in S3 of an unvalidated request; empty if absent."""
    for name in _IMAGES:
        image: Any = raw.get(name)
        photo = image.get("S3Object") if isinstance(image, dict) else None
        if isinstance(photo, dict):
            yield str(photo.get("Bucket") or ""), str(photo.get("Name") or "")
