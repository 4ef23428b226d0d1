"""DetectText's request and answer; botocore's Stubber checks both against the service model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest
from botocore.stub import Stubber
from image_labels.calls import Caller
from image_labels.detectors.text import Line, Text, TextCriteria, TextDetector
from image_labels.failures import TryAgain
from image_labels.model import Photo
from image_labels.pace import Pace

if TYPE_CHECKING:
    from mypy_boto3_rekognition import RekognitionClient

PHOTO = Photo("photos-bucket", "images/a b.jpg", "abc", "v1", 4711)
BOX = {"Left": 0.1, "Top": 0.2, "Width": 0.3, "Height": 0.4}


@pytest.fixture
def stub() -> Iterator[Stubber]:
    with Stubber(boto3.client("rekognition")) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def detected(text: str, confidence: float = 99.0, kind: str = "LINE", **more: Any) -> dict[str, Any]:
    return {"DetectedText": text, "Type": kind, "Confidence": confidence, "Geometry": {"BoundingBox": BOX}, **more}


def finding(stub: Stubber, *detections: dict[str, Any]) -> Text:
    stub.add_response("detect_text", {"TextDetections": list(detections), "TextModelVersion": "3.0"})
    return detector(stub).detect(PHOTO, lambda: False)


def detector(stub: Stubber, min_confidence: float = 80.0) -> TextDetector:
    caller = Caller("DetectText", Pace(1000), sleep=lambda _seconds: None)
    return TextDetector(cast("RekognitionClient", stub.client), caller, TextCriteria(min_confidence))


def test_text_of_exactly_this_version_is_requested(stub: Stubber) -> None:
    stub.add_response(
        "detect_text",
        {"TextDetections": [], "TextModelVersion": "3.0"},
        {
            "Image": {"S3Object": {"Bucket": "photos-bucket", "Name": "images/a b.jpg", "Version": "v1"}},
            "Filters": {"WordFilter": {"MinConfidence": 80.0}},
        },
    )
    found = detector(stub).detect(PHOTO, lambda: False)
    assert found == Text(asked="min_confidence=80.0", model_version="3.0")


def test_lines_are_kept_and_words_are_not(stub: Stubber) -> None:
    found = finding(stub, detected("SPEED LIMIT", 99.1), detected("SPEED", 99.1, "WORD", ParentId=0))
    assert found.lines == (Line("SPEED LIMIT", 99.1, 0.1, 0.2, 0.3, 0.4),)


def test_line_that_cannot_be_read_is_left_out(stub: Stubber) -> None:
    found = finding(stub, {"Type": "LINE", "DetectedText": "no box"}, detected("STOP"))
    assert [line.text for line in found.lines] == ["STOP"]


def test_answer_without_a_readable_line_is_retried(stub: Stubber) -> None:
    with pytest.raises(TryAgain, match="DetectText: the answer cannot be read"):
        finding(stub, {"Type": "LINE", "DetectedText": "no box"})


def test_lines_below_the_confidence_are_kept_apart(stub: Stubber) -> None:
    found = finding(stub, detected("good", 79.9996), detected("weak", 79.9994))
    chosen = detector(stub).choose(found)
    assert isinstance(chosen, Text)
    assert [line.text for line in chosen.lines] == ["good"]
    assert [line.text for line in chosen.others] == ["weak"]
    assert detector(stub, 50.0).choose(chosen) == found


def test_request_for_a_lower_confidence_covers_a_higher_one(stub: Stubber) -> None:
    asked = Text(asked="min_confidence=80.0")
    assert [detector(stub, least).covers(asked) for least in (79.0, 80.0, 95.0)] == [False, True, True]
    assert detector(stub, 79.0).covers(Text(asked="min_confidence=80.0", reason="too large"))
    assert not detector(stub).covers(Text(asked="of another form"))
