"""The steps of a backfill by S3 Batch Operations: create the jobs, let S3 count the photos, ask, start and follow."""

from __future__ import annotations

import sys
from math import isfinite
from typing import TYPE_CHECKING, Any

import typer
from image_labels.search.printable import visible

from image_labels_cli import output
from image_labels_cli.batch_operations import report
from image_labels_cli.batch_operations.estimate import of_jobs
from image_labels_cli.batch_operations.jobs import Jobs
from image_labels_cli.batch_operations.request import Batch, Request
from image_labels_cli.deployment import DeploymentError, flag
from image_labels_cli.inventory.inputs import calls_per_photo
from image_labels_cli.inventory.keys import KeyFilter
from image_labels_cli.invocation import DifferencesError, NothingFoundError, UsageError
from image_labels_cli.progress import bar

if TYPE_CHECKING:
    from image_labels_cli.deployment import Deployment
    from image_labels_cli.invocation import Invocation

NEEDED = ("bucket", "filter_suffixes", "batch_function_arn", "batch_role_arn", "batch_tps")
NOT_ENABLED = (
    "S3 Batch Operations need a function and a role: apply the module with enable_batch_operations = true, which adds "
    "them to the outputs"
)
AWS_ERROR = 3


def run(invocation: Invocation, prefix: str, *, limit: int | None, yes: bool, dry_run: bool, as_json: bool) -> None:
    """Label the photos of the module's filter under `prefix` by jobs that AWS runs, and follow them to their end.

    Until the jobs are confirmed, any interruption or failure cancels them. After that, they run on without the command.

    Raises UsageError, DeploymentError, NothingFoundError (nothing to do, or the answer is no), DifferencesError (photos
    failed) and botocore's errors. With JSON, stdout has one document: the requests of a dry run, or the result.
    """
    if limit is not None:
        raise UsageError(
            "--limit must not be given with --batch-operations: a job has no limit. Give a PREFIX instead."
        )
    if not (yes or dry_run) and (as_json or not sys.stdin.isatty()):
        raise UsageError("without a terminal, or with --json, the command cannot ask: add --yes or --dry-run")
    deployment, aws = _connected(invocation)
    batch, pace, calls = Batch.of(deployment), _photos_per_second(deployment), calls_per_photo(deployment)
    requests = _requests(deployment, batch, prefix)
    if dry_run:
        output.write_json(list(requests.values()))
        return
    if aws.labels_by:
        raise UsageError("the emulated AWS has no S3 Batch Operations: run the command without --batch-operations")

    jobs = Jobs(aws.s3control, batch.account)
    region = str(aws.session.region_name)
    confirmed = False
    try:
        for suffix, request in requests.items():
            jobs.create(suffix, request)
        with bar("photos that S3 has counted") as counted:
            jobs.count(counted.set)
        _check(jobs, batch)
        estimate = of_jobs(jobs.total, len(jobs.jobs), pace, calls)
        if not as_json:
            report.write_estimate(jobs, estimate, pace)
        if not yes:
            _ask(jobs.total)
        jobs.confirm()
        confirmed = True
    finally:
        if not confirmed:
            report.note_cancelled(jobs, jobs.cancel(), region)

    try:
        with bar("labelling", jobs.total) as progress_bar:
            jobs.follow(progress_bar.advance)
    except BaseException:
        report.note_running(jobs, region)
        raise
    if as_json:
        report.write_json(jobs, batch, estimate)
    else:
        report.write_result(jobs, batch)
    if problem := report.problem(jobs, batch):
        raise DifferencesError(problem)


def _connected(invocation: Invocation) -> tuple[Deployment, Any]:
    try:
        return invocation.connect(*NEEDED)
    except DeploymentError as error:
        # Without the switch, cli_environment lacks these three. Their flags alone would not help.
        lacks = any(flag(name) in str(error) for name in NEEDED if name.startswith("batch_"))
        raise DeploymentError(f"{NOT_ENABLED}\n{error}" if lacks else str(error)) from None


def _photos_per_second(deployment: Deployment) -> float:
    try:
        number = float(deployment.batch_tps)
    except ValueError:
        number = 0
    if not (isfinite(number) and number > 0):
        raise UsageError(f"--batch-tps must be a number above 0: {visible(deployment.batch_tps)}")
    return number


def _requests(deployment: Deployment, batch: Batch, prefix: str) -> dict[str, Request]:
    keys = KeyFilter.of(deployment.filter_prefix, deployment.filter_suffixes)
    within = keys.within(prefix)
    if within is None:
        raise UsageError(f"the module labels keys that start with {visible(keys.prefix)}: {visible(prefix)} does not")
    return {suffix: batch.request(within, suffix) for suffix in keys.suffixes}


def _check(jobs: Jobs, batch: Batch) -> None:
    """Raises typer.Exit if a job has failed, and NothingFoundError if no job has a photo."""
    if failed := [job for job in jobs.jobs if job.has_ended and not job.is_empty]:
        reasons = "; ".join(dict.fromkeys(visible(reason) for job in failed for reason in job.reasons))
        output.print_error(
            f"S3 Batch Operations could not list the photos: {reasons or failed[0].status}\n"
            f"see the permissions of the role {batch.role_arn} and the policy of the bucket {batch.bucket}"
        )
        raise typer.Exit(AWS_ERROR)
    if not jobs.total:
        raise NothingFoundError("the bucket has no photo that the module labels under this prefix")


def _ask(photos: int) -> None:
    try:
        if typer.confirm(f"Start the jobs for {report.photos(photos)}?", err=True):
            return
    except typer.Abort:
        raise KeyboardInterrupt from None
    raise NothingFoundError("nothing was labelled")
