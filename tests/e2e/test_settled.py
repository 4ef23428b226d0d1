"""`image-labels audit`, `backfill` and `relabel` after the tests that upload, fault and kill: nothing is lost,
differences are found, photos whose events were lost are labelled, and changed settings are applied.

This file runs after test_retries.py (conftest.py).
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import pytest
from command import Command
from pictures import jpeg
from stack import Stack, wait_for

if TYPE_CHECKING:
    from image_labels_emulator import server

# The attempts of a photo take half a minute.
SECONDS = 300
PREFIX = "images/audited/"
PHOTOS = {name: f"{PREFIX}{name} & co.jpg" for name in ("missing", "stale", "foreign", "ghosts")}
GHOST = PHOTOS["ghosts"]
BACKFILLED = "images/backfilled/"


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


LOST = [f"{BACKFILLED}few/{n} & co.jpg" for n in range(4)]
MANY = [f"{BACKFILLED}many/{n}.jpg" for n in range(60)]
LOST_GHOST = f"{BACKFILLED}few/ghost.jpg"
# Far below what the function manages on LocalStack, so that many photos are more than ten seconds of it.
TPS = 5


@pytest.fixture(scope="module")
def without_events(stack: Stack, command: Command) -> None:
    """Photos that were uploaded while the bucket had no notifications."""
    configuration: Any = stack.s3.get_bucket_notification_configuration(Bucket=stack.bucket)
    del configuration["ResponseMetadata"]
    assert configuration
    stack.s3.put_bucket_notification_configuration(Bucket=stack.bucket, NotificationConfiguration={})
    try:
        for key in (*LOST, *MANY):
            stack.upload(key, jpeg(), "Dog=99")
    finally:
        stack.s3.put_bucket_notification_configuration(Bucket=stack.bucket, NotificationConfiguration=configuration)
    wait_for("missing photos", lambda: len(command.audit(BACKFILLED)["photos"]["missing"]) == len(LOST + MANY))


def test_backfill_labels_photos_whose_events_were_lost_and_removes_a_ghost(
    stack: Stack, command: Command, without_events: None
) -> None:
    table = stack.outputs["images_table_name"]
    item = stack.dynamodb.get_item(TableName=table, Key={"PK": {"S": PHOTOS["missing"]}})["Item"]
    stack.dynamodb.put_item(TableName=table, Item=item | {"PK": {"S": LOST_GHOST}})
    prefix = f"{BACKFILLED}few/"
    answer = command.json("backfill", prefix, "--yes", "--grace", "0")
    assert (answer["missing"], answer["ghosts"], answer["chosen"]["rekognition_calls"]) == (len(LOST), 1, len(LOST))
    result = answer["result"]
    assert (result["sent"], result["labelled"], result["removed"]) == (len(LOST) + 1, len(LOST), 1)
    assert [stack.rekognition_calls(key) for key in LOST] == [1] * len(LOST)
    assert stack.item(LOST_GHOST) is None
    again = command.json("backfill", prefix, "--yes", "--grace", "0")
    assert (again["labelled"], again["chosen"]["photos"], again["result"]) == (len(LOST), 0, None)


def test_changed_settings_are_applied_without_a_call_of_rekognition(stack: Stack, command: Command) -> None:
    """As if the photos had been labelled under other settings, whose answer has all that is wanted now."""
    prefix, current = f"{BACKFILLED}few/", command.audit()["settings"]
    for key in LOST:
        stack.dynamodb.update_item(
            TableName=stack.outputs["images_table_name"],
            Key={"PK": {"S": key}},
            UpdateExpression="SET Settings = :settings",
            ExpressionAttributeValues={":settings": {"S": "max_labels=1000;min_confidence=0.0"}},
        )
    answer = command.json("relabel", "--offline", "--prefix", prefix, "--yes")
    assert (answer["chosen"]["from_stored_answers"], answer["chosen"]["rekognition_calls"]) == (len(LOST), 0)
    assert answer["result"]["labelled"] == len(LOST)
    assert {item and item["Settings"] for item in map(stack.item, LOST)} == {current}
    assert [stack.rekognition_calls(key) for key in LOST] == [1] * len(LOST)


def test_photos_that_match_are_sent_to_rekognition_again(stack: Stack, command: Command) -> None:
    answer = command.json("relabel", "dog", "--prefix", f"{BACKFILLED}few/", "--limit", "2", "--yes")
    assert (answer["reasons"]["matches"], answer["result"]["labelled"]) == (len(LOST), 2)
    assert sorted(stack.rekognition_calls(key) for key in LOST) == [1, 1, 2, 2]


def test_upload_during_a_backfill_is_labelled_within_seconds(
    stack: Stack, command: Command, without_events: None
) -> None:
    assert len(MANY) > 10 * TPS
    prefix, new = f"{BACKFILLED}many/", f"{BACKFILLED}new.jpg"
    backfill = command.start("backfill", prefix, "--yes", "--grace", "0", "--rekognition-tps", str(TPS), "--json")
    try:
        wait_for("the first photos of the backfill", lambda: any(map(stack.item, MANY[:5])))
        began = time.monotonic()
        version = stack.upload(new, jpeg(), "Dog=99")
        stack.labelled(new, version)
        waited = time.monotonic() - began
        left = sum(stack.item(key) is None for key in MANY)
        output, errors = backfill.communicate(timeout=SECONDS)
    finally:
        backfill.kill()
    print(f"the upload was labelled after {waited:.1f} s, before {left} of {len(MANY)} photos of the backfill")
    assert waited < 15
    assert left >= TPS  # behind all of them, it would be the last
    assert backfill.returncode == 0, errors
    assert json.loads(output)["result"]["labelled"] == len(MANY)


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
