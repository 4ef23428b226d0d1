from __future__ import annotations

from typing import Any

import pytest
from image_labels_emulator.rekognition.sources import Box, Found
from support.rekognition_model import answer, names


def at(*lefts: float, confidence: float = 99) -> tuple[Box, ...]:
    """Boxes in a row."""
    return tuple(Box(left, 0.25, 0.1, 0.5, confidence) for left in lefts)


def general(**filters: list[str]) -> dict[str, Any]:
    return {"Settings": {"GeneralLabels": filters}}


def test_ancestors_of_a_label_are_in_the_answer() -> None:
    found = answer(Found("Dog", 98.7, at(0.1)))
    # As in a published answer: by confidence, then by name.
    assert names(found) == ["Animal", "Canine", "Dog", "Mammal", "Pet"]
    assert {label["Confidence"] for label in found["Labels"]} == {98.7}
    dog = found["Labels"][2]
    assert dog["Parents"] == [{"Name": "Animal"}, {"Name": "Canine"}, {"Name": "Mammal"}, {"Name": "Pet"}]
    assert dog["Categories"] == [{"Name": "Animals and Pets"}]
    assert len(dog["Instances"]) == 1
    assert found["Labels"][0]["Instances"] == []
    assert found["LabelModelVersion"] == "3.0-emulated"  # the real model is "3.0"
    assert "OrientationCorrection" not in found
    assert "ImageProperties" not in found


def test_confidence_of_an_ancestor_is_at_least_that_of_its_labels() -> None:
    found = {label["Name"]: label["Confidence"] for label in answer(Found("Dog", 90), Found("Cat", 70))["Labels"]}
    assert found == {"Animal": 90, "Canine": 90, "Dog": 90, "Mammal": 90, "Pet": 90, "Cat": 70}
    told = {label["Name"]: label["Confidence"] for label in answer(Found("Animal", 60), Found("Cat", 70))["Labels"]}
    assert told["Animal"] == 70


def test_alias_is_not_a_label() -> None:
    found = answer(Found("Mobile Phone", 97))
    assert names(found) == ["Electronics", "Mobile Phone", "Phone"]
    assert found["Labels"][1]["Aliases"] == [{"Name": "Cell Phone"}]


def test_label_outside_the_taxonomy_has_no_parents() -> None:
    assert answer(Found("Sarsen", 88))["Labels"] == [
        {"Name": "Sarsen", "Confidence": 88, "Instances": [], "Parents": [], "Aliases": [], "Categories": []}
    ]


def test_min_confidence_is_55_unless_given_and_inclusive() -> None:
    found = (Found("Grass", 55), Found("Text", 54.9))
    assert names(answer(*found)) == ["Grass", "Plant"]
    assert names(answer(*found, MinConfidence=54.9)) == ["Grass", "Plant", "Text"]
    assert names(answer(*found, MinConfidence=80)) == []


def test_max_labels_keeps_the_highest_confidences() -> None:
    found = (Found("Text", 60), Found("Rock", 90), Found("Logo", 75))
    assert names(answer(*found, MaxLabels=2)) == ["Rock", "Logo"]
    assert names(answer(*found, MaxLabels=0)) == []


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"LabelInclusionFilters": ["Dog", "Rock"]}, ["Dog", "Rock"]),
        ({"LabelInclusionFilters": ["dog"]}, []),
        ({"LabelInclusionFilters": ["Human"]}, []),
        ({"LabelInclusionFilters": ["Unheard Of"]}, []),
        ({"LabelExclusionFilters": ["Dog", "Animal", "Unheard Of"]}, ["Canine", "Mammal", "Pet", "Person", "Rock"]),
        ({"LabelCategoryInclusionFilters": ["Nature and Outdoors"]}, ["Rock"]),
        ({"LabelCategoryInclusionFilters": ["Nature and Outdoors", "Person Description"]}, ["Person", "Rock"]),
        ({"LabelCategoryExclusionFilters": ["Animals and Pets"]}, ["Person", "Rock"]),
        (
            {"LabelInclusionFilters": ["Dog"], "LabelCategoryInclusionFilters": ["Person Description"]},
            ["Dog", "Person"],
        ),
        ({"LabelInclusionFilters": ["Dog", "Rock"], "LabelExclusionFilters": ["Dog"]}, ["Rock"]),
        (
            {"LabelCategoryInclusionFilters": ["Animals and Pets"], "LabelExclusionFilters": ["Dog", "Pet"]},
            ["Animal", "Canine", "Mammal"],
        ),
        ({"LabelInclusionFilters": ["Dog"], "LabelCategoryExclusionFilters": ["Animals and Pets"]}, []),
        ({"LabelInclusionFilters": [], "LabelCategoryInclusionFilters": []}, "all"),
    ],
)
def test_filters(filters: dict[str, list[str]], expected: list[str] | str) -> None:
    found = (Found("Dog", 99), Found("Person", 80), Found("Rock", 70))
    everything = names(answer(*found))
    assert everything == ["Animal", "Canine", "Dog", "Mammal", "Pet", "Person", "Rock"]
    assert names(answer(*found, **general(**filters))) == (everything if expected == "all" else expected)


