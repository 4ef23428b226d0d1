"""`image-labels audit` after the tests that upload, fault and kill: nothing is lost, and differences are found.

This file runs after test_retries.py (conftest.py).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import pytest
from command import Command
from pictures import jpeg
from stack import Stack, wait_for

if TYPE_CHECKING:
    from image_labels_emulator import server

# The tries of a photo take half a minute.
SECONDS = 300
PREFIX = "images/audited/"
PHOTOS = {name: f"{PREFIX}{name} & co.jpg" for name in ("missing", "stale", "foreign", "ghosts")}
GHOST = PHOTOS["ghosts"]


@pytest.fixture(scope="module")
def command(localstack: server.Server, stack: Stack) -> Command:
    return Command(localstack, json.loads(stack.outputs["cli_environment"]))


def test_every_photo_has_a_current_item_or_is_a_dead_letter(stack: Stack, command: Command) -> None:
    wait_for("an empty queue", lambda: stack.in_queue(stack.outputs["queue_url"]) == 0, SECONDS)
    photos = [key for key in stack.keys("images/") if key.lower().endswith((".jpg", ".jpeg", ".png"))]
    answer = command.audit()
    dead = {letter.why.get("Photo", "").removeprefix(f"s3://{stack.bucket}/") for letter in stack.dead_letters()}
    missing = {photo["key"] for photo in answer["photos"].pop("missing")}
    assert missing <= dead
    assert answer["photos"] == {"stale": [], "foreign": [], "ghosts": []}
    assert answer["labelled"] + answer["rejected"] + len(missing) == len(photos) > 5
    assert answer["in_progress"] == 0
    assert answer["agree"] == (not missing)


def test_audit_finds_each_difference_until_the_next_event_of_the_photo(stack: Stack, command: Command) -> None:
    uploaded = [key for key in PHOTOS.values() if key != GHOST]
    for key in uploaded:
        stack.labelled(key, stack.upload(key, jpeg(), "Dog=99"))
    wait_for("agreement", lambda: command.audit(PREFIX)["labelled"] == len(uploaded))
    _cause_differences(stack)
    answer = command.audit(PREFIX)
    assert {state: [photo["key"] for photo in found] for state, found in answer["photos"].items()} == {
        state: [key] for state, key in PHOTOS.items()
    }
    for key in PHOTOS.values():
        s3 = {"bucket": {"name": stack.bucket}, "object": {"key": quote_plus(key)}}
        stack.send({"Records": [{"eventSource": "aws:s3", "s3": s3}]})
    wait_for("agreement", lambda: command.audit(PREFIX)["labelled"] == len(uploaded))
    assert command.audit(PREFIX)["agree"]
    assert stack.item(GHOST) is None


def _cause_differences(stack: Stack) -> None:
    """Change the table only, so that no event follows."""
    table = stack.outputs["images_table_name"]

    def key(name: str) -> Any:
        return {"PK": {"S": PHOTOS[name]}}

    def change(name: str, expression: str, value: Any) -> None:
        values = {":value": value}
        stack.dynamodb.update_item(
            TableName=table, Key=key(name), UpdateExpression=expression, ExpressionAttributeValues=values
        )

    item = stack.dynamodb.get_item(TableName=table, Key=key("missing"))["Item"]
    stack.dynamodb.put_item(TableName=table, Item=item | key("ghosts"))
    stack.dynamodb.delete_item(TableName=table, Key=key("missing"))
    change("stale", "SET Settings = :value", {"S": "max_labels=1;min_confidence=1.0"})
    change("foreign", "SET Revision = :value", {"S": "another program's"})
