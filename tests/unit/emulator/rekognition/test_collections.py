"""Face collections and their tags, as LocalStack calls them and as Terraform's aws_rekognition_collection does."""

from __future__ import annotations

import pickle
import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from image_labels_emulator.rekognition.faults import Behaviour
from image_labels_emulator.rekognition.provider import RekognitionProvider
from image_labels_emulator.rekognition.store import stores
from localstack.services.plugins import Service as LocalStackService
from localstack.state.inspect import ServiceBackendCollectorVisitor
from support.faces import ADA, MODELS, portrait
from support.rekognition_calls import ACCOUNT, REGION, Service

ARN = f"arn:aws:rekognition:{REGION}:{ACCOUNT}:collection/"


@pytest.fixture
def service() -> Iterator[Service]:
    stores.reset()
    yield Service(MODELS)
    stores.reset()


def create(service: Service, *ids: str, **request: Any) -> None:
    for collection_id in ids:
        service("CreateCollection", CollectionId=collection_id, **request)


def ids(service: Service) -> list[str]:
    found: list[str] = service("ListCollections")["CollectionIds"]
    return found


def test_a_new_collection(service: Service) -> None:
    before = datetime.now(UTC)
    assert service("CreateCollection", CollectionId="family") == {
        "StatusCode": 200,
        "CollectionArn": ARN + "family",
        "FaceModelVersion": "7.0",
    }
    found = service("DescribeCollection", CollectionId="family")
    assert before <= found.pop("CreationTimestamp") <= datetime.now(UTC)
    assert found == {"FaceCount": 0, "FaceModelVersion": "7.0", "CollectionARN": ARN + "family", "UserCount": 0}


def test_ids_are_unique_and_case_sensitive(service: Service) -> None:
    create(service, "family", "Family")
    assert service.refused("CreateCollection", CollectionId="family") == (
        "ResourceAlreadyExistsException",
        "The collection id: family already exists",
    )
    assert ids(service) == ["family", "Family"]


def test_a_deleted_collection_is_gone(service: Service) -> None:
    create(service, "family")
    assert service("DeleteCollection", CollectionId="family") == {"StatusCode": 200}
    assert ids(service) == []
    create(service, "family")


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("DeleteCollection", {}),
        ("IndexFaces", {"Image": {"Bytes": b"x"}}),
        ("ListFaces", {}),
        ("DeleteFaces", {"FaceIds": [str(uuid.uuid4())]}),
        ("SearchFaces", {"FaceId": str(uuid.uuid4())}),
        ("SearchFacesByImage", {"Image": {"Bytes": b"x"}}),
    ],
)
def test_a_missing_collection(service: Service, operation: str, request_: dict[str, Any]) -> None:
    assert service.refused(operation, CollectionId="none", **request_) == (
        "ResourceNotFoundException",
        "The collection id: none does not exist",
    )


def test_a_missing_collection_has_no_description(service: Service) -> None:
    assert service.refused("DescribeCollection", CollectionId="none") == (
        "ResourceNotFoundException",
        "Collection:none not found!",
    )


def test_collections_belong_to_an_account_and_a_region(service: Service) -> None:
    create(service, "family")
    service.account = "111111111111"
    assert ids(service) == []
    create(service, "family")
    service.account, service.region = ACCOUNT, "cn-north-1"
    assert ids(service) == []
    created = service("CreateCollection", CollectionId="family")
    assert created["CollectionArn"] == f"arn:aws-cn:rekognition:cn-north-1:{ACCOUNT}:collection/family"
    service.region = REGION
    assert ids(service) == ["family"]


def test_a_region_that_botocore_does_not_list(service: Service) -> None:
    service.region = "ap-southeast-7"
    create(service, "family")
    assert ids(service) == ["family"]


def test_collections_are_listed_in_pages(service: Service) -> None:
    create(service, *(f"c{number}" for number in range(5)))
    first = service("ListCollections", MaxResults=2)
    assert first["CollectionIds"] == ["c0", "c1"]
    assert first["FaceModelVersions"] == ["7.0", "7.0"]
    service("DeleteCollection", CollectionId="c1")
    second = service("ListCollections", MaxResults=2, NextToken=first["NextToken"])
    assert second["CollectionIds"] == ["c2", "c3"]
    last = service("ListCollections", MaxResults=2, NextToken=second["NextToken"])
    assert last == {"CollectionIds": ["c4"], "FaceModelVersions": ["7.0"]}


