"""The baseline: a function like AWS's blueprint. S3 invokes it directly, once for each photo.

S3 invokes asynchronously. Lambda runs up to 1,000 invocations at a time, the account's concurrency, and queues the
other events. It retries a failed invocation after one minute, and again after two. Then it discards the event, and the
photo is lost. https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html

An invocation is a thread that runs the blueprint's code on boto3 with its default retries: five attempts, with waits
of 0 to 1, 2, 4 and 8 s. A thousand threads on a small machine compete for the processor; a thousand execution
environments do not. Billed time is therefore only what the function would wait for on AWS: the emulated latency of
Rekognition, and the waits between boto3's attempts. Cold starts, processor time and network are not billed, which
favours the baseline. The wall time is measured for comparison.

The threads are spread over several processes. Each is a `python -m bench.blueprint`, which reads a Job as JSON and
prints its Totals as JSON.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import threading
import time
import urllib.parse
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from types import SimpleNamespace, TracebackType
from typing import Any

import boto3
import botocore.endpoint
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from bench.in_memory_aws import IMAGES_TABLE, LATENCY_HEADER
from bench.lambda_runtime import PLACEHOLDER_CREDENTIALS
from bench.queues import s3_event

CONCURRENCY = 1000
RETRIES_AFTER_SECONDS = (60, 120)
PROCESSES = 4


@dataclass(frozen=True)
class Job:
    """The photos of one process, and its maximum number of concurrent invocations."""

    url: str
    keys: list[str]
    concurrency: int


@dataclass
class Totals:
    """Invocations, failed ones among them (`errors`), lost events (`discarded`), and seconds."""

    invocations: int = 0
    errors: int = 0
    discarded: int = 0
    billed_seconds: float = 0.0
    wall_seconds: float = 0.0

    def __add__(self, other: Totals) -> Totals:
        mine = asdict(self)
        return Totals(**{name: mine[name] + value for name, value in asdict(other).items()})


class _WaitTime(threading.local):
    """Seconds that the invocation of this thread would have waited on AWS."""

    seconds = 0.0


_wait_time = _WaitTime()


class Blueprint:
    """The function, with the clients that it creates at start."""

    def __init__(self, url: str, connections: int) -> None:
        session = boto3.Session()
        # On AWS each execution environment has its own connections. Here all threads share one client.
        config = Config(max_pool_connections=connections)
        self._rekognition = session.client("rekognition", endpoint_url=url, config=config)
        self._table = session.resource("dynamodb", endpoint_url=url, config=config).Table(IMAGES_TABLE)

    def handler(self, event: dict[str, Any]) -> None:
        """The blueprint's code: it labels the first record only."""
        record = event["Records"][0]["s3"]
        key = urllib.parse.unquote_plus(record["object"]["key"])
        answer = self._rekognition.detect_labels(Image={"S3Object": {"Bucket": record["bucket"]["name"], "Name": key}})
        _wait_time.seconds += float(answer["ResponseMetadata"]["HTTPHeaders"][LATENCY_HEADER]) / 1000
        self._table.put_item(Item={"PK": key, "Labels": {label["Name"] for label in answer["Labels"]}})


def _sleep(seconds: float) -> None:
    """Count botocore's wait between two attempts."""
    _wait_time.seconds += seconds
    time.sleep(seconds)


class AsynchronousInvocations:
    """Lambda's asynchronous invocations: retries each event until it succeeds or is discarded."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._function = Blueprint(job.url, job.concurrency)
        self._slots = threading.BoundedSemaphore(job.concurrency)
        self._lock = threading.Lock()
        self._totals = Totals()

    def run(self) -> Totals:
        threads = [threading.Thread(target=self._event, args=(key,)) for key in self._job.keys]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return self._totals

    def _event(self, key: str) -> None:
        event = s3_event(key)
        for pause in (*RETRIES_AFTER_SECONDS, None):
            with self._slots:
                succeeded = self._invoke(event)
            if succeeded:
                return
            if pause is not None:
                time.sleep(pause)
        with self._lock:
            self._totals.discarded += 1

    def _invoke(self, event: dict[str, object]) -> bool:
        _wait_time.seconds = 0.0
        began = time.monotonic()
        try:
            self._function.handler(event)
            failed = False
        except (ClientError, BotoCoreError):
            failed = True
        wall = time.monotonic() - began
        billed = math.ceil(1000 * _wait_time.seconds) / 1000
        with self._lock:
            self._totals += Totals(1, int(failed), 0, billed, wall)
        return not failed


def _process(job: Job) -> None:
    vars(botocore.endpoint)["time"] = SimpleNamespace(time=time.time, sleep=_sleep)
    print(json.dumps(asdict(AsynchronousInvocations(job).run())))


class BlueprintRun:
    """Invokes the function for all photos at once. The end of the `with` block stops it."""

    def __init__(self, url: str, keys: Sequence[str]) -> None:
        self._url = url
        self._keys = keys

    def __enter__(self) -> BlueprintRun:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self._processes = [
            subprocess.Popen(
                [sys.executable, "-m", "bench.blueprint"],
                env=kept | PLACEHOLDER_CREDENTIALS,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,  # only the benchmark handles Ctrl-C
            )
            for _ in range(PROCESSES)
        ]
        for n, process in enumerate(self._processes):
            assert process.stdin is not None
            job = Job(self._url, list(self._keys[n::PROCESSES]), CONCURRENCY // PROCESSES)
            process.stdin.write(json.dumps(asdict(job)))
            process.stdin.close()
        return self

    def finished(self) -> bool:
        return all(process.poll() is not None for process in self._processes)

    def totals(self) -> Totals:
        """The sum over all processes. Call it after they have finished."""
        totals = Totals()
        for process in self._processes:
            assert process.stdout is not None
            totals += Totals(**json.loads(process.stdout.read()))
        return totals

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.kill()
            process.wait()


if __name__ == "__main__":
    _process(Job(**json.loads(sys.stdin.read())))
