"""AWS fails while photos are on their way: all of them are labelled in the end, and their batch-mates at once.

All photos are uploaded together, so that a batch holds photos with different faults and photos with none.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from pictures import jpeg
from stack import Stack, notification, wait_for

SECONDS = 120

# More faults than a try has attempts (clients.py: 4 of S3 and DynamoDB, 3 of Rekognition), where a try is to fail.
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
    "DynamoDB says that somebody else is writing": [
        {
            "service": "dynamodb",
            "operation": "TransactWriteItems",
            "fault": "TransactionInProgressException",
            "status": 400,
            "times": 2,
        }
    ],
    "DynamoDB has written but the answer is lost": [
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
    # Longer than the function has.
    "Rekognition does not answer": [
        {"service": "rekognition", "operation": "DetectLabels", "delay_ms": 6000, "times": 1}
    ],
}


def faulty(name: str) -> str:
    return f"images/faults/{name}/faulty.jpg"


def mates(name: str) -> list[str]:
    return [f"images/faults/{name}/mate {n}.jpg" for n in range(2)]


@pytest.fixture(scope="module")
def versions(stack: Stack) -> dict[str, str]:
    """All photos uploaded, with and without faults; the version of each."""
    for name, rules in FAULTS.items():
        stack.fail([rule | {"containing": faulty(name)} for rule in rules])
    return {key: stack.upload(key, jpeg(), "Dog=99") for name in FAULTS for key in (faulty(name), *mates(name))}


@pytest.mark.parametrize("name", FAULTS)
def test_photo_is_labelled_all_the_same(stack: Stack, versions: dict[str, str], name: str) -> None:
    key = faulty(name)
    item = stack.labelled(key, versions[key], SECONDS)
    assert item["Status"] == "LABELLED"
    assert "Dog" in item["Labels"]
    struck = [rule["struck"] for rule in stack.faults() if rule["containing"] == key]
    assert struck
    assert all(struck)  # it was there, and made a difference


@pytest.mark.parametrize("name", FAULTS)
def test_mates_are_labelled_at_their_first_try(stack: Stack, versions: dict[str, str], name: str) -> None:
    for key in mates(name):
        assert "Dog" in stack.labelled(key, versions[key], SECONDS)["Labels"]
        (line,) = wait_for("log line", lambda: stack.log(key, "photo labelled"))  # noqa: B023 - called here and now
        assert line["attempt"] == 1
        assert not stack.log(key, "photo failed")
        assert not stack.log(key, "photo handed back")


def test_try_that_failed_says_so(stack: Stack, versions: dict[str, str]) -> None:
    key = faulty("DynamoDB throttles reads")
    stack.labelled(key, versions[key], SECONDS)
    lines = stack.log(key, "photo failed") + stack.log(key, "photo handed back")
    assert lines
    assert all(line["cause"] and line["next_step"] and line["level"] == "WARNING" for line in lines)


def test_answer_that_was_lost_costs_no_second_call_of_rekognition(stack: Stack, versions: dict[str, str]) -> None:
    key = faulty("DynamoDB has written but the answer is lost")
    stack.labelled(key, versions[key], SECONDS)
    assert stack.rekognition_calls(key) == 1


def test_nonsense_with_status_200_is_tried_again(stack: Stack) -> None:
    key = "images/faults/nonsense.jpg"
    stack.emulator("POST", "/rules", {"key_prefix": key, "error": "nonsense", "times": 1})
    assert "Dog" in stack.labelled(key, stack.upload(key, jpeg(), "Dog=99"))["Labels"]
    (line,) = stack.log(key, "photo failed")
    assert line["cause"]


POISON = {
    "not JSON": "this is no JSON {",
    "another JSON": json.dumps({"hello": "world"}),
    "64 KB of another JSON": json.dumps({"blob": "x" * 65_000}),
    "a number of 5,000 digits": json.dumps({"Records": []}).replace("[]", "9" * 5000),
    "half of a surrogate pair": (
        '{"source":"aws.s3","detail":{"bucket":{"name":"B"},"object":{"key":"images/\\ud83d.jpg"}}}'
    ),
    "key that does not decode": json.dumps(notification("photos", "images/%ff%fe.jpg")),
}


def test_poison_is_in_the_dead_letter_queue_at_once_and_its_mates_are_labelled(stack: Stack) -> None:
    key = "images/among poison"  # no suffix that the bucket notifies of: only the batch below can label it
    version = stack.upload(key, jpeg(), "Dog=99")
    bodies = [*POISON.values(), json.dumps(notification(stack.bucket, "images/among+poison"))]
    stack.sqs.send_message_batch(
        QueueUrl=stack.outputs["queue_url"],
        Entries=[{"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies)],
    )
    assert "Dog" in stack.labelled(key, version)["Labels"]
    (line,) = wait_for("log line", lambda: stack.log(key, "photo labelled"))
    assert line["attempt"] == 1
    for body in POISON.values():
        (why,) = wait_for("a dead letter", lambda: [d.why for d in stack.dead_letters() if d.body == body])  # noqa: B023
        assert why["Attempts"] == "1"
        assert why["Cause"]
        assert "find the sender" in why["NextStep"]