def test_filters_come_before_max_labels() -> None:
    found = (Found("Rock", 90), Found("Text", 80), Found("Logo", 70))
    request = general(LabelExclusionFilters=["Rock"])
    assert names(answer(*found, MaxLabels=2, **request)) == ["Text", "Logo"]


def boxes(found: dict[str, Any], name: str) -> list[dict[str, Any]]:
    instances: list[dict[str, Any]] = next(label["Instances"] for label in found["Labels"] if label["Name"] == name)
    return instances


def test_boxes_are_those_of_the_source() -> None:
    found = answer(Found("Person", 99, at(0.1, 0.6, confidence=97.5)))
    assert boxes(found, "Person") == [
        {"BoundingBox": {"Width": 0.1, "Height": 0.5, "Left": left, "Top": 0.25}, "Confidence": 97.5}
        for left in (0.1, 0.6)
    ]


def test_label_without_boxes_has_no_instances() -> None:
    assert boxes(answer(Found("Person", 99)), "Person") == []


def test_box_of_a_label_is_a_box_of_its_ancestors() -> None:
    found = answer(Found("Woman", 99, at(0.1, 0.6)), Found("Puppy", 90, at(0.3)))
    assert boxes(found, "Woman") == boxes(found, "Adult") == boxes(found, "Person")
    assert len(boxes(found, "Person")) == 2
    # In published answers a Puppy has no boxes, but its parent Dog has.
    assert boxes(found, "Puppy") == []
    assert len(boxes(found, "Dog")) == 1


def test_ancestor_that_was_found_itself_keeps_its_own_boxes() -> None:
    found = answer(Found("Person", 99, at(0.1, 0.4, 0.7)), Found("Woman", 98, at(0.1)))
    assert len(boxes(found, "Person")) == 3
    assert len(boxes(found, "Woman")) == 1


def test_image_properties_are_in_the_answer_if_requested() -> None:
    found = answer(Found("Dog", 99, at(0.1)), Features=["GENERAL_LABELS", "IMAGE_PROPERTIES"])
    assert set(found["ImageProperties"]) == {"Quality", "DominantColors", "Foreground", "Background"}
    assert found["ImageProperties"]["DominantColors"]
    assert boxes(found, "Dog")[0]["DominantColors"]
    assert "DominantColors" not in boxes(answer(Found("Dog", 99, at(0.1))), "Dog")[0]


def test_max_dominant_colors_limits_the_colours() -> None:
    request: dict[str, Any] = {
        "Features": ["GENERAL_LABELS", "IMAGE_PROPERTIES"],
        "Settings": {"ImageProperties": {"MaxDominantColors": 1}},
    }
    found = answer(Found("Dog", 99, at(0.1)), **request)
    properties = found["ImageProperties"]
    for part in (properties, properties["Foreground"], properties["Background"], boxes(found, "Dog")[0]):
        assert len(part["DominantColors"]) == 1


def test_image_properties_alone_come_without_labels() -> None:
    found = answer(Found("Dog", 99, at(0.1)), Features=["IMAGE_PROPERTIES"])
    assert found["Labels"] == []
    assert found["ImageProperties"]["Quality"]["Brightness"] > 0
