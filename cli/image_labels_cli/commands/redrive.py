"""`image-labels redrive`: dead letters by cause, and back into the queue of photos."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from image_labels.failures import TryAgain
from image_labels.search.printable import visible

from image_labels_cli import output
from image_labels_cli.feeding.inputs import pace_of
from image_labels_cli.feeding.room import Room
from image_labels_cli.invocation import NothingFoundError, UsageError
from image_labels_cli.options import JSON_OPTION
from image_labels_cli.progress import bar
from image_labels_cli.queue_depth import depth
from image_labels_cli.redrive import report
from image_labels_cli.redrive.causes import Group, pick
from image_labels_cli.redrive.move import Mover, Survey, survey
from image_labels_cli.redrive.queues import Pass
from image_labels_cli.stop import Stop

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from image_labels_cli.deployment import Deployment


def redrive(
    ctx: typer.Context,
    cause: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TEXT|NUMBER", help="Only causes with this text or number. Repeatable.", show_default=False
        ),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All causes, without a question.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Send without a question.")] = False,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Maximum number of dead letters to send.", show_default=False)
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list the causes.")] = False,
    include_unreadable: Annotated[
        bool, typer.Option("--include-unreadable", help="Also send messages that are no events.")
    ] = False,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Send dead letters back to the queue of photos, by cause.

    \b
      image-labels redrive                   list the causes, then ask
      image-labels redrive --dry-run         list the causes
      image-labels redrive --cause 2
      image-labels redrive --cause AccessDenied --yes
      image-labels redrive --all

    Fix the causes first. No dead letter is lost, even if the command is
    interrupted: Ctrl-C stops it, and running it again continues. It sends
    no faster than the function works, so new uploads wait for ten
    seconds at most. A message that is no event stays, because the function
    would return it at once. A number is the cause's place in the list,
    which may change between two runs.

    In a pipe, the first cell names the line.
    """
    _check(cause, every=every, ask=not (every or yes or dry_run), as_json=as_json)
    deployment, aws = ctx.obj.connect("queue_url", "dead_letter_queue_url")
    pace = pace_of(deployment)
    found = _survey(aws.sqs, deployment)
    groups = found.causes.ranked()
    if not as_json:
        report.write_causes(found, groups)
    chosen = _chosen(groups, cause)
    if dry_run:
        if as_json:
            report.write_json(found, groups, chosen, None)
        return
    if not (every or yes):
        chosen = _ask(groups, chosen if cause else None, limit, include_unreadable)
    if not (total := _count(chosen, include_unreadable)):
        raise NothingFoundError(
            f"{report.letters_are(_count(chosen, True))} not sent: the message is no event, so the function would "
            "return it.\nFind its sender and delete it, or add --include-unreadable."
        )
    mover = Mover(
        aws.sqs,
        Pass(aws.sqs, deployment.dead_letter_queue_url),
        deployment.queue_url,
        chosen=lambda letter: found.causes.find(letter) in chosen,
        include_unreadable=include_unreadable,
        newest=found.newest,
        limit=limit,
    )
    try:
        _move(mover, Room(aws.sqs, deployment.queue_url, pace), min(total, limit or total))
    finally:
        if as_json:
            report.write_json(found, groups, chosen, mover.moved)
        else:
            report.write_result(mover.moved, ctx.obj.command("status"))
    if mover.moved.stopped:
        raise KeyboardInterrupt
    if mover.release_error:
        raise mover.release_error
    if mover.moved.refused:
        raise TryAgain(f"SQS refused {report.letters(mover.moved.refused)}: {mover.moved.refusal}")
    if not mover.moved.sent:
        raise NothingFoundError("nothing was sent: another command took the dead letters, or hides them")


def _move(mover: Mover, room: Room, total: int) -> None:
    stop = Stop()
    with stop.on_ctrl_c(), bar("sending", total) as shown:
        try:
            mover.move(room, stop, shown.advance, shown.wait)
        finally:
            mover.release()


def _check(cause: list[str] | None, *, every: bool, ask: bool, as_json: bool) -> None:
    if cause and every:
        raise UsageError("--all sends all causes: give either --all or --cause … --yes")
    if ask and (as_json or not sys.stdin.isatty()):
        raise UsageError("without a terminal, or with --json, the command cannot ask: add --all, --yes or --dry-run")


def _survey(client: SQSClient, deployment: Deployment) -> Survey:
    """The dead letters by cause. All are visible again afterwards. Raises NothingFoundError if there are none."""
    url = deployment.dead_letter_queue_url
    before = depth(client, url)
    queue, stop = Pass(client, url), Stop()
    with stop.on_ctrl_c():
        try:
            with bar("reading", before.waiting) as shown:
                found = survey(queue, stop, shown.advance)
        finally:
            with bar("finishing", before.waiting) as shown:
                queue.release(shown.advance)
    if queue.not_released:
        output.note(f"{report.letters_are(queue.not_released)} {report.HIDDEN}")
    if queue.release_error:
        raise queue.release_error
    if stop.requested:
        raise KeyboardInterrupt
    if before.in_flight:
        output.note(f"{report.letters_are(before.in_flight)} hidden, because another command has received them")
    if not found.count:
        raise NothingFoundError("the dead-letter queue has no visible message")
    return found


def _chosen(groups: Sequence[Group], cause: list[str] | None) -> list[Group]:
    if not cause:
        return list(groups)
    chosen, unknown = pick(groups, cause)
    if unknown:
        raise NothingFoundError(f"no dead letter has the cause {', '.join(map(visible, unknown))}")
    return chosen


def _count(groups: Sequence[Group], unreadable: bool) -> int:
    return sum(group.count for group in groups if group.readable or unreadable)


def _ask(groups: Sequence[Group], chosen: list[Group] | None, limit: int | None, unreadable: bool) -> list[Group]:
    """The causes to send, by asking which ones, or whether to send `chosen`. Raises NothingFoundError for none."""
    try:
        if chosen is None:
            chosen = list(groups) if len(groups) == 1 else _ask_which(groups)
        total = _count(chosen, unreadable)
        what = f"{min(total, limit or total):,} of " if limit and limit < total else ""
        if not total or typer.confirm(f"Send {what}{report.letters(total)} back?", err=True):
            return chosen
    except typer.Abort:
        raise KeyboardInterrupt from None
    raise NothingFoundError("nothing was sent")


def _ask_which(groups: Sequence[Group]) -> list[Group]:
    while True:
        answer = typer.prompt("Send which causes? all, none, or numbers such as 1,2", default="none", err=True).strip()
        if answer == "all":
            return list(groups)
        if answer == "none":
            raise NothingFoundError("nothing was sent")
        chosen, unknown = pick(groups, [text.strip() for text in answer.split(",")])
        if chosen and not unknown:
            return chosen
        output.note(f"no cause has the number or text {', '.join(map(visible, unknown))}")
