"""DetectModerationLabels, as LocalStack calls it."""

from __future__ import annotations

from typing import Any

import pytest
from image_labels_emulator.rekognition.inference import Inference
from support.rekognition_calls import Service
from support.rekognition_model import picture, s3_image

EXPLICIT = {"Name": "Explicit", "ParentName": "", "TaxonomyLevel": 1}
FLOW = "arn:aws:sagemaker:eu-west-1:000000000000:flow-definition/review"
ADAPTER = "arn:aws:rekognition:eu-west-1:000000000000:project/p/version/v/1600000000000"


def scoring(score: float) -> Service:
    return Service(Inference(score_explicit=lambda _pixels: score))


def never(_pixels: object) -> float:
    raise AssertionError("the model must not be asked")


def dictated(labels: str) -> Service:
    service = Service(Inference(score_explicit=never))
    service.s3.put("a.jpg", picture(), **{"moderation-labels": labels})
    return service


def labels(service: Service, **request: Any) -> list[tuple[str, str, float]]:
    """Name, parent and confidence of each label."""
    found = service("DetectModerationLabels", Image=s3_image("a.jpg"), **request)["ModerationLabels"]
    return [(label["Name"], label["ParentName"], label["Confidence"]) for label in found]


def test_the_model_says_explicit_and_nothing_else() -> None:
    assert scoring(0.75)("DetectModerationLabels", Image={"Bytes": picture()}) == {
        "ModerationLabels": [EXPLICIT | {"Confidence": 75}],
        "ModerationModelVersion": "7.0",
        "ContentTypes": [],
    }


def test_min_confidence_is_50_unless_given() -> None:
    image = {"Bytes": picture()}
    assert len(scoring(0.5)("DetectModerationLabels", Image=image)["ModerationLabels"]) == 1
    assert scoring(0.499)("DetectModerationLabels", Image=image)["ModerationLabels"] == []
    assert scoring(0.9)("DetectModerationLabels", Image=image, MinConfidence=91)["ModerationLabels"] == []
    assert len(scoring(0.0)("DetectModerationLabels", Image=image, MinConfidence=0)["ModerationLabels"]) == 1


def test_metadata_dictates_labels_with_their_ancestors() -> None:
    assert labels(dictated("Weapon Violence=97")) == [
        ("Violence", "", 97),
        ("Graphic Violence", "Violence", 97),
        ("Weapon Violence", "Graphic Violence", 97),
    ]


def test_levels_of_the_taxonomy() -> None:
    found = dictated("Weapon Violence=97")("DetectModerationLabels", Image=s3_image("a.jpg"))
    assert [label["TaxonomyLevel"] for label in found["ModerationLabels"]] == [1, 2, 3]


def test_dictated_labels_are_sorted_and_filtered() -> None:
    service = dictated("Alcohol=60, Graphic Violence=97, Weapons=98.5")
    assert labels(service) == [
        ("Violence", "", 98.5),
        ("Weapons", "Violence", 98.5),
        ("Graphic Violence", "Violence", 97),
        ("Alcohol", "", 60),
    ]
    assert [name for name, _parent, _confidence in labels(service, MinConfidence=98)] == ["Violence", "Weapons"]


def test_empty_metadata_means_no_labels() -> None:
    assert labels(dictated("")) == []


@pytest.mark.parametrize("text", ["Kittens=97", "Alcohol", "Alcohol=", "Alcohol=101", "Alcohol=high", "violence=97"])
def test_invalid_metadata_is_refused(text: str) -> None:
    code, message = dictated(text).refused("DetectModerationLabels", Image=s3_image("a.jpg"))
    assert code == "InvalidParameterException"
    assert message.startswith(f"x-amz-meta-moderation-labels has {text!r}; expected Name=confidence")


def test_labels_of_detect_labels_dictate_nothing_here() -> None:
    service = scoring(0.1)
    service.s3.put("a.jpg", picture(), labels="Weapon=99")
    assert labels(service) == []


def test_human_review_and_adapters_do_not_exist() -> None:
    service = scoring(0.1)
    image = {"Bytes": picture()}
    review = {"HumanLoopName": "a-1", "FlowDefinitionArn": FLOW}
    assert service.refused("DetectModerationLabels", Image=image, HumanLoopConfig=review) == (
        "ResourceNotFoundException",
        f"The flow definition {FLOW} does not exist",
    )
    assert service.refused("DetectModerationLabels", Image=image, ProjectVersion=ADAPTER) == (
        "ResourceNotFoundException",
        f"The adapter {ADAPTER} does not exist",
    )
