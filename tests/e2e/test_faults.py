"""Faults of AWS: all photos are labelled, and photos without faults in the same batch at their first attempt.

All photos are uploaded together, so that a batch has photos with different faults and photos without faults.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from pictures import jpeg
from stack import Stack, notification, wait_for

SECONDS = 120

# An attempt fails only if there are more faults than calls in it (clients.py: 4 to S3 and DynamoDB, 3 to Rekognition).
FAULTS: dict[str, list[dict[str, Any]]] = {
    "S3 answers 500": [{"service": "s3", "operation": "HeadObject", "fault": "500", "status": 500, "times": 6}],
    "S3 cuts connections": [{"service": "s3", "operation": "HeadObject", "fault": "connection-cut", "times": 6}],
    "DynamoDB throttles reads": [
        {
            "service": "dynamodb",
            "operation": "GetItem",
            "fault": "ProvisionedThroughputExceededException",
            "status": 400,
            "times": 6,
        }
    ],
    "DynamoDB throttles writes": [
        {
            "service": "dynamodb",
            "operation": "TransactWriteItems",
            "fault": "ThrottlingException",
            "status": 400,
            "times": 6,
        }
    ],
    "DynamoDB reports a transaction in progress": [
        {
            "service": "dynamodb",
            "operation": "TransactWriteItems",
            "fault": "TransactionInProgressException",
            "status": 400,
            "times": 2,
        }
    ],
    "DynamoDB writes but its answer is lost": [
        {
            "service": "dynamodb",
            "operation": "TransactWriteItems",
            "fault": "connection-cut",
            "after": True,
            "times": 1,
        }
    ],
    "Rekognition answers 500": [
        {
            "service": "rekognition",
            "operation": "DetectLabels",
            "fault": "InternalServerError",
            "status": 500,
            "times": 5,
        }
    ],
    "Rekognition cuts connections": [
        {"service": "rekognition", "operation": "DetectLabels", "fault": "connection-cut", "times": 5}
    ],
    "Rekognition is behind a broken proxy": [
        {"service": "rekognition", "operation": "DetectLabels", "fault": "BadGateway", "status": 502, "times": 5}
    ],
    # Longer than the function's timeout.
    "Rekognition does not answer": [
        {"service": "rekognition", "operation": "DetectLabels", "delay_ms": 6000, "times": 1}
    ],
}


def faulty(name: str) -> str:
    return f"images/faults/{name}/faulty.jpg"


def others(name: str) -> list[str]:
    return [f"images/faults/{name}/other {n}.jpg" for n in range(2)]


@pytest.fixture(scope="module")
def versions(stack: Stack) -> dict[str, str]:
    """Upload all photos, with and without faults. Returns the version of each key."""
    for name, rules in FAULTS.items():
        stack.fail([rule | {"containing": faulty(name)} for rule in rules])
    return {key: stack.upload(key, jpeg(), "Dog=99") for name in FAULTS for key in (faulty(name), *others(name))}


@pytest.mark.parametrize("name", FAULTS)
def test_photo_is_labelled_after_the_fault(stack: Stack, versions: dict[str, str], name: str) -> None:
    key = faulty(name)
    item = stack.labelled(key, versions[key], SECONDS)
    assert item["Status"] == "LABELLED"
    assert "Dog" in item["Labels"]
    struck = [rule["struck"] for rule in stack.faults() if rule["containing"] == key]
    assert struck
    assert all(struck), "a fault did not occur"


@pytest.mark.parametrize("name", FAULTS)
def test_other_photos_are_labelled_at_their_first_attempt(stack: Stack, versions: dict[str, str], name: str) -> None:
    for key in others(name):
        assert "Dog" in stack.labelled(key, versions[key], SECONDS)["Labels"]
        (line,) = wait_for("log line", lambda: stack.log(key, "photo labelled"))  # noqa: B023 - called at once
        assert line["attempt"] == 1
        assert not stack.log(key, "photo failed")
        assert not stack.log(key, "photo handed back")


def test_failed_try_is_logged_with_its_cause_and_the_next_step(stack: Stack, versions: dict[str, str]) -> None:
    key = faulty("DynamoDB throttles reads")
    stack.labelled(key, versions[key], SECONDS)
    lines = stack.log(key, "photo failed") + stack.log(key, "photo handed back")
    assert lines
    assert all(line["cause"] and line["next_step"] and line["level"] == "WARNING" for line in lines)


def test_lost_answer_of_dynamodb_causes_no_second_call_to_rekognition(stack: Stack, versions: dict[str, str]) -> None:
    key = faulty("DynamoDB writes but its answer is lost")
    stack.labelled(key, versions[key], SECONDS)
    assert stack.rekognition_calls(key) == 1


def test_invalid_answer_with_status_200_is_retried(stack: Stack) -> None:
    key = "images/faults/nonsense.jpg"
    stack.emulator("POST", "/rules", {"key_prefix": key, "error": "nonsense", "times": 1})
    assert "Dog" in stack.labelled(key, stack.upload(key, jpeg(), "Dog=99"))["Labels"]
    (line,) = stack.log(key, "photo failed")
    assert line["cause"]


UNREADABLE = {
    "not JSON": "this is not JSON {",
    "JSON of another kind": json.dumps({"hello": "world"}),
    "64 KB of JSON of another kind": json.dumps({"blob": "x" * 65_000}),
    "a number of 5,000 digits": json.dumps({"Records": []}).replace("[]", "9" * 5000),
    "half of a surrogate pair": (
        '{"source":"aws.s3","detail":{"bucket":{"name":"B"},"object":{"key":"images/\\ud83d.jpg"}}}'
    ),
    "a key that is not UTF-8": json.dumps(notification("photos", "images/%ff%fe.jpg")),
}


def test_unreadable_messages_are_dead_lettered_at_once_and_the_valid_one_is_labelled(stack: Stack) -> None:
    key = "images/among unreadable"  # S3 sends no event for a key without a suffix: only the message below does
    version = stack.upload(key, jpeg(), "Dog=99")
    bodies = [*UNREADABLE.values(), json.dumps(notification(stack.bucket, "images/among+unreadable"))]
    stack.sqs.send_message_batch(
        QueueUrl=stack.outputs["queue_url"],
        Entries=[{"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies)],
    )
    assert "Dog" in stack.labelled(key, version)["Labels"]
    (line,) = wait_for("log line", lambda: stack.log(key, "photo labelled"))
    assert line["attempt"] == 1
    for body in UNREADABLE.values():
        (why,) = wait_for("a dead letter", lambda: [d.why for d in stack.dead_letters() if d.body == body])  # noqa: B023
        assert why["Attempts"] == "1"
        assert why["Cause"]
        assert "find the sender" in why["NextStep"]
