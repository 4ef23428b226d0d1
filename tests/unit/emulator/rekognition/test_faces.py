"""DetectFaces and CompareFaces, as LocalStack calls them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from image_labels_emulator.rekognition.inference import Inference
from image_labels_emulator.vision.faces import Face
from support.faces import ADA, ADA_LATER, BOB, COUSIN, MODELS, portrait
from support.rekognition_calls import Service
from support.rekognition_model import picture, s3_image

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NO_FACE = ("InvalidParameterException", "Request has invalid parameters")


@pytest.fixture
def service() -> Service:
    return Service(MODELS)


def image(*people: tuple[int, int, int], **options: Any) -> dict[str, Any]:
    return {"Bytes": portrait(*people, **options)}


def compare(service: Service, source: dict[str, Any], target: dict[str, Any], **request: Any) -> dict[str, Any]:
    return service("CompareFaces", SourceImage=source, TargetImage=target, **request)


def only(face: Face) -> Service:
    """A service whose model finds this face in every picture."""
    return Service(Inference(find_faces=lambda _pixels: [face]))


UPRIGHT = Face(0.25, 0.25, 0.5, 0.5, ((0.4, 0.4), (0.6, 0.4), (0.5, 0.5), (0.4, 0.6), (0.6, 0.6)), 0.9)


def test_a_face_has_the_default_attributes(service: Service) -> None:
    (face,) = service("DetectFaces", Image=image(ADA))["FaceDetails"]
    assert face.keys() == {"BoundingBox", "Landmarks", "Pose", "Quality", "Confidence"}
    assert face["BoundingBox"] == pytest.approx(
        {"Width": 0.2, "Height": 0.4, "Left": 10 / 600, "Top": 20 / 300}, abs=0.01
    )
    assert face["Confidence"] == pytest.approx(99)
    assert face["Pose"] == {"Roll": 0}


def test_left_and_right_are_as_seen_in_the_picture(service: Service) -> None:
    (face,) = service("DetectFaces", Image=image(ADA))["FaceDetails"]
    landmarks = {one["Type"]: one for one in face["Landmarks"]}
    assert list(landmarks) == ["eyeLeft", "eyeRight", "nose", "mouthLeft", "mouthRight"]
    assert landmarks["eyeLeft"]["X"] < landmarks["nose"]["X"] < landmarks["eyeRight"]["X"]
    assert landmarks["mouthLeft"]["X"] < landmarks["mouthRight"]["X"]
    assert landmarks["eyeLeft"]["Y"] < landmarks["nose"]["Y"] < landmarks["mouthLeft"]["Y"]


@pytest.mark.parametrize("attributes", [[], ["DEFAULT"], ["ALL"], ["GENDER", "SMILE"]])
def test_attributes_without_a_model_are_absent(service: Service, attributes: list[str]) -> None:
    (face,) = service("DetectFaces", Image=image(ADA), Attributes=attributes)["FaceDetails"]
    assert face.keys() == {"BoundingBox", "Landmarks", "Pose", "Quality", "Confidence"}


def test_an_unknown_attribute_is_refused(service: Service) -> None:
    code, message = service.refused("DetectFaces", Image=image(ADA), Attributes=["HAIR"])
    assert code == "ValidationException"
    assert "Member must satisfy enum value set: [DEFAULT, ALL, " in message


# A picture of 200 x 100 pixels: the same ratio is twice as far to the side as down.
@pytest.mark.parametrize(
    ("right_eye", "roll"), [((0.6, 0.6), 26.57), ((0.6, 0.2), -26.57), ((0.4, 0.8), 90), ((0.2, 0.4), 180)]
)
def test_roll_is_the_slope_of_the_eyes(right_eye: tuple[float, float], roll: float) -> None:
    tilted = replace(UPRIGHT, landmarks=(UPRIGHT.landmarks[0], right_eye, *UPRIGHT.landmarks[2:]))
    (face,) = only(tilted)("DetectFaces", Image={"Bytes": picture()})["FaceDetails"]
    assert face["Pose"]["Roll"] == pytest.approx(roll, abs=0.01)


def test_quality_is_that_of_the_box_of_the_face(service: Service) -> None:
    (sharp,) = service("DetectFaces", Image=image(ADA))["FaceDetails"]
    (blurred,) = service("DetectFaces", Image=image(ADA, blurred=True))["FaceDetails"]
    assert sharp["Quality"]["Sharpness"] > 90
    assert blurred["Quality"]["Sharpness"] < 10
    (light,) = service("DetectFaces", Image=image((255, 190, 190)))["FaceDetails"]
    assert light["Quality"]["Brightness"] > sharp["Quality"]["Brightness"] + 20


def test_a_box_that_ends_at_the_edge() -> None:
    corner = replace(UPRIGHT, left=0.5, top=0.5)
    (face,) = only(corner)("DetectFaces", Image={"Bytes": picture()})["FaceDetails"]
    assert 0 <= face["Quality"]["Brightness"] <= 100


def test_no_face_is_an_empty_list(service: Service) -> None:
    assert service("DetectFaces", Image=image()) == {"FaceDetails": []}


def test_the_hundred_largest_faces() -> None:
    many = [replace(UPRIGHT, width=0.5 - number / 1000) for number in range(120)]
    service = Service(Inference(find_faces=lambda _pixels: many))
    found = service("DetectFaces", Image={"Bytes": picture()})["FaceDetails"]
    assert [face["BoundingBox"]["Width"] for face in found] == [face.width for face in many[:100]]


@pytest.mark.parametrize(
    ("width", "height", "side", "seen"),
    [(400, 300, 40, 1), (400, 300, 39, 0), (1920, 1080, 40, 1), (3840, 1080, 79, 0), (3840, 1080, 80, 1)],
)
def test_a_face_smaller_than_the_limit_is_not_detected(width: int, height: int, side: int, seen: int) -> None:
    small = replace(UPRIGHT, width=side / width, height=side / height)
    found = only(small)("DetectFaces", Image={"Bytes": picture(width, height)})["FaceDetails"]
    assert len(found) == seen


def test_a_photo_in_s3(service: Service) -> None:
    service.s3.put("ada.png", portrait(ADA))
    assert len(service("DetectFaces", Image=s3_image("ada.png"))["FaceDetails"]) == 1
    assert service.refused("DetectFaces", Image=s3_image("none.png"))[0] == "InvalidS3ObjectException"
    service.s3.sizes["ada.png"] = 15 * 1024 * 1024 + 1
    assert service.refused("DetectFaces", Image=s3_image("ada.png"))[0] == "ImageTooLargeException"


def test_the_same_person(service: Service) -> None:
    found = compare(service, image(ADA), image(BOB, ADA_LATER))
    assert found["SourceImageFace"].keys() == {"BoundingBox", "Confidence"}
    (match,) = found["FaceMatches"]
    assert match["Similarity"] > 99
    (other,) = found["UnmatchedFaces"]
    assert other["BoundingBox"]["Left"] < match["Face"]["BoundingBox"]["Left"]
    assert other.keys() == match["Face"].keys() == {"BoundingBox", "Landmarks", "Pose", "Quality", "Confidence"}


def test_matches_are_sorted_by_similarity(service: Service) -> None:
    found = compare(service, image(ADA), image(BOB, COUSIN, ADA_LATER, ADA), SimilarityThreshold=0)
    similarities = [match["Similarity"] for match in found["FaceMatches"]]
    assert similarities == sorted(similarities, reverse=True)
    assert len(similarities) == 4
    assert found["UnmatchedFaces"] == []


def test_the_threshold_is_80_unless_given(service: Service) -> None:
    assert compare(service, image(ADA), image(COUSIN))["FaceMatches"] == []
    (match,) = compare(service, image(ADA), image(COUSIN), SimilarityThreshold=70)["FaceMatches"]
    assert 70 <= match["Similarity"] < 80


def test_the_largest_face_of_the_source_is_compared(service: Service) -> None:
    assert compare(service, image(BOB, ADA), image(ADA))["FaceMatches"] == []
    assert len(compare(service, image(ADA, BOB), image(ADA))["FaceMatches"]) == 1


def test_an_image_without_a_face_cannot_be_compared(service: Service) -> None:
    assert service.refused("CompareFaces", SourceImage=image(), TargetImage=image(ADA)) == NO_FACE
    assert service.refused("CompareFaces", SourceImage=image(ADA), TargetImage=image()) == NO_FACE


def test_the_quality_filter_drops_faces(service: Service) -> None:
    poor = image(ADA, blurred=True)
    assert len(compare(service, image(ADA), poor)["FaceMatches"]) == 1
    found = compare(service, image(ADA), poor, QualityFilter="LOW")
    assert (found["FaceMatches"], found["UnmatchedFaces"]) == ([], [])
    assert service.refused("CompareFaces", SourceImage=poor, TargetImage=image(ADA), QualityFilter="AUTO") == NO_FACE


def test_source_and_target_are_named_in_errors(service: Service) -> None:
    code, message = service.refused("CompareFaces", SourceImage=image(ADA))
    assert code == "ValidationException"
    assert "Value null at 'targetImage' failed" in message
    assert service.refused("CompareFaces", SourceImage={}, TargetImage=image(ADA))[0] == "InvalidParameterException"


def test_the_pixels_of_the_upright_photo_are_looked_at() -> None:
    shapes: list[tuple[int, ...]] = []

    def find(pixels: NDArray[np.uint8]) -> list[Face]:
        shapes.append(pixels.shape)
        return []

    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6
    Service(Inference(find_faces=find))("DetectFaces", Image={"Bytes": picture(200, 100, exif=exif)})
    assert shapes == [(200, 100, 3)]
