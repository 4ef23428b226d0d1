"""The consumer of the example stream-consumer hears of each photo that is labelled, rejected or removed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pictures import jpeg
from stack import wait_for

if TYPE_CHECKING:
    from stack import Stack

    from tools.terraform import Root


def test_subscriber_receives_an_event_for_each_change_of_a_photo(stack: Stack, root: Root) -> None:
    queue = json.loads(root.run("output", "-json", "photo_events_queue_url").stdout)
    key = "images/stream/Käse + 🧀.jpg"
    heard: list[dict[str, Any]] = []

    def heard_of(kind: str, version: str) -> dict[str, Any] | None:
        for message in stack.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
            heard.append(json.loads(message["Body"]))
            stack.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        for event in heard:
            detail: dict[str, Any] = event["detail"]
            if event["detail-type"] == kind and detail["key"] == key and detail["versionId"] == version:
                return detail
        return None

    labelled = stack.upload(key, jpeg(), "Dog=99")
    event = wait_for("labelled", lambda: heard_of("Photo labelled", labelled))
    assert "Dog" in {label["name"] for label in event["labels"]}
    rejected = stack.upload(key, b"no image")
    event = wait_for("rejected", lambda: heard_of("Photo rejected", rejected))
    assert event["reason"].startswith("InvalidImageFormatException")
    stack.s3.delete_object(Bucket=stack.bucket, Key=key)
    wait_for("removed", lambda: heard_of("Photo removed", rejected))
    assert [event["detail-type"] for event in heard if event["detail"]["key"] == key] == [
        *("Photo labelled", "Photo rejected", "Photo removed")
    ]
