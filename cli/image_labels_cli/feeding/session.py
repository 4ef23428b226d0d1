"""What the commands that send photos have in common: the question, and the run with its progress."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer
from image_labels.events import ObjectRef, notification

from image_labels_cli.feeding.inspection import Inspection
from image_labels_cli.feeding.pending import Pending
from image_labels_cli.feeding.room import Room
from image_labels_cli.feeding.run import Queues, Result, Run
from image_labels_cli.inventory.bucket import Bucket
from image_labels_cli.invocation import NothingFoundError, UsageError
from image_labels_cli.patience import Patience
from image_labels_cli.progress import bar
from image_labels_cli.stop import Stop
from image_labels_cli.times import Time

if TYPE_CHECKING:
    from image_labels_cli.aws import Aws
    from image_labels_cli.deployment import Deployment
    from image_labels_cli.feeding.follower import Rule
    from image_labels_cli.feeding.selection import Selection
    from image_labels_cli.inventory.table import Table

# Tests replace it.
TIME = Time()


def check_question(*, answered: bool, as_json: bool) -> None:
    """Raise UsageError if the command would have to ask and cannot."""
    if not answered and (as_json or not sys.stdin.isatty()):
        raise UsageError("without a terminal, or with --json, the command cannot ask: add --yes or --dry-run")


def ask(photos: int) -> None:
    """Ask whether to send so many photos. Raises NothingFoundError for no, KeyboardInterrupt at the end of input."""
    try:
        if typer.confirm(f"Send {photos:,} photo{'' if photos == 1 else 's'} to the function?", err=True):
            return
    except typer.Abort:
        raise KeyboardInterrupt from None
    raise NothingFoundError("nothing was sent")


@dataclass
class Session:
    """One invocation of such a command. `call` of the tables and buckets that it reads is `patience`."""

    deployment: Deployment
    aws: Aws
    pace: float

    def __post_init__(self) -> None:
        self.time = TIME
        self.stop = Stop()
        self.patience = Patience(self.stop, self.time)
        self.bucket = Bucket(self.aws.s3, self.deployment.bucket, call=self.patience)
        self.result = Result(0)

    def run(self, selection: Selection, rule: Rule, table: Table) -> None:
        """Send the selection, and follow it. `table` is the one that was read. `result` is kept up to date.

        The first Ctrl-C ends it after the request at work. Raises AWS's errors.
        """
        deployment, sqs, time = self.deployment, self.aws.sqs, self.time
        offset = time.now() - time.clock() + table.ahead
        with Pending() as pending, self.stop.on_ctrl_c(), bar("labelling", selection.taken) as shown:
            run = Run(
                selection,
                pending,
                queues=Queues(sqs, deployment.queue_url, deployment.waiting_queue_url),
                items=table.items,
                rule=rule,
                body=lambda photo: notification(ObjectRef(deployment.bucket, photo.key, photo.labelled_before)),
                room=Room(sqs, deployment.queue_url, self.pace, clock=time.clock, sleep=time.sleep),
                inspection=Inspection(
                    sqs,
                    deployment.dead_letter_queue_url,
                    self.bucket,
                    pending,
                    table.items,
                    rule,
                    call=self.patience,
                    to_epoch=lambda reading: reading + offset,
                ),
                patience=self.patience,
                stop=self.stop,
                time=time,
                pace=self.pace,
            )
            self.result = run.result
            run.run(shown)
