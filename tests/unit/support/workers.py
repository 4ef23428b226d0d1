"""A worker whose photos and queues are fakes, and the events that it gets."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from image_labels.failures import OverDailyLimit
from image_labels.reconcile import Cost, Outcome, Result
from image_labels.worker import Worker
from support.fakes import BUCKET

if TYPE_CHECKING:
    from image_labels.failures import Failed

OVER = OverDailyLimit(1000, "2026-11-25")


class Keys:
    """A reconciler that records its keys and calls `doing` for each; `calls` is the cost of each in calls.

    `apis` has the API of each call of a detector in addition.
    """

    calls = 0
    apis: Sequence[str] = ()

    def __init__(self, doing: Callable[[str], Result] | None = None) -> None:
        self.seen: list[str] = []
        self.labelled_before: dict[str, str] = {}
        self._doing = doing or (lambda _key: Result(Outcome.LABELLED, labels=3))

    def reconcile(
        self, key: str, abandoned: Callable[[], bool], cost: Cost, labelled_before: str, late: Callable[[], bool]
    ) -> Result:
        self.seen.append(key)
        self.late = late
        self.labelled_before[key] = labelled_before
        cost.rekognition_calls += self.calls
        for api in self.apis:
            cost.add(api)
        self.abandoned = abandoned
        return self._doing(key)


class Kept:
    """The redelivery of failed messages, all of which SQS keeps.

    Messages for photos that wait are in `waiting`, except those whose address is in `refuses`.
    """

    def __init__(self, *refuses: str) -> None:
        self.failed: list[Failed] = []
        self.waiting: list[Any] = []
        self._refuses = refuses

    def hand_back(self, failed: Sequence[Failed]) -> list[str]:
        self.failed += failed
        return [each.message.id for each in failed]

    def let_wait(self, messages: Sequence[tuple[str, str]]) -> Sequence[bool]:
        self.waiting += [json.loads(body) for photo, body in messages if photo not in self._refuses]
        return [photo not in self._refuses for photo, _ in messages]


def worker(keys: Keys, concurrency: int = 5, kept: Kept | None = None) -> Worker:
    given = kept or Kept()
    return Worker(keys, lambda: given, BUCKET, concurrency)


def sqs(*keys: str, bucket: str = BUCKET) -> dict[str, Any]:
    """An SQS event with one S3 notification a message; the messages are called m0, m1, …"""
    messages = []
    for n, key in enumerate(keys):
        notification = {"eventSource": "aws:s3", "s3": {"bucket": {"name": bucket}, "object": {"key": key}}}
        body = json.dumps({"Records": [notification]})
        messages.append({"eventSource": "aws:sqs", "messageId": f"m{n}", "body": body, "attributes": {}})
    return {"Records": messages}


def returned(answer: Any) -> list[str]:
    """The ids of the messages that the answer returns to the queue."""
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def in_one_message(event: dict[str, Any], *more: object) -> dict[str, Any]:
    """The event with the records of all its messages, and with more records, in its first message."""
    records = [json.loads(message["body"])["Records"][0] for message in event["Records"]]
    return {"Records": [event["Records"][0] | {"body": json.dumps({"Records": [*records, *more]})}]}