def test_a_full_last_page_has_no_token(service: Service) -> None:
    create(service, "a", "b")
    assert "NextToken" not in service("ListCollections", MaxResults=2)
    assert service("ListCollections", MaxResults=0)["CollectionIds"] == ["a", "b"]


@pytest.mark.parametrize("token", ["x", "AAAAAAAAAAAAAAAAAAAAAA==", "ä"])
def test_an_invalid_token(service: Service, token: str) -> None:
    assert service.refused("ListCollections", NextToken=token) == (
        "InvalidPaginationTokenException",
        "Invalid Pagination Token",
    )


def test_a_token_is_for_one_list(service: Service) -> None:
    create(service, "a", "b")
    token = service("ListCollections", MaxResults=1)["NextToken"]
    assert len(token) <= 255
    code, _message = service.refused("ListFaces", CollectionId="a", NextToken=token)
    assert code == "InvalidPaginationTokenException"
    service.region = "us-east-1"
    assert service.refused("ListCollections", NextToken=token)[0] == "InvalidPaginationTokenException"


def test_tags(service: Service) -> None:
    create(service, "family", Tags={"Team": "media", "Empty": ""})
    arn = ARN + "family"
    assert service("ListTagsForResource", ResourceArn=arn) == {"Tags": {"Team": "media", "Empty": ""}}
    assert service("TagResource", ResourceArn=arn, Tags={"Team": "news", "Stage": "test"}) == {}
    assert service("UntagResource", ResourceArn=arn, TagKeys=["Empty", "Unknown"]) == {}
    assert service("ListTagsForResource", ResourceArn=arn) == {"Tags": {"Team": "news", "Stage": "test"}}


def test_more_than_200_tags(service: Service) -> None:
    create(service, "family", Tags={f"k{number}": "" for number in range(200)})
    code, _message = service.refused("TagResource", ResourceArn=ARN + "family", Tags={"one more": ""})
    assert code == "ServiceQuotaExceededException"
    service("TagResource", ResourceArn=ARN + "family", Tags={"k0": "changed"})


@pytest.mark.parametrize("operation", ["TagResource", "UntagResource", "ListTagsForResource"])
@pytest.mark.parametrize(
    ("arn", "code"),
    [
        (ARN + "none", "ResourceNotFoundException"),
        (f"arn:aws:rekognition:us-east-1:{ACCOUNT}:collection/family", "ResourceNotFoundException"),
        ("arn:aws:s3:::a-bucket-of-photos", "InvalidParameterException"),
        ("a-string-without-colons", "InvalidParameterException"),
    ],
)
def test_tags_of_a_missing_collection(service: Service, operation: str, arn: str, code: str) -> None:
    create(service, "family")
    requests: dict[str, dict[str, Any]] = {"TagResource": {"Tags": {}}, "UntagResource": {"TagKeys": []}}
    assert service.refused(operation, ResourceArn=arn, **requests.get(operation, {}))[0] == code


def test_many_threads_create_each_collection_once(service: Service) -> None:
    created: list[str] = []

    def work() -> None:
        for number in range(50):
            code = "ok"
            try:
                create(service, f"c{number}")
            except Exception as error:
                code = type(error).__name__
            created.append(code)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert created.count("ok") == 50
    assert len(set(ids(service))) == 50


def test_collections_are_part_of_localstacks_state(service: Service) -> None:
    visitor = ServiceBackendCollectorVisitor()
    LocalStackService.for_provider(RekognitionProvider(Behaviour())).accept_state_visitor(visitor)
    assert visitor.store is stores


def test_faces_survive_a_copy_of_the_state(service: Service) -> None:
    create(service, "family")
    service("IndexFaces", CollectionId="family", Image={"Bytes": portrait(ADA)})
    (face,) = stores[ACCOUNT][REGION].collections["family"].faces.values()
    copy = pickle.loads(pickle.dumps(face))  # noqa: S301 - our own bytes
    assert copy.face_id == face.face_id
    assert copy.embedding.tolist() == face.embedding.tolist()
