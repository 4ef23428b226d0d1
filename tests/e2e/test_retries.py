"""Retries: photos that Rekognition throttles are labelled, and photos that it never answers become dead letters.

The photos are uploaded at the start of the run (conftest.py), because the waits between their tries take half a
minute. This file is among the last to run (conftest.py).
"""

from __future__ import annotations

import json
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from command import Command
from stack import NEVER, THROTTLED, Stack, wait_for

if TYPE_CHECKING:
    from image_labels_emulator import server

# The root module sets waits of 1, 4 and 16 s. A busy machine adds to them.
SECONDS = 300


def test_throttled_photos_are_labelled_at_a_later_attempt(stack: Stack) -> None:
    for key in THROTTLED:
        item = wait_for(f"item of {key}", lambda: stack.item(key), SECONDS)  # noqa: B023 - called at once
        assert "Dog" in item["Labels"]
    waited = [line for key in THROTTLED for line in stack.log(key, "photo failed")]
    assert waited
    assert {line["throttled"] for line in waited} == {1}


def test_photo_is_a_dead_letter_after_its_last_attempt(stack: Stack) -> None:
    def look() -> list[dict[str, str]]:
        letters = [letter for letter in stack.dead_letters() if NEVER in letter.body]
        return [
            letter.why | {"key": json.loads(letter.body)["Records"][0]["s3"]["object"]["key"]} for letter in letters
        ]

    (why,) = wait_for("a dead letter", look, SECONDS)
    assert why["key"] == NEVER  # the original event, which can be sent back
    assert why["Photo"] == f"s3://{stack.bucket}/{NEVER}"
    assert "InternalServerError" in why["Cause"]
    assert "send it back" in why["NextStep"]
    assert why["Attempts"] == "4"
    assert stack.item(NEVER) is None


def test_log_has_every_attempt_and_the_dead_letter(stack: Stack) -> None:
    lines = stack.log(NEVER, "photo failed")
    assert [line["attempt"] for line in lines] == [1, 2, 3, 4]
    assert {line["bucket"] for line in lines} == {stack.bucket}
    assert all("InternalServerError" in line["cause"] and "dead-letter queue" in line["next_step"] for line in lines)
    (end,) = [line for line in stack.log_lines("message dead-lettered") if line["photo"].endswith(NEVER)]
    assert (end["level"], end["attempt"]) == ("ERROR", 4)
    assert "InternalServerError" in end["cause"]
    assert "send it back" in end["next_step"]


def test_intervals_between_attempts_grow(stack: Stack) -> None:
    times = [datetime.fromisoformat(line["timestamp"]) for line in stack.log(NEVER, "photo failed")]
    waits = [(later - earlier).total_seconds() for earlier, later in pairwise(times)]
    for wait, nominal in zip(waits, (1, 4, 16), strict=True):
        # The jitter is a quarter, and SQS counts in whole seconds.
        assert wait >= round(0.75 * nominal) - 0.5


def test_redriven_dead_letter_is_labelled(localstack: server.Server, stack: Stack) -> None:
    """The command in docs/operations.md, "dead-letters", after the cause is fixed."""
    command = Command(localstack, json.loads(stack.outputs["cli_environment"]))
    listed = command.json("redrive", "--dry-run")
    (group,) = [group for group in listed["groups"] if group["cause"].startswith("DetectLabels: InternalServerError")]
    assert group["first_photo"] == f"s3://{stack.bucket}/{NEVER}"
    others = sorted(letter.body for letter in stack.dead_letters() if NEVER not in letter.body)
    stack.emulator("DELETE", "/rules")
    result = command.json("redrive", "--cause", group["cause"], "--yes")["result"]
    assert (result["sent"], result["in_both"], result["stopped"]) == (group["count"], 0, False)
    assert sorted(letter.body for letter in stack.dead_letters()) == others
    item = wait_for(f"item of {NEVER}", lambda: stack.item(NEVER))
    assert "Dog" in item["Labels"]


def test_every_photo_is_labelled_rejected_or_a_dead_letter(stack: Stack) -> None:
    """After all faults and kills of the previous tests."""
    wait_for("an empty queue", lambda: stack.in_queue(stack.outputs["queue_url"]) == 0, SECONDS)
    suffixes = (".jpg", ".jpeg", ".png")
    photos = {key for key in stack.keys("images/") if key.lower().endswith(suffixes)}
    dead = {letter.why.get("Photo", "").removeprefix(f"s3://{stack.bucket}/") for letter in stack.dead_letters()}
    assert len(photos) > 80
    if lost := photos - stack.labelled_keys() - dead:
        pytest.fail(f"lost: {sorted(lost)}")
    if orphans := {key for key in stack.labelled_keys() if key.lower().endswith(suffixes)} - photos:
        pytest.fail(f"items without a photo: {sorted(orphans)}")
