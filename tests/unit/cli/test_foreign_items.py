"""The commands on tables that another program also writes to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.command import run, run_on_terminal
from support.fakes import LABELS_TABLE, TABLE
from support.foreign import KEY, item_of_ours, rows_of_ours

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

pytestmark = pytest.mark.usefixtures("deployment")


@pytest.fixture
def mixed(dynamodb: DynamoDBClient, queues: dict[str, str]) -> None:
    """A photo of the module, items of another program, a changed item, and incomplete rows."""
    foreign: list[dict[str, Any]] = [
        {"PK": {"S": "images/lab.jpg"}, "Labels": {"SS": ["Dog"]}},
        item_of_ours() | {"PK": {"S": "images/strings.jpg"}, "Detections": {"L": [{"S": "Dog"}]}, "Size": {"S": "7"}},
        {"PK": {"S": "images/rejected.jpg"}, "Status": {"S": "REJECTED"}, "Reason": {"L": []}, "Size": {"N": "1.5"}},
    ]
    for item in (item_of_ours(), *foreign):
        dynamodb.put_item(TableName=TABLE, Item=item)
    for row in (
        *rows_of_ours(),
        {"Term": {"S": "dog"}, "Rank": {"S": "000000#images/x.jpg"}, "Terms": {"SS": ["dog"]}},
        {"Term": {"S": "*"}, "Rank": {"S": "dog"}, "Name": {"S": "Dog"}, "Kind": {"S": "label"}},
        {"Term": {"S": "*"}, "Rank": {"S": "zebra"}},
        {"Term": {"S": "*usage"}, "Rank": {"S": "2026-11-25"}, "Images": {"S": "many"}},
    ):
        dynamodb.put_item(TableName=LABELS_TABLE, Item=row)


def test_find_reports_unreadable_entries(mixed: None) -> None:
    result = run("find", "dog")
    assert result.exit_code == 0
    assert [line.split("\t")[0] for line in result.stdout.splitlines()] == [KEY]
    assert "skipped 1 entry" in result.stderr
    assert f"  {LABELS_TABLE}: dog 000000#images/x.jpg" in result.stderr
    answer = json.loads(run("find", "dog", "--json").stdout)
    assert answer["skipped"] == [{"table": LABELS_TABLE, "key": ["dog", "000000#images/x.jpg"]}]


def test_find_scan_reports_unreadable_entries(mixed: None) -> None:
    result = run("find", "dog", "--scan")
    assert result.exit_code == 0
    assert [line.split("\t")[0] for line in result.stdout.splitlines()] == [KEY]
    assert "skipped 2 entries" in result.stderr
    assert "images/lab.jpg" in result.stderr
    nothing = run("find", "zebra", "--scan", "--json")
    assert nothing.exit_code == 1
    assert len(json.loads(nothing.stdout)["skipped"]) == 2
    assert "skipped 2 entries" in nothing.stderr


def test_labels_reports_unreadable_entries(mixed: None) -> None:
    result = run("labels")
    assert (result.exit_code, result.stdout) == (0, "Dog\tlabel\t0\n")
    assert f"skipped 1 entry: another program wrote or changed it\n  {LABELS_TABLE}: * zebra" in (result.stderr)
    assert json.loads(run("labels", "--json").stdout) == [{"term": "dog", "name": "Dog", "kind": "label", "photos": 0}]


def test_status_lists_rejected_items_with_an_unreadable_reason(mixed: None) -> None:
    result = run("status")
    assert result.exit_code == 0
    assert "rejected_photo\timages/rejected.jpg\t\n" in result.stdout


@pytest.mark.parametrize("key", ["images/lab.jpg", "images/strings.jpg", "images/rejected.jpg"])
def test_show_marks_an_item_of_another_program(mixed: None, key: str) -> None:
    answer = json.loads(run("show", key, "--json").stdout)
    assert (answer["key"], answer["foreign"], answer["labels"], answer["size"]) == (key, True, [], None)
    assert "Another program wrote or changed this item" in run_on_terminal("show", key).stdout
    assert "Another program" not in run_on_terminal("show", KEY).stdout
