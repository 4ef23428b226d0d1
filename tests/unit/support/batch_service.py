"""The API of S3 Batch Operations, in place of the network: requests are built, validated and signed by boto3's client.

A job goes through the documented states. Its manifest has the keys of `bucket` that match the filter, which takes one
prefix and one suffix. A job without keys fails. Each look moves it one state on, and an active job `step` tasks on.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-job-status.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_DescribeJob.html
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

ACCOUNT = "111122223333"
NO_KEYS = "Manifest generation found no keys matching the filter criteria."


class _Body:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def stream(self) -> list[bytes]:
        return [self._data]


@dataclass
class FakeJob:
    """`failing` keys fail their tasks when they run."""

    request: ElementTree.Element
    keys: list[str]
    status: str = "New"
    succeeded: int = 0
    failed: int = 0
    reason: str = ""

    def text(self, path: str) -> str | None:
        return self.request.findtext(path)


@dataclass
class BatchService:
    """`bucket` has the keys, `failing` those whose tasks fail. `before` runs before each answer, and may raise.

    `denied` are the operations for which a permission is missing, `unlistable` says why no manifest can be generated,
    `unknown` is how often S3 does not know a new job, and `fails_with` why an active job fails.
    """

    bucket: list[str] = field(default_factory=list)
    failing: frozenset[str] = frozenset()
    step: int = 1000
    unlistable: str = ""
    unknown: int = 0
    fails_with: str = ""
    denied: frozenset[str] = frozenset()
    before: Callable[[str], None] = lambda _operation: None
    on_start: Callable[[list[str]], None] = lambda _keys: None
    jobs: dict[str, FakeJob] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    hosts: set[str] = field(default_factory=set)

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        """Answer a request, as a handler of botocore's event before-send does."""
        url = urlsplit(request.url)
        self.hosts.add(url.netloc)
        match = re.fullmatch(r"/v20180820/jobs(?:/([^/]+)(/status)?)?", url.path)
        assert match, url.path
        operation = "CreateJob" if match[1] is None else "UpdateJobStatus" if match[2] else "DescribeJob"
        self.calls[operation] += 1
        self.before(operation)
        if operation in self.denied:
            status, body = 403, _error("AccessDenied", f"User: arn:aws:iam::{ACCOUNT}:user/o is not authorized")
        elif operation == "CreateJob":
            status, body = 200, self._create(request.body)
        elif operation == "UpdateJobStatus":
            status, body = self._update(match[1], parse_qs(url.query)["requestedJobStatus"][0])
        elif self.unknown:
            self.unknown -= 1
            status, body = 404, _error("NoSuchJob", "The specified job does not exist")
        else:
            status, body = 200, self._describe(match[1])
        return AWSResponse(request.url, status, {"Content-Type": "application/xml"}, _Body(body.encode()))  # type: ignore[arg-type]

    @property
    def statuses(self) -> list[str]:
        return [job.status for job in self.jobs.values()]

    def _create(self, body: Any) -> str:
        root = ElementTree.fromstring(re.sub(rb' xmlns="[^"]+"', b"", body))  # noqa: S314 - our own request
        constraint = "ManifestGenerator/S3JobManifestGenerator/Filter/KeyNameConstraint"
        prefixes = [each.text or "" for each in root.findall(f"{constraint}/MatchAnyPrefix/member")]
        suffixes = [each.text or "" for each in root.findall(f"{constraint}/MatchAnySuffix/member")]
        assert max(len(prefixes), len(suffixes)) <= 1, "InvalidRequest: each filter accepts an array of one string"
        keys = [
            key
            for key in self.bucket
            if key.startswith(tuple(prefixes or [""])) and key.endswith(tuple(suffixes or [""]))
        ]
        assert root.findtext("ConfirmationRequired") == "true"
        id_ = f"00000000-0000-4000-8000-{len(self.jobs):012}"
        self.jobs[id_] = FakeJob(root, keys)
        return f"<CreateJobResult><JobId>{id_}</JobId></CreateJobResult>"

    def _update(self, id_: str, status: str) -> tuple[int, str]:
        job = self.jobs[id_]
        if job.status in ("Complete", "Failed", "Cancelled") or (status == "Ready" and job.status != "Suspended"):
            return 400, _error("JobStatusException", f"the job is {job.status}")
        job.status = status
        if status == "Ready":
            self.on_start(job.keys)
        return 200, f"<UpdateJobStatusResult><JobId>{id_}</JobId><Status>{status}</Status></UpdateJobStatusResult>"

    def _describe(self, id_: str) -> str:
        job = self.jobs[id_]
        self._move_on(job)
        counted = job.status not in ("New", "Preparing")
        reasons = f"<member><FailureCode>x</FailureCode><FailureReason>{escape(job.reason)}</FailureReason></member>"
        return (
            f"<DescribeJobResult><Job><JobId>{id_}</JobId><Status>{job.status}</Status><ProgressSummary>"
            f"<TotalNumberOfTasks>{len(job.keys) if counted else 0}</TotalNumberOfTasks>"
            f"<NumberOfTasksSucceeded>{job.succeeded}</NumberOfTasksSucceeded>"
            f"<NumberOfTasksFailed>{job.failed}</NumberOfTasksFailed></ProgressSummary>"
            f"{f'<FailureReasons>{reasons}</FailureReasons>' if job.reason else ''}"
            "</Job></DescribeJobResult>"
        )

    def _move_on(self, job: FakeJob) -> None:
        match job.status:
            case "New":
                job.status = "Preparing"
            case "Preparing":
                job.reason = self.unlistable or ("" if job.keys else NO_KEYS)
                job.status = "Failed" if job.reason else "Suspended"
            case "Ready":
                job.status = "Active"
            case "Active":
                done = job.succeeded + job.failed
                for key in job.keys[done : done + self.step]:
                    job.failed += key in self.failing
                    job.succeeded += key not in self.failing
                if self.fails_with:
                    job.status, job.reason = "Failed", self.fails_with
                elif job.succeeded + job.failed == len(job.keys):
                    job.status = "Complete"


def _error(code: str, message: str) -> str:
    return f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
