from __future__ import annotations

from typing import Any

import pytest
from image_labels_emulator.rekognition import label_request, validation
from image_labels_emulator.rekognition.errors import RekognitionError
from image_labels_emulator.rekognition.validation import S3Photo
from support.rekognition_model import checked, picture, s3_image


def parsed(request: dict[str, Any]) -> label_request.DetectLabelsRequest:
    validation.check("DetectLabels", request)
    return label_request.parse(request)


def refused(**request: Any) -> RekognitionError:
    with pytest.raises(RekognitionError) as caught:
        parsed(request)
    assert caught.value.status_code == 400
    return caught.value


def test_defaults_are_the_documented_ones() -> None:
    request = checked(Image=s3_image("images/a.jpg"))
    assert request.image == S3Photo("photos", "images/a.jpg", None)
    assert request.max_labels == 1000
    assert request.min_confidence == 55
    assert request.features == {"GENERAL_LABELS"}
    assert request.max_dominant_colors == 10


def test_all_members_of_a_request_are_parsed() -> None:
    request = checked(
        Image={"S3Object": {"Bucket": "photos", "Name": "a.jpg", "Version": "v1"}},
        MaxLabels=3,
        MinConfidence=80,
        Features=["GENERAL_LABELS", "IMAGE_PROPERTIES"],
        Settings={
            "GeneralLabels": {
                "LabelInclusionFilters": ["Dog"],
                "LabelExclusionFilters": ["Cat"],
                "LabelCategoryInclusionFilters": ["Animals and Pets"],
                "LabelCategoryExclusionFilters": ["Education"],
            },
            "ImageProperties": {"MaxDominantColors": 2},
        },
    )
    assert request.image == S3Photo("photos", "a.jpg", "v1")
    assert (request.max_labels, request.min_confidence, request.max_dominant_colors) == (3, 80.0, 2)
    assert request.features == {"GENERAL_LABELS", "IMAGE_PROPERTIES"}
    assert request.filters.include_labels == {"Dog"}
    assert request.filters.exclude_labels == {"Cat"}
    assert request.filters.include_categories == {"Animals and Pets"}
    assert request.filters.exclude_categories == {"Education"}


def test_zero_is_not_replaced_by_the_default() -> None:
    request = checked(
        Image={"Bytes": b"x"},
        MaxLabels=0,
        MinConfidence=0,
        Features=["GENERAL_LABELS", "IMAGE_PROPERTIES"],
        Settings={"ImageProperties": {"MaxDominantColors": 0}},
    )
    assert (request.max_labels, request.min_confidence, request.max_dominant_colors) == (0, 0.0, 0)


def test_more_than_1000_labels_are_1000() -> None:
    assert checked(Image={"Bytes": picture()}, MaxLabels=5000).max_labels == 1000


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({}, "Value null at 'image' failed to satisfy constraint: Member must not be null"),
        (
            {"Image": {"Bytes": b""}},
            (
                "Value 'java.nio.HeapByteBuffer[pos=0 lim=0 cap=0]' at 'image.bytes' failed to satisfy constraint: "
                "Member must have length greater than or equal to 1"
            ),
        ),
        (
            {"Image": {"Bytes": bytes(5_242_881)}},
            (
                "Value 'java.nio.HeapByteBuffer[pos=0 lim=5242881 cap=5242881]' at 'image.bytes' failed to satisfy "
                "constraint: Member must have length less than or equal to 5242880"
            ),
        ),
        ({"Image": s3_image(bucket="b!")}, "Value 'b!' at 'image.s3Object.bucket' failed"),
        ({"Image": s3_image("k" * 1025)}, "at 'image.s3Object.name' failed to satisfy constraint: Member must have"),
        (
            {"Image": s3_image(), "MaxLabels": -1},
            "Value '-1' at 'maxLabels' failed to satisfy constraint: Member must have value greater than or equal to 0",
        ),
        ({"Image": s3_image(), "MinConfidence": -0.1}, "Value '-0.1' at 'minConfidence' failed"),
        (
            {"Image": s3_image(), "MinConfidence": 100.1},
            (
                "Value '100.1' at 'minConfidence' failed to satisfy constraint: "
                "Member must have value less than or equal to 100"
            ),
        ),
        (
            {"Image": s3_image(), "Features": ["FACES"]},
            (
                "Value '[FACES]' at 'features' failed to satisfy constraint: Member must satisfy constraint: "
                "[Member must satisfy enum value set: [GENERAL_LABELS, IMAGE_PROPERTIES]]"
            ),
        ),
        (
            {"Image": s3_image(), "Features": ["GENERAL_LABELS"] * 3},
            "at 'features' failed to satisfy constraint: Member must have length less than or equal to 2",
        ),
        (
            {
                "Image": s3_image(),
                "Features": ["IMAGE_PROPERTIES"],
                "Settings": {"ImageProperties": {"MaxDominantColors": 21}},
            },
            "Value '21' at 'settings.imageProperties.maxDominantColors' failed",
        ),
    ],
)
def test_validation_messages_are_the_services(request_: dict[str, Any], words: str) -> None:
    error = refused(**request_)
    assert error.code == "ValidationException"
    assert error.message.startswith("1 validation error detected: ") or "; " in error.message
    assert words in error.message


