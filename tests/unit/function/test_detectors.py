"""What is asked besides the labels: each answer is paid for once, and the item says what it has."""

from __future__ import annotations

from collections import Counter

import pytest
from image_labels.failures import InvalidRequest, NeedsOperator, TryAgain
from image_labels.model import iso_time
from image_labels.reconcile import Cost
from image_labels.selection import Criteria
from support.detecting import KEY, Deployment

LABELS, TEXT = "DetectLabels", "DetectText"
SETTINGS = "max_labels=10;min_confidence=80.0"
WITH_TEXT = f"{SETTINGS};text=min_confidence=80.0"


@pytest.fixture
def deployment() -> Deployment:
    return Deployment()


def test_lines_of_text_become_terms(deployment: Deployment) -> None:
    cost = Cost()
    assert deployment.reconcile(cost=cost) == "labelled"
    assert deployment.kinds() == {"street": "label", "speed limit": "text", "55": "text"}
    assert deployment.item["Settings"] == {"S": WITH_TEXT}
    assert deployment.item["Text"]["M"]["Lines"]["L"][0]["M"] == {
        "Text": {"S": "SPEED LIMIT"},
        "Confidence": {"N": "99.100"},
        "Left": {"N": "0.10000"},
        "Top": {"N": "0.20000"},
        "Width": {"N": "0.30000"},
        "Height": {"N": "0.40000"},
    }
    assert (cost.rekognition_calls, cost.by_detector) == (2, {"detect_text": 1})
    assert deployment.tables.vocabulary() == {"street"}  # not the text
    assert deployment.reconcile() == "unchanged"


def test_name_of_a_label_in_the_photo_stays_a_label(deployment: Deployment) -> None:
    deployment.rekognition.lines = [("Street", 99.9)]
    deployment.reconcile()
    assert deployment.kinds() == {"street": "label"}
    assert deployment.item["Text"]["M"]["Lines"]["L"][0]["M"]["Text"] == {"S": "Street"}


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        ("ThrottlingException", TryAgain),
        ("AccessDeniedException", NeedsOperator),
        ("InvalidS3ObjectException", NeedsOperator),
        ("ValidationException", InvalidRequest),
    ],
)
def test_labels_are_paid_for_once_if_text_fails(deployment: Deployment, code: str, failure: type[Exception]) -> None:
    deployment.rekognition.failing = {TEXT: code}
    for _ in range(3):
        with pytest.raises(failure, match=TEXT):
            deployment.reconcile()
        assert deployment.kinds() == {"street": "label"}
        assert deployment.item["Settings"] == {"S": SETTINGS}
    deployment.rekognition.failing = {}
    assert deployment.reconcile() == "labelled"
    assert deployment.rekognition.calls == Counter({LABELS: 1, TEXT: 1})
    assert deployment.item["Settings"] == {"S": WITH_TEXT}


def test_labels_are_stored_without_the_text_if_the_invocation_will_soon_end(deployment: Deployment) -> None:
    with pytest.raises(TryAgain, match="before it was the photo's turn"):
        deployment.reconcile(late=True)
    assert deployment.kinds() == {"street": "label"}
    assert deployment.reconcile() == "labelled"
    assert deployment.rekognition.calls == Counter({LABELS: 1, TEXT: 1})


def test_photo_that_labels_reject_is_not_asked_for_text(deployment: Deployment) -> None:
    deployment.rekognition.failing = {LABELS: "InvalidImageFormatException"}
    assert deployment.reconcile() == "rejected"
    assert deployment.rekognition.calls == Counter()
    assert deployment.item["Settings"] == {"S": WITH_TEXT}
    assert deployment.reconcile() == "unchanged"


def test_photo_that_text_refuses_keeps_its_labels_and_the_reason(deployment: Deployment) -> None:
    deployment.rekognition.failing = {TEXT: "ImageTooLargeException"}
    assert deployment.reconcile() == "labelled"
    assert deployment.kinds() == {"street": "label"}
    assert deployment.item["Text"]["M"]["Reason"]["S"].startswith("ImageTooLargeException: it is too large")
    assert deployment.reconcile() == "unchanged"
    assert deployment.reconcile(50.0) == "labelled"  # a refusal is about the object: no other call
    assert deployment.reconcile(50.0) == "unchanged"


def test_detector_that_is_switched_on_later_makes_one_call_for_an_old_photo(deployment: Deployment) -> None:
    deployment.reconcile(None)
    assert "Text" not in deployment.item
    assert deployment.reconcile() == "labelled"
    assert deployment.rekognition.calls == Counter({LABELS: 1, TEXT: 1})
    assert "speed limit" in deployment.kinds()


def test_detector_that_is_switched_off_loses_its_finding_and_rows(deployment: Deployment) -> None:
    deployment.reconcile()
    deployment.reconcile(None)
    assert deployment.kinds() == {"street": "label"}
    assert "Text" not in deployment.item
    assert deployment.item["Settings"] == {"S": SETTINGS}
    assert deployment.rekognition.calls == Counter({LABELS: 1, TEXT: 1})


def test_higher_confidence_needs_no_call_and_a_lower_one_does(deployment: Deployment) -> None:
    deployment.reconcile(50.0)
    assert set(deployment.kinds()) == {"street", "speed limit", "55", "rust"}
    deployment.reconcile(98.5)
    assert set(deployment.kinds()) == {"street", "speed limit"}
    deployment.reconcile(60.0)  # the answer to the request for 50 percent is still there
    assert set(deployment.kinds()) == {"street", "speed limit", "55", "rust"}
    assert deployment.rekognition.calls[TEXT] == 1
    deployment.reconcile(40.0)
    assert deployment.rekognition.calls == Counter({LABELS: 1, TEXT: 2})


def test_other_settings_of_labels_keep_the_text(deployment: Deployment) -> None:
    deployment.reconcile()
    deployment.reconcile(wanted=Criteria(10, 96.0))
    assert deployment.kinds() == {"speed limit": "text", "55": "text"}
    assert deployment.rekognition.calls == Counter({LABELS: 1, TEXT: 1})


def test_new_object_is_asked_for_everything(deployment: Deployment) -> None:
    deployment.reconcile()
    deployment.photos.upload(KEY, "2")
    deployment.rekognition.lines = [("STOP", 99.0)]
    deployment.reconcile()
    assert deployment.kinds() == {"street": "label", "stop": "text"}


def test_answers_from_before_the_time_of_a_message_are_asked_for_once_more(deployment: Deployment) -> None:
    deployment.reconcile()
    deployment.now = 10.0
    deployment.rekognition.failing = {TEXT: "ThrottlingException"}
    with pytest.raises(TryAgain):
        deployment.reconcile(labelled_before=iso_time(5))
    deployment.rekognition.failing = {}
    deployment.reconcile(labelled_before=iso_time(5))
    assert deployment.rekognition.calls == Counter({LABELS: 2, TEXT: 2})
    assert deployment.reconcile(labelled_before=iso_time(5)) == "unchanged"
