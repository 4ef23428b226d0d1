"""Sends a selection, and says what happened: the end of the commands that send photos."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from image_labels.failures import Failure

from image_labels_cli import output
from image_labels_cli.feeding import report
from image_labels_cli.feeding.session import ask
from image_labels_cli.invocation import DifferencesError

if TYPE_CHECKING:
    from image_labels_cli.feeding.follower import Rule
    from image_labels_cli.feeding.selection import Selection
    from image_labels_cli.feeding.session import Session
    from image_labels_cli.inventory.table import Table


def send(
    session: Session,
    selection: Selection,
    rule: Rule,
    table: Table,
    *,
    answer: Mapping[str, Any],
    as_json: bool,
    dry_run: bool,
    yes: bool,
    again: str,
    redrive: str,
) -> None:
    """Ask unless `yes`, send the photos and follow them. With JSON, `answer` is printed together with the result.

    A dry run, or a selection without photos, ends before the question. `again` and `redrive` are commands. Raises
    NothingFoundError if the answer is no, DifferencesError if photos are not done, KeyboardInterrupt after Ctrl-C,
    and AWS's errors.
    """
    if dry_run or not selection.taken:
        if as_json:
            output.write_json(answer)
        return
    if not yes:
        ask(selection.taken)
    try:
        session.run(selection, rule, table)
    except (BotoCoreError, ClientError, Failure):
        output.note(f"an error has ended the command. To continue: {again}")
        raise
    finally:
        result = session.result
        if as_json:
            output.write_json({**answer, "result": report.as_json(result)})
        elif output.is_terminal():
            report.write(result)
        else:
            output.write_lines(report.lines(result))
    if result.stopped:
        output.note(f"to continue: {again}")
        raise KeyboardInterrupt
    if problems := report.problems(result, redrive, again):
        raise DifferencesError("\n".join(problems))
