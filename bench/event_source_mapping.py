"""Lambda's event source mapping, between an SQS queue of LocalStack and the function from dist/lambda.zip.

There is a poller for each concurrent invocation. It receives a batch, passes it to its execution environment (a
process), and deletes the messages that the answer does not list as failed:
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html

On AWS the execution environments start in parallel. Here they would compete for the same processors. They therefore
start one after the other before the clock starts, and the longest start is added to the measured time. All pollers
start at once; on AWS five start at first, and five more each second.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any

from bench.lambda_runtime import PYTHON_OPTIONS

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

    from bench.module import Sizing

SCRIPT = Path(__file__).parent / "execution_environment.py"
# AWS waits for 20 s. The shorter wait matters only at the end, where a poller would delay the benchmark.
WAIT_SECONDS = 1
STOP_SECONDS = 90


@dataclass
class ComputeUsage:
    """Billed compute. Each invocation is rounded up to the millisecond."""

    invocations: int = 0
    errors: int = 0
    invocation_seconds: float = 0.0
    init_seconds: float = 0.0

    def gb_seconds(self, memory_mb: int) -> float:
        """Includes initialisation, which Lambda bills, too."""
        return (self.invocation_seconds + self.init_seconds) * memory_mb / 1024


class ExecutionEnvironment:
    """An execution environment. The constructor returns when it is ready; it takes one event at a time."""

    def __init__(self, variables: dict[str, str], log: IO[bytes]) -> None:
        began = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, *PYTHON_OPTIONS, str(SCRIPT)],
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,  # only the benchmark handles Ctrl-C
        )
        self._read()
        self.init_seconds = time.monotonic() - began

    def invoke(self, event: object, timeout: float) -> dict[str, Any]:
        assert self._process.stdin is not None
        print(json.dumps({"event": event, "timeout": timeout}), file=self._process.stdin, flush=True)
        return self._read()

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("an execution environment ended unexpectedly; see its log")
        answer: dict[str, Any] = json.loads(line)
        return answer


class EventSourceMapping:
    """Enabled while the `with` block lasts. Its end waits for the current batches.

    `enabled` is a reading of the monotonic clock: the time at which the mapping would have been enabled if the
    environments had started in parallel.
    """

    def __init__(
        self, sqs: SQSClient, queue_url: str, queue_arn: str, sizing: Sizing, variables: dict[str, str], log: Path
    ) -> None:
        self._sqs = sqs
        self._queue_url = queue_url
        self._queue_arn = queue_arn
        self._sizing = sizing
        self._variables = variables
        self._log_path = log
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._environments: list[ExecutionEnvironment] = []
        self._pollers: list[threading.Thread] = []
        self.usage = ComputeUsage()
        self.enabled = 0.0
        self.failure: Exception | None = None

    def __enter__(self) -> EventSourceMapping:
        self._log = self._log_path.open("wb")
        for _ in range(self._sizing.maximum_concurrency):
            environment = ExecutionEnvironment(self._variables, self._log)
            self._environments.append(environment)
            self._pollers.append(threading.Thread(target=self._poll, args=(environment,), daemon=True))
        starts = [environment.init_seconds for environment in self._environments]
        self.usage.init_seconds = sum(starts)
        self.enabled = time.monotonic() - max(starts)
        for poller in self._pollers:
            poller.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        deadline = time.monotonic() + (STOP_SECONDS if kind is None else 0)
        for poller in self._pollers:
            poller.join(max(0.0, deadline - time.monotonic()))
        for environment in self._environments:
            environment.stop()
        self._log.close()
        if self.failure and kind is None:
            raise self.failure

    def _poll(self, environment: ExecutionEnvironment) -> None:
        try:
            while not self._stopping.is_set():
                messages = self._sqs.receive_message(
                    QueueUrl=self._queue_url,
                    MaxNumberOfMessages=self._sizing.batch_size,
                    WaitTimeSeconds=WAIT_SECONDS,
                    MessageSystemAttributeNames=["All"],
                ).get("Messages", [])
                if messages:
                    self._invoke(environment, messages)
        except Exception as error:
            if not self._stopping.is_set():
                self.failure = error

    def _invoke(self, environment: ExecutionEnvironment, messages: list[MessageTypeDef]) -> None:
        event = {"Records": [self._record(message) for message in messages]}
        outcome = environment.invoke(event, self._sizing.timeout)
        with self._lock:
            self.usage.invocations += 1
            self.usage.errors += "error" in outcome
            self.usage.invocation_seconds += math.ceil(1000 * outcome["seconds"]) / 1000
        if "error" in outcome:
            return  # the whole batch returns after the visibility timeout
        failed = {entry["itemIdentifier"] for entry in outcome["answer"]["batchItemFailures"]}
        done = [message for message in messages if message["MessageId"] not in failed]
        if done:
            self._sqs.delete_message_batch(
                QueueUrl=self._queue_url,
                Entries=[{"Id": str(n), "ReceiptHandle": each["ReceiptHandle"]} for n, each in enumerate(done)],
            )

    def _record(self, message: MessageTypeDef) -> dict[str, object]:
        """https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html"""
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": dict(message["Attributes"]),
            "messageAttributes": {},  # S3 sets none
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self._queue_arn,
            "awsRegion": self._queue_arn.split(":")[3],
        }
