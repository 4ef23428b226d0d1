"""`image-labels status`: what waits, what failed and why, and what was rejected."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from image_labels import events

from image_labels_cli import cost, output

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

    from image_labels_cli.invocation import Invocation

_WAITING: Final = "ApproximateNumberOfMessages"
_IN_FLIGHT: Final = "ApproximateNumberOfMessagesNotVisible"
# What the function writes beside a dead letter (image_labels.queues.redelivery), and the names here.
_ATTRIBUTES = {
    "Photo": "photo",
    "Cause": "cause",
    "NextStep": "next_step",
    "Attempts": "attempts",
    "FailedAt": "failed_at",
}
# What EventBridge writes beside an event that it could not deliver:
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
_ERROR_CODE, _ERROR_MESSAGE = "ERROR_CODE", "ERROR_MESSAGE"
# SQS gives so many at once.
MAX_LETTERS = 10


@dataclass(frozen=True)
class Depth:
    """Messages of a queue: SQS says itself that its counts are approximate."""

    waiting: int
    in_flight: int


@dataclass(frozen=True)
class Letter:
    """A dead letter: which photo, and why, as far as the function could say."""

    photo: str | None
    cause: str | None
    next_step: str | None
    attempts: str | None
    failed_at: str | None


@dataclass(frozen=True)
class Rejected:
    """The photos that Rekognition will never label: how many, some of them with the reason, and the cost of looking."""

    count: int
    photos: tuple[Mapping[str, str], ...]
    read_units: float
    requests: int


def run(invocation: Invocation, *, limit: int, with_rejected: bool, as_json: bool) -> None:
    """Print queue depths, dead letters, and rejected photos, `limit` of either at most.

    What waits over the daily limit is left out if nobody says where.
    """
    tables = ("images_table",) if with_rejected else ()
    place, aws = invocation.at("queue_url", "dead_letter_queue_url", *tables)
    queue = depth(aws.sqs, place.queue_url)
    # Not needed: the module may have none, or be of a version that had none.
    over_limit = depth(aws.sqs, place.waiting_queue_url) if place.waiting_queue_url else None
    dead = depth(aws.sqs, place.dead_letter_queue_url)
    letters = peek(aws.sqs, place.dead_letter_queue_url, limit) if dead.waiting and limit else []
    rejected = scan_rejected(aws.dynamodb, place.images_table, limit) if with_rejected else None
    if as_json:
        output.write_json(
            {
                "queue": asdict(queue),
                "over_daily_limit": asdict(over_limit) if over_limit else None,
                "dead_letters": asdict(dead) | {"letters": [asdict(letter) for letter in letters]},
                "rejected": asdict(rejected) if rejected else None,
            }
        )
    elif output.is_terminal():
        _write_for_person(queue, over_limit, dead, letters, rejected)
    else:
        output.write_lines(_lines(queue, over_limit, dead, letters, rejected))
    if rejected:
        output.note(cost.of_scan(rejected.read_units, rejected.requests) + "; --no-rejected leaves that out")


def depth(client: SQSClient, url: str) -> Depth:
    """How many messages a queue has."""
    answer = client.get_queue_attributes(QueueUrl=url, AttributeNames=[_WAITING, _IN_FLIGHT])["Attributes"]
    return Depth(int(answer[_WAITING]), int(answer[_IN_FLIGHT]))


def peek(client: SQSClient, url: str, limit: int) -> list[Letter]:
    """Some dead letters, which stay where they are.

    They are visible again at once. Their receive count grows, but nothing hangs on it: this queue has no dead-letter
    queue of its own.
    """
    answer = client.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=min(limit, MAX_LETTERS),
        MessageAttributeNames=[*_ATTRIBUTES, _ERROR_CODE, _ERROR_MESSAGE],
        VisibilityTimeout=0,
        WaitTimeSeconds=1,  # else SQS asks only some of its servers
    )
    return [_letter(message["Body"], message.get("MessageAttributes", {})) for message in answer.get("Messages", [])]


def _letter(body: str, attributes: Mapping[str, Any]) -> Letter:
    said = Letter(**{name: _string(attributes, attribute) for attribute, name in _ATTRIBUTES.items()})
    if said.photo is None:
        said = replace(said, photo=_photo(body))
    if said.cause is None and (code := _string(attributes, _ERROR_CODE)):
        cause = f"EventBridge could not deliver it: {code}: {_string(attributes, _ERROR_MESSAGE) or ''}"
        return replace(said, cause=cause, next_step="put the policies of queue and KMS key right; then send it back")
    return said


def _photo(body: str) -> str | None:
    """The first photo that the event is about, if it is one: a letter that the function did not write names none."""
    try:
        objects = events.read(json.loads(body)).tasks[0].objects
    except (ValueError, RecursionError, IndexError, TypeError):
        return None
    return f"s3://{objects[0].bucket}/{objects[0].key}" if objects else None


def scan_rejected(client: DynamoDBClient, table: str, limit: int) -> Rejected:
    """All rejected photos are counted, `limit` of them listed. The table has no other way to find them than a Scan."""
    photos: list[Mapping[str, str]] = []
    count, requests, read_units = 0, 0, 0.0
    pages = client.get_paginator("scan").paginate(
        TableName=table,
        FilterExpression="#status = :rejected",
        ProjectionExpression="PK, Reason",
        ExpressionAttributeNames={"#status": "Status"},
        ExpressionAttributeValues={":rejected": {"S": "REJECTED"}},
        ReturnConsumedCapacity="TOTAL",
    )
    for page in pages:
        count += page["Count"]
        requests += 1
        read_units += page.get("ConsumedCapacity", {}).get("CapacityUnits", 0.0)
        photos += [
            {"key": item["PK"]["S"], "reason": item.get("Reason", {}).get("S", "")}
            for item in page["Items"][: limit - len(photos)]
        ]
    return Rejected(count, tuple(photos), read_units, requests)


def _string(attributes: Mapping[str, Any], name: str) -> str | None:
    value: str | None = attributes.get(name, {}).get("StringValue")
    return value


def _lines(
    queue: Depth, over_limit: Depth | None, dead: Depth, letters: list[Letter], rejected: Rejected | None
) -> list[list[str]]:
    """The first cell says what a line is."""
    lines = [["waiting", str(queue.waiting)], ["in_flight", str(queue.in_flight)]]
    if over_limit:
        lines += [["over_daily_limit", str(over_limit.waiting + over_limit.in_flight)]]
    lines += [["dead_letters", str(dead.waiting + dead.in_flight)]]
    lines += [["dead_letter", *_cells(letter)] for letter in letters]
    if rejected:
        lines += [["rejected", str(rejected.count)]]
        lines += [["rejected_photo", photo["key"], photo["reason"]] for photo in rejected.photos]
    return lines


def _cells(letter: Letter) -> list[str]:
    cause = letter.cause or "SQS moved it here, which does not say why"
    return [letter.photo or "", cause, letter.next_step or "look in the function's log; then send it back"]


def _write_for_person(
    queue: Depth, over_limit: Depth | None, dead: Depth, letters: list[Letter], rejected: Rejected | None
) -> None:
    output.write_text(f"{queue.waiting} waiting in the queue, {queue.in_flight} being worked on")
    # Most have no limit, and a queue for it that is always empty.
    if over_limit and (all_over := over_limit.waiting + over_limit.in_flight):
        output.write_text(f"{all_over} waiting (daily limit)")
    all_dead = dead.waiting + dead.in_flight
    output.write_text(f"{all_dead} dead letter{'' if all_dead == 1 else 's'}{_of_which(len(letters), all_dead)}")
    if letters:
        output.write_table(("Photo", "Cause", "Next step"), map(_cells, letters))
    if rejected:
        shown = _of_which(len(rejected.photos), rejected.count)
        output.write_text(f"{rejected.count} rejected photo{'' if rejected.count == 1 else 's'}{shown}")
        if rejected.photos:
            output.write_table(("Photo", "Reason"), ([photo["key"], photo["reason"]] for photo in rejected.photos))


def _of_which(shown: int, count: int) -> str:
    return f", {shown} of them:" if 0 < shown < count else ":" if shown else ""
