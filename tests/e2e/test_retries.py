"""What Rekognition refuses for a while is labelled in the end; what it never answers is in the dead-letter queue.

Last in the alphabet and so in the run: the photos were uploaded at its start (conftest.py), and the waits between
the tries, each four times the one before, take half a minute.
"""

from __future__ import annotations

import json
from datetime import datetime
from itertools import pairwise

import pytest
from stack import NEVER, THROTTLED, Stack, wait_for

# Waits of 1, 4 and 16 s (the root module sets them), on a busy machine.
SECONDS = 300


def test_throttled_photos_are_all_labelled_in_the_end(stack: Stack) -> None:
    for key in THROTTLED:
        item = wait_for(f"item of {key}", lambda: stack.item(key), SECONDS)  # noqa: B023 - called here and now
        assert "Dog" in item["Labels"]
    waited = [line for key in THROTTLED for line in stack.log(key, "photo failed")]
    assert waited
    assert {line["throttled"] for line in waited} == {1}


def test_photo_that_rekognition_never_answers_for_is_a_dead_letter(stack: Stack) -> None:
    def look() -> list[dict[str, str]]:
        letters = [letter for letter in stack.dead_letters() if NEVER in letter.body]
        return [
            letter.why | {"key": json.loads(letter.body)["Records"][0]["s3"]["object"]["key"]} for letter in letters
        ]

    (why,) = wait_for("a dead letter", look, SECONDS)
    assert why["key"] == NEVER  # the event is as it came: sent back, it is tried again
    assert why["Photo"] == f"s3://{stack.bucket}/{NEVER}"
    assert "InternalServerError" in why["Cause"]
    assert "send it back" in why["NextStep"]
    assert why["Attempts"] == "4"
    assert stack.item(NEVER) is None


def test_log_tells_each_try_and_the_end(stack: Stack) -> None:
    lines = stack.log(NEVER, "photo failed")
    assert [line["attempt"] for line in lines] == [1, 2, 3, 4]
    assert {line["bucket"] for line in lines} == {stack.bucket}
    assert all("InternalServerError" in line["cause"] and "dead-letter queue" in line["next_step"] for line in lines)
    (end,) = [line for line in stack.log_lines("message dead-lettered") if line["photo"].endswith(NEVER)]
    assert (end["level"], end["attempt"]) == ("ERROR", 4)
    assert "InternalServerError" in end["cause"]
    assert "send it back" in end["next_step"]


def test_tries_are_further_and_further_apart(stack: Stack) -> None:
    times = [datetime.fromisoformat(line["timestamp"]) for line in stack.log(NEVER, "photo failed")]
    waits = [(later - earlier).total_seconds() for earlier, later in pairwise(times)]
    for wait, nominal in zip(waits, (1, 4, 16), strict=True):
        # A quarter of jitter, rounded to a whole second, which is what SQS counts in.
        assert wait >= round(0.75 * nominal) - 0.5


def test_dead_letter_can_be_sent_back(stack: Stack) -> None:
    """The command in docs/operations.md, "dead-letters": the photo is labelled once the cause is fixed."""
    stack.emulator("DELETE", "/rules")
    stack.sqs.start_message_move_task(
        SourceArn=stack.outputs["dead_letter_queue_arn"], DestinationArn=stack.outputs["queue_arn"]
    )
    item = wait_for(f"item of {NEVER}", lambda: stack.item(NEVER))
    assert "Dog" in item["Labels"]


def test_every_photo_is_accounted_for(stack: Stack) -> None:
    """Labelled, rejected, or a dead letter: whatever the tests before did to the queue, the function and AWS."""
    wait_for("an empty queue", lambda: stack.in_queue(stack.outputs["queue_url"]) == 0, SECONDS)
    suffixes = (".jpg", ".jpeg", ".png")
    photos = {key for key in stack.keys("images/") if key.lower().endswith(suffixes)}
    dead = {letter.why.get("Photo", "").removeprefix(f"s3://{stack.bucket}/") for letter in stack.dead_letters()}
    assert len(photos) > 80
    if lost := photos - stack.labelled_keys() - dead:
        pytest.fail(f"lost: {sorted(lost)}")
    if ghosts := {key for key in stack.labelled_keys() if key.lower().endswith(suffixes)} - photos:
        pytest.fail(f"ghosts: {sorted(ghosts)}")