@pytest.mark.parametrize(
    "name",
    [
        "LabelInclusionFilters",
        "LabelExclusionFilters",
        "LabelCategoryInclusionFilters",
        "LabelCategoryExclusionFilters",
    ],
)
@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        (["Dog"] * 101, "Member must have length less than or equal to 100"),
        (["x" * 51], "Member must satisfy constraint: [Member must have length less than or equal to 50]"),
        (["Dog!"], "Member must satisfy constraint: [Member must satisfy regular expression pattern:"),
    ],
)
def test_each_filter_has_its_limits(name: str, values: list[str], constraint: str) -> None:
    error = refused(Image=s3_image(), Settings={"GeneralLabels": {name: values}})
    assert error.code == "ValidationException"
    assert f"at 'settings.generalLabels.{name[0].lower()}{name[1:]}' failed" in error.message
    assert constraint in error.message
    parsed({"Image": s3_image(), "Settings": {"GeneralLabels": {name: ["Dog"] * 100}}})


def test_message_has_all_errors() -> None:
    error = refused(Image=s3_image(), MaxLabels=-1, MinConfidence=101)
    assert error.message.startswith("2 validation errors detected: Value '-1' at 'maxLabels'")
    assert "; Value '101' at 'minConfidence'" in error.message


@pytest.mark.parametrize(
    "request_",
    [
        {"Image": "photo.jpg"},
        {"Image": s3_image(), "MaxLabels": "10"},
        {"Image": s3_image(), "MaxLabels": True},
        {"Image": s3_image(), "Features": "GENERAL_LABELS"},
        {"Image": s3_image(), "Features": [1]},
        {"Image": {"Bytes": "text"}},
    ],
)
def test_wrong_json_type_is_a_serialization_exception(request_: dict[str, Any]) -> None:
    assert refused(**request_).code == "SerializationException"


@pytest.mark.parametrize("image", [{}, {"Bytes": b"x", "S3Object": {"Bucket": "photos", "Name": "a.jpg"}}])
def test_exactly_one_form_of_image(image: dict[str, Any]) -> None:
    error = refused(Image=image)
    assert (error.code, error.message) == ("InvalidParameterException", "Request has invalid parameters")


@pytest.mark.parametrize("place", [{}, {"Bucket": "photos"}, {"Name": "a.jpg"}])
def test_incomplete_s3_object_is_refused(place: dict[str, Any]) -> None:
    error = refused(Image={"S3Object": place})
    assert (error.code, error.message) == ("InvalidS3ObjectException", "Request has invalid S3 object")


@pytest.mark.parametrize(
    "request_",
    [
        {"MaxLabels": 5},
        {"MinConfidence": 50},
        {"Settings": {"GeneralLabels": {"LabelInclusionFilters": ["Dog"]}}},
    ],
)
def test_label_settings_need_the_label_feature(request_: dict[str, Any]) -> None:
    assert refused(Image=s3_image(), Features=["IMAGE_PROPERTIES"], **request_).code == "InvalidParameterException"
    parsed({"Image": s3_image(), **request_})


def test_property_settings_need_the_property_feature() -> None:
    settings = {"ImageProperties": {"MaxDominantColors": 5}}
    assert refused(Image=s3_image(), Settings=settings).code == "InvalidParameterException"
    parsed({"Image": s3_image(), "Settings": settings, "Features": ["IMAGE_PROPERTIES"]})


def test_unknown_members_are_ignored() -> None:
    assert parsed({"Image": s3_image(), "Colour": "red"}).max_labels == 1000


def violations(operation: str, **request: Any) -> str:
    with pytest.raises(RekognitionError) as caught:
        validation.check(operation, request)
    assert caught.value.code == "ValidationException"
    return caught.value.message


@pytest.mark.parametrize("collection_id", ["", "a" * 256, "a b", "ä"])
def test_collection_ids(collection_id: str) -> None:
    assert "at 'collectionId' failed" in violations("CreateCollection", CollectionId=collection_id)


def test_tags_are_checked_by_key_and_by_value() -> None:
    message = violations("CreateCollection", CollectionId="a", Tags={"aws:x": "1", "b": "!"})
    assert "Value '{aws:x=1, b=!}' at 'tags' failed to satisfy constraint: Map keys must satisfy constraint:" in message
    assert "Map value must satisfy constraint: [Member must satisfy regular expression pattern:" in message
    assert "greater than or equal to 1" in violations("CreateCollection", CollectionId="a", Tags={"": "x"})
    validation.check("CreateCollection", {"CollectionId": "a", "Tags": {"Größe ½": "大きい", "äws:x": ""}})


def test_a_tag_with_a_control_character() -> None:
    assert "at 'tags' failed" in violations("CreateCollection", CollectionId="a", Tags={"a": "b\x85"})


def test_members_of_a_list_of_structures_are_named_by_number() -> None:
    image = {"Bytes": b"x"}
    with pytest.raises(RekognitionError) as caught:
        validation.check(
            "DetectText", {"Image": image, "Filters": {"RegionsOfInterest": [{}, {"BoundingBox": {"Left": "0"}}]}}
        )
    assert caught.value.code == "SerializationException"
    assert "at 'filters.regionsOfInterest.2.member.boundingBox.left'" in caught.value.message
    too_many = violations("DetectText", Image=image, Filters={"RegionsOfInterest": [{}] * 11})
    assert "at 'filters.regionsOfInterest' failed" in too_many


@pytest.mark.parametrize("external_id", ["a b", "a/b", "", "x" * 256])
def test_external_image_ids(external_id: str) -> None:
    request = {"CollectionId": "a", "Image": {"Bytes": b"x"}, "ExternalImageId": external_id}
    assert "at 'externalImageId' failed" in violations("IndexFaces", **request)
    validation.check("IndexFaces", request | {"ExternalImageId": "a_b.c-d:1"})
