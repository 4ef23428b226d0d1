"""Output of a backfill by S3 Batch Operations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from image_labels.search.printable import visible

from image_labels_cli import output
from image_labels_cli.batch_operations.estimate import DOLLARS_PER_MILLION_OBJECTS_IN_BUCKET, duration

if TYPE_CHECKING:
    from image_labels_cli.batch_operations.estimate import Estimate
    from image_labels_cli.batch_operations.jobs import Job, Jobs
    from image_labels_cli.batch_operations.request import Batch


def photos(count: int) -> str:
    return f"{count:,} photo{'' if count == 1 else 's'}"


def write_estimate(jobs: Jobs, estimate: Estimate, photos_per_second: float) -> None:
    """What the jobs would do, before the question."""
    if not output.is_terminal():
        rows = [["photos", str(jobs.total)], ["seconds", f"{estimate.seconds:.0f}"]]
        output.write_lines([*rows, *(["dollars", name, f"{value:.2f}"] for name, value in estimate.dollars.items())])
        return
    for job in jobs.jobs:
        output.write_text(f"{job.total:>13,}  photos that end with {visible(job.suffix) or 'anything'}")
    output.write_text(
        f"{photos(jobs.total)}: {duration(estimate.seconds)} at {photos_per_second:g} photos per second, "
        f"at most ${estimate.total:,.2f} (us-east-1)"
    )
    for name, value in estimate.dollars.items():
        output.write_text(f"{f'${value:,.2f}':>13}  {name}")
    rate = len(jobs.jobs) * DOLLARS_PER_MILLION_OBJECTS_IN_BUCKET
    output.write_text(
        "A photo with current labels costs no call of Rekognition. S3 also bills the lists of photos: "
        f"${rate:g} for each million of other objects in the bucket."
    )


def write_result(jobs: Jobs, batch: Batch) -> None:
    """How the jobs ended."""
    succeeded, failed = _sums(jobs)
    if not output.is_terminal():
        output.write_lines([["succeeded", str(succeeded)], ["failed", str(failed)]])
        output.write_lines(
            ["job", job.id, job.suffix, job.status, batch.report_of(job.id)] for job in _with_photos(jobs)
        )
        return
    output.write_text(f"{photos(succeeded)} done, {failed:,} failed")


def write_json(jobs: Jobs, batch: Batch, estimate: Estimate) -> None:
    """The result for programs. `report` is null for a job without photos, which has none."""
    succeeded, failed = _sums(jobs)
    output.write_json(
        {
            "photos": jobs.total,
            "succeeded": succeeded,
            "failed": failed,
            "estimated_seconds": round(estimate.seconds),
            "estimated_dollars": {name: round(value, 2) for name, value in estimate.dollars.items()},
            "jobs": [
                _as_json(job) | {"report": None if job.is_empty else batch.report_of(job.id)} for job in jobs.jobs
            ],
        }
    )


def problem(jobs: Jobs, batch: Batch) -> str:
    """What is left to do after the jobs, "" if nothing is."""
    lines = []
    for job in _with_photos(jobs):
        if job.status != "Complete":
            reasons = ": " + "; ".join(map(visible, job.reasons)) if job.reasons else ""
            lines.append(f"job {job.id} ({visible(job.suffix) or 'any suffix'}) is {job.status}{reasons}")
        if job.failed or job.status != "Complete":
            lines.append(f"{photos(job.failed)} failed, and the report says why: {batch.report_of(job.id)}")
    if lines:
        lines.append(
            "fix the causes, then run the command again: photos with current labels cost no call of Rekognition"
        )
    return "\n".join(lines)


def note_cancelled(jobs: Jobs, left: Sequence[str], region: str) -> None:
    """After an interruption or a no, before the jobs were started."""
    if left:
        output.note("S3 did not confirm that the jobs are cancelled. Cancel them:\n" + _update(left, jobs, region))
    elif jobs.jobs:
        output.note("the jobs are cancelled")


def note_running(jobs: Jobs, region: str) -> None:
    """After an interruption, while the jobs run."""
    ids = [job.id for job in jobs.running]
    if not ids:
        return
    follow = f"aws s3control describe-job {_where(jobs, region)} --query 'Job.[Status,ProgressSummary]'"
    output.note(
        "AWS goes on with the jobs. To see how far they are:\n"
        + _each(ids, follow)
        + "\nTo cancel them:\n"
        + _update(ids, jobs, region)
    )


def _update(ids: Sequence[str], jobs: Jobs, region: str) -> str:
    return _each(ids, f"aws s3control update-job-status {_where(jobs, region)} --requested-job-status Cancelled")


def _where(jobs: Jobs, region: str) -> str:
    return f'--region {region} --account-id {jobs.account} --job-id "$job"'


def _each(ids: Sequence[str], command: str) -> str:
    """A line to paste into a shell, for one job or for several."""
    if len(ids) == 1:
        return "  " + command.replace('"$job"', ids[0])
    return f"  for job in {' '.join(ids)}; do {command}; done"


def _sums(jobs: Jobs) -> tuple[int, int]:
    return sum(job.succeeded for job in jobs.jobs), sum(job.failed for job in jobs.jobs)


def _with_photos(jobs: Jobs) -> list[Job]:
    return [job for job in jobs.jobs if not job.is_empty]


def _as_json(job: Job) -> dict[str, Any]:
    return asdict(job)
