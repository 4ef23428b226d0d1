"""`image-labels status`: waiting photos, dead letters with their causes, and rejected photos."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer
from image_labels.tables.unwanted import unwanted_of

from image_labels_cli import cost, output
from image_labels_cli.dead_letters import MAX_DEAD_LETTERS, DeadLetter, peek
from image_labels_cli.feeding.preview import duration
from image_labels_cli.invocation import DifferencesError, UsageError
from image_labels_cli.layout import key
from image_labels_cli.options import JSON_OPTION
from image_labels_cli.progress import line
from image_labels_cli.queue_depth import Depth, depth
from image_labels_cli.times import Time
from image_labels_cli.watching import Reading, Watched, is_stalled, watch

if TYPE_CHECKING:
    from image_labels.unwanted.decision import Unwanted
    from mypy_boto3_dynamodb import DynamoDBClient

    from image_labels_cli.aws import Aws
    from image_labels_cli.deployment import Deployment

# Tests replace it.
TIME = Time()


@dataclass(frozen=True)
class RejectedSummary:
    """The number of rejected photos, some of them with their reasons, and the cost of the Scan that found them.

    `unwanted` is the number of unwanted photos by what was done: tag, quarantine or delete, with "pending" before it if
    it is not done yet, or "dry run of" if it was only recorded.
    """

    count: int
    photos: tuple[Mapping[str, str], ...]
    unwanted: Mapping[str, int]
    read_units: float
    requests: int


def status(
    ctx: typer.Context,
    limit: Annotated[
        int, typer.Option(min=0, help="Maximum number of rejected photos to list, and of dead letters (at most 10).")
    ] = MAX_DEAD_LETTERS,
    rejected_too: Annotated[
        bool, typer.Option("--rejected/--no-rejected", help="Show rejected photos, which reads the whole table.")
    ] = True,
    check: Annotated[
        bool, typer.Option("--check", help="Exit with 1 if a person must do something. Does not read the table.")
    ] = False,
    watching: Annotated[
        bool, typer.Option("--watch", help="Show rate and time left until the queue is empty, or Ctrl-C.")
    ] = False,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Show waiting photos, dead letters with causes, and rejected photos.

    \b
      image-labels status
      image-labels status --no-rejected      without reading the whole table
      image-labels status --json
      image-labels status --check            for scripts: 0 or 1
      image-labels status --watch            rate and time left

    A dead letter is a photo that failed all attempts: fix the cause, then
    run `image-labels redrive`. A rejected photo is one that Rekognition
    does not accept. Photos over the daily limit are labelled after the
    day (UTC) ends, or after you raise the limit.

    With --check, the exit code is 1 if there are dead letters, or if photos
    wait and the function takes none of them for a minute: its event source
    mapping is disabled, for instance, or the function cannot start.

    SQS counts are approximate. In a pipe, the first cell names the line.
    """
    if watching and (as_json or check):
        raise UsageError("--watch can be combined neither with --json nor with --check")
    rejected_too = rejected_too and not check and not watching
    tables = ("images_table",) if rejected_too else ()
    deployment, aws = ctx.obj.connect("queue_url", "dead_letter_queue_url", *tables)
    if watching:
        _watch(deployment, aws)
        return
    queue = depth(aws.sqs, deployment.queue_url)
    # Optional: a deployment without a daily limit may have no waiting queue.
    over_limit = depth(aws.sqs, deployment.waiting_queue_url) if deployment.waiting_queue_url else None
    dead = depth(aws.sqs, deployment.dead_letter_queue_url)
    letters = peek(aws.sqs, deployment.dead_letter_queue_url, limit) if dead.waiting and limit else []
    rejected = _scan_rejected(aws.dynamodb, deployment.images_table, limit) if rejected_too else None
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
        _write_tables(queue, over_limit, dead, letters, rejected)
        output.note_labels_by(aws.labels_by)
    else:
        output.write_lines(_lines(queue, over_limit, dead, letters, rejected))
    if letters and not as_json:
        output.note(f"fix the causes, then send the dead letters back: {ctx.obj.command('redrive')}")
    if check:
        _check(deployment, aws, Reading(queue, over_limit.total if over_limit else 0, dead.total))
    if rejected:
        output.note(cost.of_scan(rejected.read_units, rejected.requests) + "; --no-rejected avoids this")


def _read(deployment: Deployment, aws: Aws) -> Reading:
    return Reading(
        depth(aws.sqs, deployment.queue_url),
        depth(aws.sqs, deployment.waiting_queue_url).total if deployment.waiting_queue_url else 0,
        depth(aws.sqs, deployment.dead_letter_queue_url).total,
    )


def _check(deployment: Deployment, aws: Aws, first: Reading) -> None:
    """Raises DifferencesError if a person must do something."""
    found = []
    if first.dead_letters:
        found.append(f"{_photos(first.dead_letters)} in the dead-letter queue: fix the causes, then redrive them")
    if is_stalled(lambda: _read(deployment, aws), first, TIME):
        found.append(
            f"the function takes none of {_photos(first.queue.waiting)} in the queue: see whether its event source "
            "mapping is enabled, and its log"
        )
    if found:
        raise DifferencesError("\n".join(found))


