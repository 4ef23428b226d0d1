"""Sends a selection, and says what happened: the end of the commands that send photos."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from image_labels.failures import Failure

from image_labels_cli import output
from image_labels_cli.feeding import report
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
    answer: Mapping[str, Any] | None,
    again: str,
    redrive: str,
) -> None:
    """Send the photos and follow them. With an `answer`, it is printed as JSON together with the result.

    `again` and `redrive` are commands. Raises DifferencesError if photos are not done, KeyboardInterrupt after Ctrl-C,
    and AWS's errors.
    """
    try:
        session.run(selection, rule, table)
    except (BotoCoreError, ClientError, Failure):
        output.note(f"an error has ended the command. To continue: {again}")
        raise
    finally:
        result = session.result
        if answer is not None:
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
