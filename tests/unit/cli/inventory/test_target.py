"""The calls that the command expects are those that the function makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from image_labels.detectors.text import TextCriteria
from image_labels.selection import Criteria
from image_labels_cli.inventory.items import KnownItem, known
from image_labels_cli.inventory.table import Table
from image_labels_cli.inventory.target import Target
from support.detecting import CRITERIA, KEY, Deployment
from support.fakes import TABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

BEFORE: Mapping[str, float | None] = {"without text": None, "80": 80.0, "50": 50.0, "refused": 80.0, "rejected": 80.0}


def deployed(before: str) -> Deployment:
    deployment = Deployment()
    if before == "refused":
        deployment.rekognition.failing = {"DetectText": "ImageTooLargeException"}
    if before == "rejected":
        deployment.rekognition.failing = {"DetectLabels": "InvalidImageFormatException"}
    deployment.reconcile(BEFORE[before])
    deployment.rekognition.failing = {}
    deployment.rekognition.calls.clear()
    return deployment


def target(text: float | None, labels: Criteria = CRITERIA) -> Target:
    return Target(labels, {} if text is None else {"text": TextCriteria(text)})


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("text", [None, 60.0, 80.0, 90.0])
@pytest.mark.parametrize("min_confidence", [80.0, 90.0])
def test_calls_are_those_of_the_function(before: str, text: float | None, min_confidence: float) -> None:
    deployment, wanted = deployed(before), target(text, Criteria(10, min_confidence))
    item = known(deployment.item)
    deployment.reconcile(text, wanted.labels)
    assert wanted.calls(item) == deployment.rekognition.calls.total()
    assert deployment.item["Settings"] == {"S": wanted.settings}
    assert wanted.calls(known(deployment.item)) == 0


def test_photo_without_an_item_of_its_object_needs_all_calls() -> None:
    assert target(None).calls(None) == 1
    assert target(80.0).calls(None) == 2
    assert target(80.0).calls(KnownItem("k", foreign=True)) == 2


def test_labels_that_do_not_suffice_need_another_call() -> None:
    item = known(deployed("80").item)
    assert target(80.0, Criteria(10, 50.0)).calls(item) == 1
    assert target(50.0, Criteria(10, 50.0)).calls(item) == 2


@pytest.mark.parametrize(("before", "calls"), [("without text", 1), ("80", 0), ("refused", 0)])
def test_table_is_read_without_the_lines(dynamodb: DynamoDBClient, before: str, calls: int) -> None:
    dynamodb.put_item(TableName=TABLE, Item=deployed(before).item)
    with Table(dynamodb, TABLE) as table:
        table.read(lambda _key: True)
        [item] = table
    assert item.key == KEY
    assert target(80.0).calls(item) == calls
