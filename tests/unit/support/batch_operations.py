"""S3 Batch Operations, as far as AWS documents how it invokes a function. LocalStack and moto have no such job.

- One invocation has one task, with a key that is encoded as HTML forms do. Schema 1.0 names the
  bucket's ARN, schema 2.0 its name and the job's arguments.
- Each task needs a result. One without a result gets `treatMissingKeysAs`, or TemporaryFailure.
- A task that fails temporarily runs again before the job ends. How often is not documented: `redrives`.
- A function that raises fails its task, which the report shows as a permanent failure.
- A job of which more than half of at least 1,000 tasks have failed fails itself.
- The report has a line per task: bucket, encoded key, version, status, HTTP status, code, message.

How a job reacts if Lambda throttles an invocation (429) is not documented. Here, an invocation waits until one of the
execution environments is free.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-invoke-lambda.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-examples-reports.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-job-status.html
"""

from __future__ import annotations

import csv
import io
import json
import queue
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus

Function = Callable[[Any], Any]

CODES = ("Succeeded", "TemporaryFailure", "PermanentFailure")
MIN_TASKS_OF_A_FAILED_JOB = 1000
MAX_FAILURE_RATE = 0.5


class ProtocolError(AssertionError):
    """The function's answer is not one that S3 Batch Operations understands."""


@dataclass(frozen=True)
class Row:
    """A line of the report. `key` is encoded."""

    bucket: str
    key: str
    version_id: str
    status: str
    code: str
    message: str


@dataclass
class Job:
    """A job that invokes a function for each object of a manifest.

    `environments` are the function's execution environments, each of which takes one invocation at a time: as many as
    the function has reserved concurrency. `redrives` is how often a task runs again after a temporary failure.
    """

    environments: Sequence[Function]
    bucket: str
    schema: str = "2.0"
    redrives: int = 2
    version_id: str | None = None
    status: str = "Active"
    rows: list[Row] = field(default_factory=list)
    invocations: int = 0
    _failed: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, keys: Sequence[str]) -> list[Row]:
        """Run a task per key. Returns the report, in the order of the keys. Raises ProtocolError."""
        free: queue.SimpleQueue[Function] = queue.SimpleQueue()
        for environment in self.environments:
            free.put(environment)
        ended: dict[str, Row] = {}
        # More threads than environments: a job does not know how many the function has.
        with ThreadPoolExecutor(2 * len(self.environments)) as pool:
            for redrive in range(self.redrives + 1):
                left = [key for key in keys if key not in ended]
                last = redrive == self.redrives
                for _ in pool.map(lambda key: self._run(key, free, ended, last=last), left):  # noqa: B023 - done within
                    pass
        self.status = "Complete" if self.status == "Active" else self.status
        self.rows = [ended[key] for key in keys if key in ended]
        return self.rows

    def report(self, scope: str = "FailedTasksOnly") -> str:
        """The report as CSV, of all tasks or of the failed ones."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        for row in self.rows:
            if scope == "AllTasks" or row.status == "failed":
                writer.writerow([row.bucket, row.key, row.version_id, row.status, "200", row.code, row.message])
        return text.getvalue()

    def _run(self, key: str, free: queue.SimpleQueue[Function], ended: dict[str, Row], *, last: bool) -> None:
        if self.status == "Failed":
            return
        row = self._task(key, free)
        with self._lock:
            self.invocations += 1
            if row.code == "TemporaryFailure" and not last:
                return
            ended[key] = row
            self._failed += row.status == "failed"
            if len(ended) >= MIN_TASKS_OF_A_FAILED_JOB and self._failed > MAX_FAILURE_RATE * len(ended):
                self.status = "Failed"

    def _task(self, key: str, free: queue.SimpleQueue[Function]) -> Row:
        event = self._event(key)
        environment = free.get()
        try:
            answer = json.loads(json.dumps(environment(json.loads(json.dumps(event)))))
        except ProtocolError:
            raise
        except Exception as error:
            code, message = "PermanentFailure", f"Lambda returned function error: {json.dumps(str(error))}"
        else:
            code, message = self._result(event, answer)
        finally:
            free.put(environment)
        succeeded = code == "Succeeded"
        return Row(
            self.bucket,
            event["tasks"][0]["s3Key"],
            self.version_id or "",
            "succeeded" if succeeded else "failed",
            "" if succeeded else code,
            message,
        )

    def _event(self, key: str) -> dict[str, Any]:
        task: dict[str, Any] = {"taskId": uuid.uuid4().hex, "s3Key": quote_plus(key), "s3VersionId": self.version_id}
        job: dict[str, Any] = {"id": "f3cc4f60-61f6-4a2b-8a21-d07600c373ce"}
        if self.schema == "1.0":
            task["s3BucketArn"] = f"arn:aws:s3:::{self.bucket}"
        else:
            task["s3Bucket"] = self.bucket
            job["userArguments"] = None
        return {
            "invocationSchemaVersion": self.schema,
            "invocationId": uuid.uuid4().hex,
            "job": job,
            "tasks": [task],
        }

    def _result(self, event: Mapping[str, Any], answer: Any) -> tuple[str, str]:
        for name in ("invocationSchemaVersion", "invocationId"):
            if answer.get(name) != event[name]:
                raise ProtocolError(f"{name} is {answer.get(name)!r}, not {event[name]!r}")
        missing = answer.get("treatMissingKeysAs", "TemporaryFailure")
        results = {each["taskId"]: each for each in answer["results"]}
        result = results.get(event["tasks"][0]["taskId"], {"resultCode": missing, "resultString": ""})
        if missing not in CODES or result["resultCode"] not in CODES or not isinstance(result["resultString"], str):
            raise ProtocolError(f"the result is not one of {CODES} with a text: {result}")
        return result["resultCode"], result["resultString"]
