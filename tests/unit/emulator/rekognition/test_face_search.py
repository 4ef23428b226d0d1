"""Faces of a collection, as LocalStack calls the operations."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from image_labels_emulator.rekognition.inference import Inference
from image_labels_emulator.rekognition.store import stores
from support.faces import ADA, ADA_LATER, BOB, COUSIN, MODELS, embed, find_faces, portrait
from support.rekognition_calls import Service
from support.rekognition_model import s3_image

FAMILY = "family"


@pytest.fixture
def service() -> Iterator[Service]:
    stores.reset()
    made = Service(MODELS)
    made("CreateCollection", CollectionId=FAMILY)
    yield made
    stores.reset()


def index(service: Service, data: bytes, **request: Any) -> dict[str, Any]:
    return service("IndexFaces", CollectionId=FAMILY, Image={"Bytes": data}, **request)


def indexed(service: Service, *people: tuple[int, int, int], **request: Any) -> list[str]:
    """The IDs of the faces of a picture, largest first."""
    records = index(service, portrait(*people), **request)["FaceRecords"]
    return [record["Face"]["FaceId"] for record in records]


def found_by_image(service: Service, *people: tuple[int, int, int], **request: Any) -> list[str]:
    answer = service("SearchFacesByImage", CollectionId=FAMILY, Image={"Bytes": portrait(*people)}, **request)
    return [match["Face"]["FaceId"] for match in answer["FaceMatches"]]


def found_by_face(service: Service, face_id: str, **request: Any) -> list[str]:
    answer = service("SearchFaces", CollectionId=FAMILY, FaceId=face_id, **request)
    assert answer["SearchedFaceId"] == face_id
    return [match["Face"]["FaceId"] for match in answer["FaceMatches"]]


def listed(service: Service, **request: Any) -> list[str]:
    return [face["FaceId"] for face in service("ListFaces", CollectionId=FAMILY, **request)["Faces"]]


def count(service: Service) -> int:
    return int(service("DescribeCollection", CollectionId=FAMILY)["FaceCount"])


def test_faces_are_indexed_largest_first(service: Service) -> None:
    found = index(service, portrait(ADA, BOB), ExternalImageId="holiday:1")
    assert (found["FaceModelVersion"], found["UnindexedFaces"]) == ("7.0", [])
    ada, bob = found["FaceRecords"]
    assert ada["Face"]["BoundingBox"] == ada["FaceDetail"]["BoundingBox"]
    assert ada["Face"]["BoundingBox"]["Width"] > bob["Face"]["BoundingBox"]["Width"]
    assert ada["Face"]["ImageId"] == bob["Face"]["ImageId"]
    assert ada["Face"]["FaceId"] != bob["Face"]["FaceId"]
    assert {record["Face"]["ExternalImageId"] for record in (ada, bob)} == {"holiday:1"}
    assert count(service) == 2


def test_a_face_is_found_by_another_picture(service: Service) -> None:
    ada, _bob = indexed(service, ADA, BOB)
    answer = service("SearchFacesByImage", CollectionId=FAMILY, Image={"Bytes": portrait(ADA_LATER)})
    (match,) = answer["FaceMatches"]
    assert match["Face"]["FaceId"] == ada
    assert match["Similarity"] > 99
    assert answer["SearchedFaceConfidence"] == pytest.approx(99)
    assert answer["SearchedFaceBoundingBox"]["Width"] == pytest.approx(0.2)


def test_the_largest_face_of_the_picture_is_searched_for(service: Service) -> None:
    (bob,) = indexed(service, BOB)
    assert found_by_image(service, ADA, BOB) == []
    assert found_by_image(service, BOB, ADA) == [bob]


def test_a_face_is_found_by_its_id_without_itself(service: Service) -> None:
    (ada,) = indexed(service, ADA)
    (later,) = indexed(service, ADA_LATER)
    indexed(service, BOB)
    assert found_by_face(service, ada) == [later]
    assert found_by_face(service, later) == [ada]


def test_matches_are_sorted_limited_and_above_the_threshold(service: Service) -> None:
    (cousin,), (later,), (ada,) = (indexed(service, person) for person in (COUSIN, ADA_LATER, ADA))
    assert found_by_image(service, ADA) == [ada, later]
    assert found_by_image(service, ADA, FaceMatchThreshold=70) == [ada, later, cousin]
    assert found_by_image(service, ADA, FaceMatchThreshold=99.95) == [ada]
    assert found_by_image(service, ADA, MaxFaces=1) == [ada]
    assert found_by_face(service, ada, FaceMatchThreshold=0, MaxFaces=1) == [later]


def test_the_same_image_is_indexed_again_without_an_external_id(service: Service) -> None:
    first, second = (index(service, portrait(ADA))["FaceRecords"][0]["Face"] for _ in range(2))
    assert first["ImageId"] == second["ImageId"]
    assert first["FaceId"] != second["FaceId"]
    assert count(service) == 2


def test_the_same_image_is_indexed_again_with_its_external_id(service: Service) -> None:
    first = indexed(service, ADA, BOB, ExternalImageId="holiday")
    assert indexed(service, ADA, BOB, ExternalImageId="holiday") == first
    assert count(service) == 2
    assert indexed(service, ADA, BOB, ExternalImageId="birthday") != first
    assert count(service) == 4


def test_another_image_has_another_image_id(service: Service) -> None:
    ada, bob = (index(service, portrait(person))["FaceRecords"][0]["Face"] for person in (ADA, BOB))
    assert ada["ImageId"] != bob["ImageId"]
    assert uuid.UUID(ada["ImageId"]).version == 5


def test_a_face_without_an_external_id_has_none(service: Service) -> None:
    indexed(service, ADA)
    (face,) = service("ListFaces", CollectionId=FAMILY)["Faces"]
    assert "ExternalImageId" not in face


def test_max_faces_keeps_the_largest(service: Service) -> None:
    found = index(service, portrait(BOB, ADA, COUSIN), MaxFaces=1)
    assert len(found["FaceRecords"]) == 1
    assert [face["Reasons"] for face in found["UnindexedFaces"]] == [["EXCEEDS_MAX_FACES"]] * 2
    assert found_by_image(service, BOB) == [found["FaceRecords"][0]["Face"]["FaceId"]]
    assert found_by_image(service, ADA) == []


def test_poor_faces_are_not_indexed_unless_all_are_asked_for(service: Service) -> None:
    poor = portrait(ADA, blurred=True)
    found = index(service, poor)
    assert found["FaceRecords"] == []
    (face,) = found["UnindexedFaces"]
    assert face["Reasons"] == ["LOW_SHARPNESS"]
    assert face["FaceDetail"]["Quality"]["Sharpness"] < 4
    assert len(index(service, poor, QualityFilter="NONE")["FaceRecords"]) == 1


@pytest.mark.parametrize(
    ("quality_filter", "side", "score", "reasons"),
    [
        ("AUTO", 60, 0.55, ["LOW_CONFIDENCE"]),
        ("LOW", 50, 0.65, []),
        ("MEDIUM", 50, 0.65, ["LOW_CONFIDENCE", "SMALL_BOUNDING_BOX"]),
        ("MEDIUM", 60, 0.75, []),
        ("HIGH", 60, 0.75, ["LOW_CONFIDENCE", "SMALL_BOUNDING_BOX"]),
        ("HIGH", 100, 0.85, []),
        ("NONE", 50, 0.55, []),
    ],
)
def test_bars_of_the_quality_filter(
    service: Service, quality_filter: str, side: int, score: float, reasons: list[str]
) -> None:
    unsure = Inference(
        find_faces=lambda pixels: [replace(face, score=score) for face in find_faces(pixels)], embed=embed
    )
    found = Service(unsure)(
        "IndexFaces",
        CollectionId=FAMILY,
        Image={"Bytes": portrait((255, 190, 190), side=side)},
        QualityFilter=quality_filter,
    )
    assert [face["Reasons"] for face in found["UnindexedFaces"]] == ([reasons] if reasons else [])


def test_a_dark_face(service: Service) -> None:
    dark = Inference(find_faces=find_faces, embed=embed)
    found = Service(dark)("IndexFaces", CollectionId=FAMILY, Image={"Bytes": portrait((62, 0, 0))})
    assert found["UnindexedFaces"][0]["Reasons"] == ["LOW_BRIGHTNESS"]


def test_an_image_without_faces_indexes_nothing(service: Service) -> None:
    assert index(service, portrait()) == {"FaceRecords": [], "FaceModelVersion": "7.0", "UnindexedFaces": []}


def test_an_image_without_faces_cannot_be_searched_for(service: Service) -> None:
    indexed(service, ADA)
    no_faces = ("InvalidParameterException", "There are no faces in the image. Should be at least 1.")
    request: dict[str, Any] = {"CollectionId": FAMILY}
    assert service.refused("SearchFacesByImage", Image={"Bytes": portrait()}, **request) == no_faces
    poor = {"Bytes": portrait(ADA, blurred=True)}
    assert service.refused("SearchFacesByImage", Image=poor, QualityFilter="LOW", **request) == no_faces
    assert len(service("SearchFacesByImage", Image=poor, **request)["FaceMatches"]) == 1


def test_an_empty_collection_has_no_matches(service: Service) -> None:
    assert found_by_image(service, ADA) == []


def test_an_unknown_face_cannot_be_searched_for(service: Service) -> None:
    assert service.refused("SearchFaces", CollectionId=FAMILY, FaceId=str(uuid.uuid4())) == (
        "InvalidParameterException",
        "faceId was not found in the collection.",
    )
    code, message = service.refused("SearchFaces", CollectionId=FAMILY, FaceId="ada")
    assert code == "ValidationException"
    assert "at 'faceId' failed" in message


def test_faces_are_listed_in_pages(service: Service) -> None:
    all_faces = [indexed(service, ADA)[0] for _ in range(5)]
    first = service("ListFaces", CollectionId=FAMILY, MaxResults=2)
    assert [face["FaceId"] for face in first["Faces"]] == all_faces[:2]
    assert first["Faces"][0].keys() == {"FaceId", "BoundingBox", "ImageId", "Confidence", "IndexFacesModelVersion"}
    service("DeleteFaces", CollectionId=FAMILY, FaceIds=[all_faces[1]])
    rest = service("ListFaces", CollectionId=FAMILY, NextToken=first["NextToken"])
    assert [face["FaceId"] for face in rest["Faces"]] == all_faces[2:]
    assert "NextToken" not in rest


def test_a_token_ends_with_its_collection(service: Service) -> None:
    indexed(service, ADA, BOB)
    token = service("ListFaces", CollectionId=FAMILY, MaxResults=1)["NextToken"]
    service("DeleteCollection", CollectionId=FAMILY)
    service("CreateCollection", CollectionId=FAMILY)
    code, _message = service.refused("ListFaces", CollectionId=FAMILY, NextToken=token)
    assert code == "InvalidPaginationTokenException"


def test_faces_are_listed_by_id(service: Service) -> None:
    ada, bob = indexed(service, ADA, BOB)
    assert listed(service) == [ada, bob]
    assert listed(service, FaceIds=[bob, str(uuid.uuid4())]) == [bob]


def test_a_collection_has_no_users(service: Service) -> None:
    assert service.refused("ListFaces", CollectionId=FAMILY, UserId="ada") == (
        "ResourceNotFoundException",
        "The user ada does not exist",
    )


def test_deleted_faces_are_gone(service: Service) -> None:
    ada, bob = indexed(service, ADA, BOB)
    unknown = str(uuid.uuid4())
    assert service("DeleteFaces", CollectionId=FAMILY, FaceIds=[ada, unknown, ada]) == {
        "DeletedFaces": [ada],
        "UnsuccessfulFaceDeletions": [{"FaceId": unknown, "Reasons": ["FACE_NOT_FOUND"]}],
    }
    assert listed(service) == [bob]
    assert found_by_image(service, ADA) == []


def test_photos_in_s3(service: Service) -> None:
    service.s3.put("ada.png", portrait(ADA))
    service("IndexFaces", CollectionId=FAMILY, Image=s3_image("ada.png"))
    found = service("SearchFacesByImage", CollectionId=FAMILY, Image=s3_image("ada.png"))
    assert len(found["FaceMatches"]) == 1
    assert service.refused("IndexFaces", CollectionId=FAMILY, Image=s3_image("none"))[0] == "InvalidS3ObjectException"


def test_a_collection_that_is_deleted_meanwhile(service: Service) -> None:
    def find(pixels: Any) -> Any:
        service("DeleteCollection", CollectionId=FAMILY)
        return find_faces(pixels)

    slow = Service(Inference(find_faces=find, embed=embed))
    code, _message = slow.refused("IndexFaces", CollectionId=FAMILY, Image={"Bytes": portrait(ADA)})
    assert code == "ResourceNotFoundException"


def test_many_threads_lose_no_face(service: Service) -> None:
    threads = [threading.Thread(target=lambda: [indexed(service, ADA) for _ in range(5)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(listed(service))) == 20


def test_metadata_dictates_faces_of_people(service: Service) -> None:
    def put(key: str, faces: str) -> dict[str, Any]:
        service.s3.put(key, portrait(BOB), faces=faces)
        return s3_image(key)

    group = put("images/group.jpg", "Ada=99.9@0.1:0.2:0.25:0.5|Bob=98@0.5:0.2:0.5:0.5")
    bob, ada = service("IndexFaces", CollectionId=FAMILY, Image=group)["FaceRecords"]  # largest first
    assert ada["FaceDetail"]["BoundingBox"] == {"Left": 0.1, "Top": 0.2, "Width": 0.25, "Height": 0.5}
    assert (ada["Face"]["Confidence"], bob["Face"]["Confidence"]) == (99.9, 98)
    found = service("SearchFacesByImage", CollectionId=FAMILY, Image=put("images/ada.jpg", "Ada=97"))
    assert [match["Face"]["FaceId"] for match in found["FaceMatches"]] == [ada["Face"]["FaceId"]]
    assert found["FaceMatches"][0]["Similarity"] > 99
    assert len(service("DetectFaces", Image=put("images/two.jpg", "Ada=97|Eve=90"))["FaceDetails"]) == 2
    assert service("DetectFaces", Image=put("images/nobody.jpg", ""))["FaceDetails"] == []


@pytest.mark.parametrize("faces", ["Ada", "Ada=101", "=99", "Ada=99@0.9:0:0.2:0.1", "Ada=99@0:0:0:0.1"])
def test_wrong_metadata_is_refused(service: Service, faces: str) -> None:
    service.s3.put("images/a.jpg", portrait(BOB), faces=faces)
    code, message = service.refused("DetectFaces", Image=s3_image("images/a.jpg"))
    assert code == "InvalidParameterException"
    assert faces in message
