"""DetectModerationLabels' request and answer; botocore's Stubber checks both against the service model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest
from botocore.stub import Stubber
from image_labels.calls import Caller
from image_labels.detectors.moderation import Moderation, ModerationCriteria, ModerationDetector, ModerationLabel
from image_labels.failures import TryAgain
from image_labels.model import Label, Photo
from image_labels.pace import Pace
from image_labels.tables.findings import attributes_of, readable_findings
from image_labels.tables.terms import terms_of

if TYPE_CHECKING:
    from mypy_boto3_rekognition import RekognitionClient

PHOTO = Photo("photos-bucket", "images/a b.jpg", "abc", "v1", 4711)
GORE = ModerationLabel("Blood & Gore", ("Graphic Violence", "Violence"), 95.0)


@pytest.fixture
def stub() -> Iterator[Stubber]:
    with Stubber(boto3.client("rekognition")) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def detected(name: str, parent: str = "", confidence: float = 95.0) -> dict[str, Any]:
    return {"Name": name, "ParentName": parent, "Confidence": confidence, "TaxonomyLevel": 1}


def detector(stub: Stubber, min_confidence: float = 80.0) -> ModerationDetector:
    caller = Caller("DetectModerationLabels", Pace(1000), sleep=lambda _seconds: None)
    return ModerationDetector(cast("RekognitionClient", stub.client), caller, ModerationCriteria(min_confidence))


def finding(stub: Stubber, *labels: dict[str, Any], min_confidence: float = 80.0) -> Moderation:
    stub.add_response("detect_moderation_labels", {"ModerationLabels": list(labels), "ModerationModelVersion": "7.0"})
    return detector(stub, min_confidence).detect(PHOTO, lambda: False)


@pytest.mark.parametrize(("wanted", "requested"), [(80.0, 50.0), (30.0, 30.0)])
def test_labels_of_exactly_this_version_are_requested_down_to_50_percent(
    stub: Stubber, wanted: float, requested: float
) -> None:
    stub.add_response(
        "detect_moderation_labels",
        {"ModerationLabels": [], "ModerationModelVersion": "7.0"},
        {
            "Image": {"S3Object": {"Bucket": "photos-bucket", "Name": "images/a b.jpg", "Version": "v1"}},
            "MinConfidence": requested,
        },
    )
    found = detector(stub, wanted).detect(PHOTO, lambda: False)
    assert found == Moderation(asked=f"min_confidence={requested}", model_version="7.0")


def test_label_has_all_its_ancestors(stub: Stubber) -> None:
    found = finding(
        stub,
        detected("Violence"),
        detected("Blood & Gore", "Graphic Violence"),
        detected("Graphic Violence", "Violence"),
    )
    assert GORE in found.labels
    assert ModerationLabel("Violence", (), 95.0) in found.labels


def test_label_that_cannot_be_read_is_left_out(stub: Stubber) -> None:
    found = finding(stub, {"Name": "Violence"}, detected("Alcohol"))
    assert [label.name for label in found.labels] == ["Alcohol"]


def test_answer_without_a_readable_label_is_retried(stub: Stubber) -> None:
    with pytest.raises(TryAgain, match="DetectModerationLabels: the answer cannot be read"):
        finding(stub, {"Name": "Violence"})


def test_photo_is_found_by_a_label_and_its_ancestors(stub: Stubber) -> None:
    """Not by those below the confidence. A label of DetectLabels with the same name goes first."""
    found = detector(stub).choose(Moderation(asked="", labels=(GORE, ModerationLabel("Alcohol", (), 79.9994))))
    terms = {term.text: (term.kind.value, term.confidence) for term in terms_of([Label("Violence", 81.0)], [found])}
    assert terms == {
        "blood & gore": ("moderation", 95.0),
        "graphic violence": ("moderation", 95.0),
        "violence": ("label", 81.0),
    }


def test_lower_confidence_needs_no_call_down_to_the_requested_one(stub: Stubber) -> None:
    asked = Moderation(asked="min_confidence=50.0")
    assert [detector(stub, least).covers(asked) for least in (49.0, 50.0, 95.0)] == [False, True, True]
    assert detector(stub, 40.0).covers(Moderation(asked="min_confidence=50.0", reason="too large"))
    assert not detector(stub).covers(Moderation(asked="of another form"))
    assert not detector(stub).covers(Moderation(asked="min_confidence=50.0", cut=True))


def test_stored_finding_is_read_as_it_was(stub: Stubber) -> None:
    chosen = detector(stub).choose(
        Moderation(asked="min_confidence=50.0", at="t", labels=(GORE, ModerationLabel("Alcohol", (), 60.0)))
    )
    assert readable_findings(attributes_of([chosen], "now")) == (chosen,)
