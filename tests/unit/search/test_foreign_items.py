"""Searches in tables that another program also writes to: unreadable items and rows are skipped and counted."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_labels.search.finder import Finder, Skipped
from support.fakes import LABELS_TABLE, TABLE
from support.foreign import KEY, item_of_ours, items, rows, rows_of_ours, vocabulary_rows

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class Partitions:
    """A DynamoDB client for tables with these items and rows. It ignores filters."""

    def __init__(self, items: list[dict[str, Any]], rows: list[dict[str, Any]]) -> None:
        self.items = {item["PK"]["S"]: item for item in items}
        self.rows = {(row["Term"]["S"], row["Rank"]["S"]): row for row in rows}

    def query(self, *, ExpressionAttributeValues: dict[str, Any], **_: Any) -> dict[str, Any]:  # noqa: N803
        term = ExpressionAttributeValues.get(":term", {"S": "*"})["S"]
        found = [row for (row_term, _), row in sorted(self.rows.items()) if row_term == term]
        return {"Items": found, "ScannedCount": len(found)}

    def scan(self, **_: Any) -> dict[str, Any]:
        return {"Items": list(self.items.values())}

    def batch_get_item(self, *, RequestItems: dict[str, Any], **_: Any) -> dict[str, Any]:  # noqa: N803
        ((table, request),) = RequestItems.items()
        if table == "labels":
            keys = [(key["Term"]["S"], key["Rank"]["S"]) for key in request["Keys"]]
            return {"Responses": {table: [self.rows[key] for key in keys if key in self.rows]}}
        wanted = [key["PK"]["S"] for key in request["Keys"]]
        assert all(0 < len(key.encode()) <= 2048 for key in wanted)  # DynamoDB rejects other keys
        return {"Responses": {table: [self.items[key] for key in wanted if key in self.items]}}


def finder_of(items: list[dict[str, Any]], rows: list[dict[str, Any]]) -> Finder:
    client: Any = Partitions(items, rows)
    return Finder(client, labels_table="labels", images_table="images")


@given(st.lists(items, max_size=1), st.lists(st.one_of(rows, vocabulary_rows), max_size=4))
def test_any_item_or_row_is_found_or_skipped(items: list[dict[str, Any]], rows: list[dict[str, Any]]) -> None:
    finder = finder_of(items, rows)
    for expression in ("dog", "do*", "dog AND NOT cat", "dog OR hound", "dog AND animal", "dog>=90"):
        page = finder.find(expression)
        assert all(photo.key and 0 <= photo.confidence <= 100 for photo in page.photos)
        assert json.dumps([asdict(photo) for photo in page.photos])
    page = finder.find("dog")
    of_dog = {(row["Term"]["S"], row["Rank"]["S"]) for row in rows if row["Term"]["S"] == "dog"}
    skipped = {each.key for each in page.skipped if each.table == "labels"}
    cut = sum(1 for row in rows if "TermsCut" in row and "Terms" not in row)
    assert len(page.photos) <= len(of_dog - skipped) <= len(page.photos) + cut
    scanned = finder.scan("dog OR NOT cat")
    rejected = sum(1 for item in items if item.get("Status") == {"S": "REJECTED"})
    assert len(scanned.photos) + sum(1 for each in scanned.skipped if each.table == "images") >= len(items) - rejected
    terms = finder.vocabulary()
    listed = list(terms)
    in_vocabulary = {row["Rank"]["S"] for row in rows if row["Term"]["S"] == "*"}
    assert {term.text for term in listed} | {each.key[1] for each in terms.skipped} == in_vocabulary
    assert finder.suggestions("dgo OR xyz* OR dog").keys() <= {"dgo", "xyz*", "dog"}


def test_valid_row_beside_a_foreign_row_is_found() -> None:
    foreign: dict[str, Any] = {"Term": {"S": "dog"}, "Rank": {"S": "000000#zzz"}, "Terms": {"SS": ["dog"]}}
    page = finder_of([], [*rows_of_ours(), foreign]).find("dog")
    assert [photo.key for photo in page.photos] == [KEY]
    assert page.skipped == {Skipped("labels", ("dog", "000000#zzz"))}


CHANGES: dict[str, dict[str, Any]] = {
    "no PK": {"PK": None},
    "PK that is empty": {"PK": {"S": ""}},
    "PK that is too long for a key": {"PK": {"S": "x" * 3000}},
    "PK of another photo": {"PK": {"S": "another.jpg"}},
    "Terms that is a set": {"Terms": {"SS": ["dog"]}},
    "Terms that is a map of strings": {"Terms": {"M": {"dog": {"S": "98.765"}}}},
    "Terms without the row's own": {"Terms": {"M": {"cat": {"N": "98.765"}}}},
    "Terms with another confidence": {"Terms": {"M": {"dog": {"N": "90"}}}},
    "Terms with a confidence above 100": {"Terms": {"M": {"dog": {"N": "98.765"}, "cat": {"N": "1E+20"}}}},
    "neither Terms nor TermsCut": {"Terms": None},
    "TermsCut that is a string": {"Terms": None, "TermsCut": {"S": "yes"}},
    "TermsCut and no Confidence": {"Terms": None, "TermsCut": {"BOOL": True}, "Confidence": {"S": "98.765"}},
    "Rank that is another": {"Rank": {"S": "zzz"}},
}


@pytest.fixture
def finder(dynamodb: DynamoDBClient) -> Finder:
    return Finder(dynamodb, labels_table=LABELS_TABLE, images_table=TABLE)


@pytest.mark.parametrize("name", CHANGES)
def test_unreadable_row_is_skipped(name: str, dynamodb: DynamoDBClient, finder: Finder) -> None:
    ours = next(row for row in rows_of_ours() if row["Term"] == {"S": "dog"})
    row = {name: value for name, value in (ours | CHANGES[name]).items() if value is not None}
    dynamodb.put_item(TableName=LABELS_TABLE, Item=row)
    expected = {Skipped(LABELS_TABLE, ("dog", row["Rank"]["S"]))}
    page = finder.find("dog")
    assert page.photos == ()
    assert page.skipped == expected
    for expression in ("dog AND NOT cat", "dog AND animal>=50", "dog OR cat"):
        assert finder.find(expression, key_prefix="images/").photos == ()


def test_scan_skips_and_counts_the_items_of_another_program(dynamodb: DynamoDBClient, finder: Finder) -> None:
    others: dict[str, dict[str, Any]] = {
        "images/lab.jpg": {"Labels": {"SS": ["Dog"]}},
        "images/strings.jpg": item_of_ours() | {"Detections": {"L": [{"S": "Dog"}]}},
        "images/no status.jpg": {name: value for name, value in item_of_ours().items() if name != "Status"},
        "elsewhere/lab.jpg": {"Labels": {"SS": ["Dog"]}},
        "images/rejected.jpg": {"Status": {"S": "REJECTED"}, "Reason": {"N": "7"}},
    }
    for key, item in (*others.items(), (KEY, item_of_ours())):
        dynamodb.put_item(TableName=TABLE, Item=item | {"PK": {"S": key}})
    for expression, found in (("dog", [KEY]), ("NOT cat", [KEY]), ("NOT dog", [])):
        page = finder.scan(expression, key_prefix="images/")
        assert [photo.key for photo in page.photos] == found
        assert {each.key[0] for each in page.skipped} == {
            "images/lab.jpg",
            "images/strings.jpg",
            "images/no status.jpg",
        }


def test_term_with_a_damaged_vocabulary_row_is_found(dynamodb: DynamoDBClient, finder: Finder) -> None:
    for row in rows_of_ours():
        dynamodb.put_item(TableName=LABELS_TABLE, Item=row)
    dynamodb.put_item(TableName=TABLE, Item=item_of_ours())
    damaged: Any = {"Term": {"S": "*"}, "Rank": {"S": "dog"}, "Name": {"S": "Sofa"}, "Kind": {"S": "label"}}
    dynamodb.put_item(TableName=LABELS_TABLE, Item=damaged)
    assert [photo.key for photo in finder.find("do*").photos] == [KEY]
    assert finder.suggestions("dog") == {}
    # If the scan trusted the damaged row's Name, it would omit photos of sofas.
    sofa = item_of_ours() | {"PK": {"S": "images/sofa.jpg"}, "Labels": {"SS": ["Sofa"]}, "Detections": {"L": []}}
    dynamodb.put_item(TableName=TABLE, Item=sofa)
    assert [photo.key for photo in finder.scan("NOT dog").photos] == ["images/sofa.jpg"]
    terms = finder.vocabulary()
    assert list(terms) == []
    assert terms.skipped == {Skipped(LABELS_TABLE, ("*", "dog"))}
