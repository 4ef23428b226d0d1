"""The baseline: a function in the shape of AWS's blueprint, invoked by S3 directly, one photo an invocation.

S3 invokes asynchronously. Lambda runs as many invocations as the account has concurrency (1,000); events beyond wait.
A function error is tried again after a minute and after two more, then the event is discarded: the photo is lost.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html

An invocation is a thread that runs the blueprint's code on boto3 with its default retries (five attempts, with waits
of 0 to 1, 2, 4 and 8 s). A thousand threads on a small machine wait for the processor, which a thousand execution
environments do not. So an invocation is billed for what it would wait for on AWS, and nothing else: the latency that
Rekognition played, and the waits between boto3's attempts. Cold starts, processor time and network are free of charge:
all in the baseline's favour. The wall time is measured beside it, to show how far the two are apart.

`python -m bench.blueprint` is one of the processes that the threads are spread over: a Job in, a Tally out, as JSON.
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

from bench.lambda_runtime import ANYWHERE
from bench.light_aws import HEADER_WAITED, IMAGES_TABLE
from bench.queues import s3_event

CONCURRENCY = 1000
RETRIES_AFTER_SECONDS = (60, 120)
PROCESSES = 4


@dataclass(frozen=True)
class Job:
    """The photos of one process, and the invocations that it may run at a time."""

    url: str
    keys: list[str]
    concurrency: int


@dataclass
class Tally:
    """Invocations, how many of them failed, and their seconds: those that are billed, and on the clock here."""

    invocations: int = 0
    errors: int = 0
    discarded: int = 0
    billed_seconds: float = 0.0
    wall_seconds: float = 0.0

    def __add__(self, other: Tally) -> Tally:
        mine = asdict(self)
        return Tally(**{name: mine[name] + value for name, value in asdict(other).items()})


class _Waited(threading.local):
    """Seconds that the invocation of this thread has waited for what it would wait for on AWS."""

    seconds = 0.0


_waited = _Waited()


class Blueprint:
    """The function, and the clients that it makes when it starts."""

    def __init__(self, url: str, connections: int) -> None:
        session = boto3.Session()
        # Each execution environment has connections of its own; these threads share a client, so it needs as many.
        config = Config(max_pool_connections=connections)
        self._rekognition = session.client("rekognition", endpoint_url=url, config=config)
        self._table = session.resource("dynamodb", endpoint_url=url, config=config).Table(IMAGES_TABLE)

    def handler(self, event: dict[str, Any]) -> None:
        """The blueprint's code: the first record, labels, item."""
        record = event["Records"][0]["s3"]
        key = urllib.parse.unquote_plus(record["object"]["key"])
        answer = self._rekognition.detect_labels(Image={"S3Object": {"Bucket": record["bucket"]["name"], "Name": key}})
        _waited.seconds += float(answer["ResponseMetadata"]["HTTPHeaders"][HEADER_WAITED]) / 1000
        self._table.put_item(Item={"PK": key, "Labels": {label["Name"] for label in answer["Labels"]}})


def _sleep(seconds: float) -> None:
    """botocore's wait between two attempts, counted."""
    _waited.seconds += seconds
    time.sleep(seconds)


class AsynchronousInvocations:
    """Lambda's part: each event until it succeeds or is discarded, so many at a time."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._function = Blueprint(job.url, job.concurrency)
        self._slots = threading.BoundedSemaphore(job.concurrency)
        self._lock = threading.Lock()
        self._tally = Tally()

    def run(self) -> Tally:
        threads = [threading.Thread(target=self._event, args=(key,)) for key in self._job.keys]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return self._tally

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
            self._tally.discarded += 1

    def _invoke(self, event: dict[str, object]) -> bool:
        _waited.seconds = 0.0
        began = time.monotonic()
        try:
            self._function.handler(event)
            failed = False
        except (ClientError, BotoCoreError):
            failed = True
        wall = time.monotonic() - began
        billed = math.ceil(1000 * _waited.seconds) / 1000
        with self._lock:
            self._tally += Tally(1, int(failed), 0, billed, wall)
        return not failed


def _process(job: Job) -> None:
    vars(botocore.endpoint)["time"] = SimpleNamespace(time=time.time, sleep=_sleep)
    print(json.dumps(asdict(AsynchronousInvocations(job).run())))


class Invoked:
    """All photos invoke the function, at once; it is stopped when the `with` block ends."""

    def __init__(self, url: str, keys: Sequence[str]) -> None:
        self._url = url
        self._keys = keys

    def __enter__(self) -> Invoked:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self._processes = [
            subprocess.Popen(
                [sys.executable, "-m", "bench.blueprint"],
                env=kept | ANYWHERE,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,  # Ctrl-C is the benchmark's to deal with
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

    def tally(self) -> Tally:
        """Once they have finished: what they did."""
        tally = Tally()
        for process in self._processes:
            assert process.stdout is not None
            tally += Tally(**json.loads(process.stdout.read()))
        return tally

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.kill()
            process.wait()


if __name__ == "__main__":
    _process(Job(**json.loads(sys.stdin.read())))
