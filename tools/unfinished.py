"""Reasons why photos have no labels yet, from the function's log and the dead-letter queue."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from image_labels_cli.dead_letters import MAX_DEAD_LETTERS, DeadLetter, peek

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A photo without labels: its location, the last error, and the next step."""

    key: str
    where: str
    why: str
    next_step: str


def explain(
    keys: Sequence[str], outputs: Mapping[str, str], logs: CloudWatchLogsClient, sqs: SQSClient
) -> list[Unfinished]:
    """The location, last error and next step of each photo."""
    letters = {letter.photo: letter for letter in peek(sqs, outputs["dead_letter_queue_url"], MAX_DEAD_LETTERS)}
    said = {line["key"]: line for line in _lines(logs, outputs["log_group_name"]) if "key" in line and "cause" in line}
    return [_explain(key, letters.get(f"s3://{outputs['bucket_name']}/{key}"), said.get(key)) for key in keys]


def _explain(key: str, letter: DeadLetter | None, line: Mapping[str, Any] | None) -> Unfinished:
    if letter is not None:
        why = letter.cause or "unknown: SQS moved the message and records no reason"
        return Unfinished(key, "in the dead-letter queue", why, letter.next_step or "read the function's log")
    if line is not None:
        return Unfinished(key, f"in a queue after attempt {line['attempt']}", line["cause"], line["next_step"])
    return Unfinished(
        key,
        "unknown",
        "the function logged no failure of this photo",
        "read the logs of the function and LocalStack",
    )


def _lines(logs: CloudWatchLogsClient, group: str) -> Iterator[dict[str, Any]]:
    """The JSON objects in the function's log, oldest first; none if there is no log yet."""
    try:
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group):
            for event in page["events"]:
                try:
                    line = json.loads(event["message"])
                except ValueError:
                    continue
                if isinstance(line, dict):
                    yield line
    except logs.exceptions.ResourceNotFoundException:
        return
