"""HeadObject of a photo, on moto, and its errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.awsrequest import AWSResponse
from botocore.stub import Stubber
from image_labels.clients import make_clients
from image_labels.failures import Failure, NeedsOperator, TryAgain
from image_labels.photos import Photos
from support.fakes import BUCKET

if TYPE_CHECKING:
    from image_labels.clients import Clients
    from mypy_boto3_s3 import S3Client


def test_head_describes_the_current_object(clients: Clients, s3: S3Client) -> None:
    photos = Photos(clients.s3, BUCKET)
    assert photos.head("images/none.jpg") is None
    etag = s3.put_object(Bucket=BUCKET, Key="images/ä +%.jpg", Body=b"12345")["ETag"]
    photo = photos.head("images/ä +%.jpg")
    assert photo is not None
    assert (photo.etag, photo.size, photo.version_id) == (etag.strip('"'), 5, None)
    modified = s3.head_object(Bucket=BUCKET, Key="images/ä +%.jpg")["LastModified"]
    assert photo.modified == f"{modified:%Y-%m-%dT%H:%M:%S}.000+00:00"
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=BUCKET, Key="images/ä +%.jpg", Body=b"123456")["VersionId"]
    photo = photos.head("images/ä +%.jpg")
    assert photo is not None
    assert photo.version_id == version
    s3.delete_object(Bucket=BUCKET, Key="images/ä +%.jpg")
    assert photos.head("images/ä +%.jpg") is None


def test_version_null_is_no_version(clients: Clients, s3: S3Client) -> None:
    """S3 gives objects from before versioning the version "null", which is not sent to Rekognition."""
    s3.put_object(Bucket=BUCKET, Key="k", Body=b"12345")
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    photo = Photos(clients.s3, BUCKET).head("k")
    assert photo is not None
    assert photo.version_id is None


@pytest.mark.parametrize(("status", "advice"), [(403, "s3:ListBucket"), (301, "Region")])
def test_refused_head_object_has_a_next_step(clients: Clients, status: int, advice: str) -> None:
    with Stubber(clients.s3) as stub:
        stub.add_client_error("head_object", str(status), "", status)
        with pytest.raises(NeedsOperator, match=r"images/x\.jpg") as raised:
            Photos(clients.s3, BUCKET).head("images/x.jpg")
    assert advice in raised.value.next_step


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("InvalidRequest", "SSE-C"),
        ("KMS.DisabledException", "enable the KMS key"),
        ("KMS.KMSInvalidStateException", "cancel its deletion"),
        ("KMS.NotFoundException", "upload the object again"),
        ("ExpiredToken", "delivers it again"),
        ("AccessDenied", "GetObject to the function's role"),
        ("NoSuchKey", "delivers it again"),
    ],
)
def test_bad_request_is_explained_by_the_error_code_of_get_object(clients: Clients, code: str, advice: str) -> None:
    """The answer to a HEAD has no body, so the code comes from a GET of the first byte."""
    with Stubber(clients.s3) as stub:
        stub.add_client_error("head_object", "400", "Bad Request", 400)
        where = {"Bucket": BUCKET, "Key": "images/x.jpg", "Range": "bytes=0-0"}
        stub.add_client_error("get_object", code, "S3's words", 400, expected_params=where)
        with pytest.raises(Failure) as raised:
            Photos(clients.s3, BUCKET).head("images/x.jpg")
        stub.assert_no_pending_responses()
    assert code in raised.value.cause
    assert "S3's words" in raised.value.cause
    assert advice in raised.value.next_step


def test_bad_request_that_get_object_does_not_repeat_is_retried(s3: S3Client) -> None:
    clients = make_clients(concurrency=1)
    s3.put_object(Bucket=BUCKET, Key="images/x.jpg", Body=b"a photo")

    class NoBody:
        def stream(self) -> list[bytes]:
            return []

    def bad_request(**_: object) -> AWSResponse:
        return AWSResponse("https://s3", 400, {}, NoBody())  # type: ignore[arg-type]

    clients.s3.meta.events.register_first("before-send.s3.HeadObject", cast("Any", bad_request))
    with pytest.raises(TryAgain, match="GetObject succeeds"):
        Photos(clients.s3, BUCKET).head("images/x.jpg")