def _watch(deployment: Deployment, aws: Aws) -> None:
    watched: Iterator[Watched] = watch(lambda: _read(deployment, aws), TIME)
    last: Watched | None = None
    if output.is_terminal():
        with line() as show:
            for last in watched:
                show(_sentence(last))
        if last:
            output.write_text(_sentence(last))
        return
    for each in watched:
        output.write_lines([["watch", *_numbers(each)]])


def _sentence(watched: Watched) -> str:
    reading = watched.reading
    parts = [f"{reading.queue.waiting:,} waiting, {reading.queue.in_flight:,} in progress"]
    if watched.rate is not None and reading.queue.total:
        parts.append(f"{watched.rate:,.1f} per second" if watched.rate >= 0 else "more arrive than leave")
    if watched.seconds_left is not None and reading.queue.total:
        parts.append(f"{duration(watched.seconds_left)} left")
    if reading.over_limit:
        parts.append(f"{reading.over_limit:,} wait for the daily limit")
    if reading.dead_letters:
        parts.append(f"{reading.dead_letters:,} dead letter{'' if reading.dead_letters == 1 else 's'}")
    return "; ".join(parts)


def _numbers(watched: Watched) -> list[str]:
    """The cells of a line: waiting, in flight, over the daily limit, dead letters, per second, and seconds left."""
    reading = watched.reading
    counts: list[Any] = [reading.queue.waiting, reading.queue.in_flight, reading.over_limit, reading.dead_letters]
    times = [watched.rate, watched.seconds_left]
    return [*map(str, counts), *("" if each is None else f"{each:.1f}" for each in times)]


def _photos(count: int) -> str:
    return f"{count:,} photo{'' if count == 1 else 's'}"


def _scan_rejected(client: DynamoDBClient, table: str, limit: int) -> RejectedSummary:
    """Counts all rejected and unwanted photos, and lists up to `limit` rejected ones.

    The table has no index for them, so this is a Scan.
    """
    photos: list[Mapping[str, str]] = []
    unwanted: Counter[str] = Counter()
    count, requests, read_units = 0, 0, 0.0
    pages = client.get_paginator("scan").paginate(
        TableName=table,
        FilterExpression="#status = :rejected OR attribute_exists(Unwanted)",
        ProjectionExpression="PK, Reason, #status, Unwanted",
        ExpressionAttributeNames={"#status": "Status"},
        ExpressionAttributeValues={":rejected": {"S": "REJECTED"}},
        ReturnConsumedCapacity="TOTAL",
    )
    for page in pages:
        rejected = [item for item in page["Items"] if item["Status"] == {"S": "REJECTED"}]
        count += len(rejected)
        unwanted.update(_done(decision) for item in page["Items"] if (decision := unwanted_of(item)) is not None)
        requests += 1
        read_units += page.get("ConsumedCapacity", {}).get("CapacityUnits", 0.0)
        photos += [
            {"key": item["PK"]["S"], "reason": item.get("Reason", {}).get("S", "")}
            for item in rejected[: limit - len(photos)]
        ]
    return RejectedSummary(count, tuple(photos), dict(sorted(unwanted.items())), read_units, requests)


def _done(decision: Unwanted) -> str:
    state = "dry run of " if decision.dry_run else "" if decision.done else "pending "
    return f"{state}{decision.action}"


def _lines(
    queue: Depth, over_limit: Depth | None, dead: Depth, letters: list[DeadLetter], rejected: RejectedSummary | None
) -> list[list[str]]:
    lines = [["waiting", str(queue.waiting)], ["in_flight", str(queue.in_flight)]]
    if over_limit:
        lines += [["over_daily_limit", str(over_limit.waiting + over_limit.in_flight)]]
    lines += [["dead_letters", str(dead.waiting + dead.in_flight)]]
    lines += [["dead_letter", *_cells(letter)] for letter in letters]
    if rejected:
        lines += [["rejected", str(rejected.count)]]
        lines += [["rejected_photo", photo["key"], photo["reason"]] for photo in rejected.photos]
        lines += [["unwanted", what, str(number)] for what, number in rejected.unwanted.items()]
    return lines


def _cells(letter: DeadLetter) -> list[str]:
    return [letter.photo or "", letter.known_cause, letter.known_next_step]


def _write_tables(
    queue: Depth, over_limit: Depth | None, dead: Depth, letters: list[DeadLetter], rejected: RejectedSummary | None
) -> None:
    output.write_text(f"{queue.waiting} waiting in the queue, {queue.in_flight} in progress")
    # Most deployments have no daily limit, and their waiting queue is always empty.
    if over_limit and (waiting := over_limit.waiting + over_limit.in_flight):
        output.write_text(f"{waiting} waiting (daily limit)")
    total = dead.waiting + dead.in_flight
    output.write_text(f"{total} dead letter{'' if total == 1 else 's'}{_shown(len(letters), total)}")
    if letters:
        output.write_table((key("Photo"), "Cause", "Next step"), map(_cells, letters))
    if rejected:
        shown = _shown(len(rejected.photos), rejected.count)
        output.write_text(f"{rejected.count} rejected photo{'' if rejected.count == 1 else 's'}{shown}")
        if rejected.photos:
            output.write_table((key("Photo"), "Reason"), ([photo["key"], photo["reason"]] for photo in rejected.photos))
        for what, number in rejected.unwanted.items():
            output.write_text(f"{number} unwanted photo{'' if number == 1 else 's'}: {what}")


def _shown(shown: int, count: int) -> str:
    return f", first {shown}:" if 0 < shown < count else ":" if shown else ""
