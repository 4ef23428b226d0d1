"""Calls of the emulated Rekognition as LocalStack makes them, with a fake S3."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from image_labels_emulator.rekognition import faults
from image_labels_emulator.rekognition.errors import RekognitionError
from image_labels_emulator.rekognition.provider import RekognitionProvider
from localstack.aws.api import RequestContext, ServiceRequest
from localstack.aws.skeleton import create_dispatch_table
from localstack.http import Request
from support.rekognition_model import check_answer, check_request

if TYPE_CHECKING:
    from image_labels_emulator.rekognition.inference import Inference

ACCOUNT = "000000000000"
REGION = "eu-west-1"


class Body(io.BytesIO):
    reads = 0

    def read(self, size: int | None = -1) -> bytes:
        Body.reads += 1
        return super().read(size)


@dataclass
class FakeS3:
    """Objects by (bucket, key, version); buckets by Region."""

    objects: dict[tuple[str, str, str | None], tuple[bytes, dict[str, str]]] = field(default_factory=dict)
    regions: dict[str, str] = field(default_factory=lambda: {"photos": REGION})
    sizes: dict[str, int] = field(default_factory=dict)
    unreachable: bool = False

    def put(self, key: str, data: bytes, version: str | None = None, **metadata: str) -> None:
        self.objects["photos", key, version] = (data, metadata)

    def head_bucket(self, *, Bucket: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        if self.unreachable:
            raise EndpointConnectionError(endpoint_url="http://s3")
        if Bucket not in self.regions:
            raise ClientError({"Error": {"Code": "404"}}, "HeadBucket")
        return {"ResponseMetadata": {"HTTPHeaders": {"x-amz-bucket-region": self.regions[Bucket]}}}

    def head_object(self, **where: str) -> dict[str, Any]:
        data, metadata = self._find(where, "HeadObject")
        return {"ContentLength": self.sizes.get(where["Key"], len(data)), "Metadata": metadata}

    def get_object(self, **where: str) -> dict[str, Any]:
        data, metadata = self._find(where, "GetObject")
        return {"ContentLength": len(data), "Metadata": metadata, "Body": Body(data)}

    def _find(self, where: dict[str, str], operation: str) -> tuple[bytes, dict[str, str]]:
        try:
            return self.objects[where["Bucket"], where["Key"], where.get("VersionId")]
        except KeyError:
            raise ClientError({"Error": {"Code": "404"}}, operation) from None


def call(
    provider: RekognitionProvider, operation: str, request: dict[str, Any], account: str = ACCOUNT, region: str = REGION
) -> Any:
    """The answer as the provider gives it to LocalStack. Raises RekognitionError."""
    context = RequestContext(Request("POST", "/"))
    context.account_id, context.region = account, region
    return create_dispatch_table(provider)[operation](context, cast("ServiceRequest", request))


@dataclass
class Service:
    """The emulated Rekognition for one caller. Requests and answers are checked against botocore's model."""

    inference: Inference
    account: str = ACCOUNT
    region: str = REGION
    s3: FakeS3 = field(default_factory=FakeS3)

    def __post_init__(self) -> None:
        behaviour = faults.Behaviour(clock=lambda: 0.0, sleep=lambda _seconds: None)
        self.provider = RekognitionProvider(behaviour, self.inference, lambda _context: self.s3)

    def __call__(self, operation: str, **request: Any) -> dict[str, Any]:
        """The answer as a client receives it."""
        check_request(operation, request)
        return check_answer(call(self.provider, operation, request, self.account, self.region), operation)

    def refused(self, operation: str, **request: Any) -> tuple[str, str]:
        """Code and message of the error."""
        with pytest.raises(RekognitionError) as caught:
            call(self.provider, operation, request, self.account, self.region)
        assert caught.value.status_code == (500 if caught.value.code == "InternalServerError" else 400)
        return caught.value.code, caught.value.message
