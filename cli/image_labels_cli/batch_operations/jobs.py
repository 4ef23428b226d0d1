"""The jobs of a backfill in S3 Batch Operations: create, count, confirm, cancel and follow them.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-job-status.html
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError
from image_labels.aws_errors import code_of
from image_labels.failures import TryAgain, failure_of

# Seconds between two looks at the jobs: while S3 lists the photos, and while it labels them.
COUNTING_SECONDS = 5.0
FOLLOWING_SECONDS = 30.0
# S3 may not know a new job at once:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshooting-batch-operations.html
UNKNOWN_LOOKS = 12
UNKNOWN = ("NoSuchJob", "NoSuchJobException", "NotFoundException", "404")
# Looks in a row that may fail in the days that jobs take: five minutes without a network, for instance.
MAX_FAILURES = 10
# The job has ended already.
NOT_CHANGEABLE = ("JobStatusException",)
# The reason of a job whose filter matches no object:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshooting-batch-operations.html
NO_KEYS = "no keys matching"

COUNTED = "Suspended"  # until it is confirmed
FAILED = "Failed"
CANCELLED = "Cancelled"
ENDED = ("Complete", FAILED, CANCELLED)


class S3Control(Protocol):
    """The operations of boto3's client for S3 Control that jobs need."""

    def create_job(self, **request: Any) -> Mapping[str, Any]: ...

    def describe_job(self, *, AccountId: str, JobId: str) -> Mapping[str, Any]: ...  # noqa: N803 - boto3's names

    def update_job_status(
        self,
        *,
        AccountId: str,  # noqa: N803
        JobId: str,  # noqa: N803
        RequestedJobStatus: str,  # noqa: N803
    ) -> Mapping[str, Any]: ...


@dataclass(frozen=True)
class Job:
    """A job as S3 describes it: `total` tasks, one per photo. `reasons` say why it failed."""

    id: str
    suffix: str
    status: str = "New"
    total: int = 0
    succeeded: int = 0
    failed: int = 0
    reasons: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether the filter matches no object, for which S3 fails the job."""
        return self.status == FAILED and any(NO_KEYS in reason for reason in self.reasons)

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED


@dataclass
class Jobs:
    """The jobs of one backfill. `sleep` takes seconds. All methods but `cancel` raise botocore's errors."""

    client: S3Control
    account: str
    sleep: Callable[[float], None] = time.sleep
    jobs: list[Job] = field(default_factory=list)

    def create(self, suffix: str, request: Mapping[str, Any]) -> None:
        """Create a job that waits for its confirmation."""
        self.jobs.append(Job(self.client.create_job(**request)["JobId"], suffix))

    def count(self, progress: Callable[[int], None]) -> None:
        """Wait until S3 has listed the photos of every job, or failed to."""
        unknown = 0
        while True:
            unknown += not self._look(known=unknown >= UNKNOWN_LOOKS)
            progress(self.total)
            if all(job.status == COUNTED or job.has_ended for job in self.jobs):
                return
            self.sleep(COUNTING_SECONDS)

    def confirm(self) -> None:
        """Start the jobs that wait for it."""
        for job in self.jobs:
            if job.status == COUNTED:
                self._update(job, "Ready")

    def follow(self, progress: Callable[[int], None]) -> None:
        """Wait until every job has ended. `progress` gets the number of new tasks that have.

        A failure that may be over soon is raised only after some in a row.
        """
        done = failures = 0
        while True:
            try:
                self._look(known=True)
                failures = 0
            except (ClientError, BotoCoreError) as error:
                failures += 1
                if failures > MAX_FAILURES or not isinstance(failure_of(error), TryAgain):
                    raise
            progress(self.done - done)
            done = self.done
            if all(job.has_ended for job in self.jobs):
                return
            self.sleep(FOLLOWING_SECONDS)

    def cancel(self) -> list[str]:
        """Cancel the jobs that have not ended. Returns the ids of those that may still be there. Raises nothing."""
        left = []
        for job in self.running:
            try:
                self._update(job, CANCELLED)
            except (ClientError, BotoCoreError) as error:
                if not (isinstance(error, ClientError) and code_of(error) in NOT_CHANGEABLE):
                    left.append(job.id)
        return left

    @property
    def total(self) -> int:
        return sum(job.total for job in self.jobs)

    @property
    def done(self) -> int:
        return sum(job.succeeded + job.failed for job in self.jobs)

    @property
    def running(self) -> Iterable[Job]:
        return [job for job in self.jobs if not job.has_ended]

    def _look(self, *, known: bool) -> bool:
        """Describe the jobs that have not ended. False if S3 does not know one, which raises if it is `known`."""
        looked = True
        for number, job in enumerate(self.jobs):
            if job.has_ended:
                continue
            try:
                described = self.client.describe_job(AccountId=self.account, JobId=job.id)["Job"]
            except ClientError as error:
                if known or code_of(error) not in UNKNOWN:
                    raise
                looked = False
                continue
            self.jobs[number] = _described(job, described)
        return looked

    def _update(self, job: Job, status: str) -> None:
        self.client.update_job_status(AccountId=self.account, JobId=job.id, RequestedJobStatus=status)


def _described(job: Job, answer: Mapping[str, Any]) -> Job:
    summary = answer.get("ProgressSummary", {})
    return Job(
        job.id,
        job.suffix,
        answer["Status"],
        summary.get("TotalNumberOfTasks", 0),
        summary.get("NumberOfTasksSucceeded", 0),
        summary.get("NumberOfTasksFailed", 0),
        tuple(
            each.get("FailureReason", "") or each.get("FailureCode", "") for each in answer.get("FailureReasons", ())
        ),
    )
