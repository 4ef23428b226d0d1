"""`image-labels backfill`: labels the photos that have no labels of the current settings."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from image_labels_cli import batch_operations, cost, output
from image_labels_cli.feeding.conclusion import send
from image_labels_cli.feeding.follower import Rule
from image_labels_cli.feeding.inputs import daily_limit_of, pace_of
from image_labels_cli.feeding.preview import Preview
from image_labels_cli.feeding.selection import Selection
from image_labels_cli.feeding.session import Session, check_question
from image_labels_cli.inventory.comparison import DIFFERENCES, MEANINGS, Expected, State
from image_labels_cli.inventory.inputs import (
    DEFAULT_GRACE_SECONDS,
    GRACE_OPTION,
    NEEDED,
    PREFIX_ARGUMENT,
    counted,
    inputs,
    target_of,
)
from image_labels_cli.inventory.table import Table
from image_labels_cli.options import JSON_OPTION
from image_labels_cli.progress import bar
from image_labels_cli.queue_depth import depth

if TYPE_CHECKING:
    from image_labels_cli.inventory.keys import KeyFilter

# The states that stay as they are. Items outside the filter are not read.
_LEFT_ALONE = (State.LABELLED, State.REJECTED, State.REMOVED, State.IN_PROGRESS)


def backfill(
    ctx: typer.Context,
    prefix: Annotated[str, PREFIX_ARGUMENT] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Send without a question.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count, and show cost and time.")] = False,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Maximum number of photos to send.", show_default=False)
    ] = None,
    grace: Annotated[int, GRACE_OPTION] = DEFAULT_GRACE_SECONDS,
    use_batch_operations: Annotated[
        bool, typer.Option("--batch-operations", help="Let AWS run it, as S3 Batch Operations jobs.")
    ] = False,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Label the photos that have no labels of the current settings.

    \b
      image-labels backfill                  count, show the cost, then ask
      image-labels backfill images/2026/
      image-labels backfill --dry-run
      image-labels backfill --yes --limit 1000
      image-labels backfill --batch-operations   for millions of photos

    The command compares bucket and table as the audit does. It sends
    missing, stale and foreign photos to the function, and follows them
    until they are done. For a ghost, the function removes the item.

    It sends no faster than the function works, so new uploads wait for
    ten seconds at most. Ctrl-C stops it, and running it again continues:
    it leaves out what is done. In a pipe, the first cell names the line.

    Exit codes: 0 all is done, 1 some photos failed or are not done.
    """
    check_question(answered=yes or dry_run, as_json=as_json)
    if use_batch_operations:
        batch_operations.run(ctx.obj, prefix, limit=limit, yes=yes, dry_run=dry_run, as_json=as_json)
        return
    deployment, aws = ctx.obj.connect(*NEEDED)
    pace, daily_limit = pace_of(deployment), daily_limit_of(deployment)
    keys, settings, listed = inputs(deployment, prefix)
    in_queue = depth(aws.sqs, deployment.queue_url).total
    session = Session(deployment, aws, pace)
    with Selection(limit) as selection:
        with Table(aws.dynamodb, deployment.images_table, call=session.patience, sleep=session.time.sleep) as table:
            states = _choose(session, table, selection, keys, settings, listed, grace)
        preview = Preview.of(selection, pace, daily_limit)
        items, lists = table.items, session.bucket.requests
        answer: dict[str, Any] = {
            "bucket": deployment.bucket,
            "prefix": listed,
            "settings": settings,
            **{str(state): states[state] for state in (*_LEFT_ALONE, *DIFFERENCES)},
            "in_queue": in_queue,
            "chosen": preview.as_json(),
            "read_units": items.read_units,
            "requests": items.requests,
            "list_requests": lists,
            "result": None,
        }
        read_cost = cost.of_audit(items.read_units, items.requests, lists)
        if not as_json:
            _write_preview(states, preview, in_queue)
        output.note(read_cost)
        send(
            session,
            selection,
            Rule(deployment.bucket, settings),
            table,
            answer=answer,
            as_json=as_json,
            dry_run=dry_run,
            yes=yes,
            again=ctx.obj.command("backfill", *([prefix] if prefix else [])),
            redrive=ctx.obj.command("redrive"),
        )


def _choose(
    session: Session, table: Table, selection: Selection, keys: KeyFilter, settings: str, listed: str, grace: int
) -> Counter[State]:
    """Read the table, list the bucket, and offer the keys that differ. Returns the number of keys in each state."""
    states: Counter[State] = Counter()
    with bar("items read") as shown:
        session.patience.tell = shown.say
        started = table.read(lambda key: key.startswith(listed), shown.set)
    expected = Expected(keys, session.deployment.bucket, settings, started - timedelta(seconds=grace))
    with bar("objects compared") as shown:
        session.patience.tell = shown.say
        target = target_of(session.deployment, session.aws.dynamodb)
        for compared in expected.compare(counted(session.bucket.objects(listed), shown.set), table):
            states[compared.state] += 1
            if compared.state in DIFFERENCES:
                selection.offer(compared, target)
    return states


def _write_preview(states: Counter[State], preview: Preview, in_queue: int) -> None:
    if not output.is_terminal():
        output.write_lines([str(state), str(states[state])] for state in (*_LEFT_ALONE, *DIFFERENCES))
        output.write_lines([["in_queue", str(in_queue)]])
        output.write_lines(
            ["chosen", name, str(value)] for name, value in preview.as_json().items() if value is not None
        )
        return
    for state in (*_LEFT_ALONE, *DIFFERENCES):
        name = str(state).replace("_", " ")
        output.write_text(f"{states[state]:>13,}  {name:<14}  {MEANINGS[state]}".rstrip())
    output.write_text(f"{in_queue:>13,}  in the queue")
    if not preview.photos:
        output.write_text("Nothing to do: bucket and tables agree.")
        return
    for line in preview.lines():
        output.write_text(line)
