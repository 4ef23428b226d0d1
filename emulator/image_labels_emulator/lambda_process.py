"""LocalStack's runtime executor without Docker: Lambda functions run as processes on this machine.

An execution environment is a child process that runs AWS's own runtime client, `awslambdaric`, on the unzipped code.
Imports, timeouts, crashes, the JSON of events and answers, and log lines therefore behave as in Lambda. Differences:
the function uses this machine's Python and packages, there is no memory limit and no isolation, and the function is not
frozen between invocations: a thread that an invocation leaves behind continues at once.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING

import psutil
from localstack.services.lambda_.invocation.executor_endpoint import StatusErrorException
from localstack.services.lambda_.invocation.lambda_models import InvocationResult
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor

from image_labels_emulator.functions import ENVIRONMENTS, Running
from image_labels_emulator.runtime_api import Invocation, Outcome, RuntimeApi

if TYPE_CHECKING:
    from localstack.services.lambda_.invocation.lambda_models import FunctionVersion

LOG = logging.getLogger(__name__)

# "The Init phase is limited to 10 seconds":
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
INIT_SECONDS = 10.0


class ProcessRuntimeExecutor(RuntimeExecutor):
    """Runs one execution environment of a Python function as a child process."""

    def __init__(self, id: str, function_version: FunctionVersion) -> None:  # noqa: A002 - LocalStack names it
        super().__init__(id=id, function_version=function_version)
        self._lock = threading.Lock()
        self._environment: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._api: RuntimeApi | None = None
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as this is
        self._log_read = 0
        self._init_ms: float | None = None
        self._stopped = False
        self._invoking: str | None = None

    # -- LocalStack's interface

    def start(self, env_vars: dict[str, str]) -> None:
        """Start the runtime and wait until it asks for its first invocation.

        Raises StatusErrorException if the code cannot be imported, has no such handler, or starts too slowly.
        """
        self._environment = {name: str(value) for name, value in env_vars.items()}
        ENVIRONMENTS.add(self)
        self._start_runtime()

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
        ENVIRONMENTS.discard(self)
        self._kill()

    def get_address(self) -> str:
        return "127.0.0.1"

    def get_endpoint_from_executor(self) -> str:
        return "127.0.0.1"

    def get_runtime_endpoint(self) -> str:
        # For LocalStack's own init binary, which a process does not need.
        return "http://127.0.0.1"

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        """Run one invocation until it returns, fails, times out, or its process ends."""
        request_id = payload["invoke-id"]
        try:
            if self._process is None or self._process.poll() is not None:
                self._kill()  # closes the API of a process that ended between invocations
                self._start_runtime()  # as Lambda does after a timeout or a crash
        except StatusErrorException as error:
            return InvocationResult(request_id, error.payload, is_error=True, logs=self._new_log_lines())
        assert self._api is not None
        timeout = self.function_version.config.timeout
        started = time.monotonic()
        self._invoking = request_id
        self._api.send(
            Invocation(request_id, payload["invoked-function-arn"], payload["payload"], payload["trace-id"], timeout)
        )
        outcome = self._await_outcome(request_id, started + timeout)
        duration = time.monotonic() - started
        status = "success"
        if outcome is None:
            status = "timeout" if duration >= timeout else "failure"
            outcome = self._ended_without_answer(request_id, timed_out=status == "timeout")
            self._kill()
        elif outcome.is_error:
            status = "error"
        self._invoking = None
        logs = self._with_platform_lines(request_id, duration, status, self._new_log_lines())
        return InvocationResult(request_id, outcome.payload, is_error=outcome.is_error, logs=logs)

    def get_logs(self) -> str:
        return self._log_since(0).decode(errors="replace")

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        runtime = function_version.config.runtime or "a container image"
        if not runtime.startswith("python"):
            raise ValueError(f"LAMBDA_RUNTIME_EXECUTOR=process runs Python functions only, not {runtime}")
        if function_version.config.code:
            function_version.config.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        """Keep the code, because a later version with other settings may use it.

        LocalStack deletes code that no version of the function uses.
        """

    # -- interface of /_emulator/functions

    def running(self) -> Running | None:
        """The running process, or None."""
        with self._lock:
            return self._running()

    def send_signal(self, number: signal.Signals) -> Running | None:
        """Signal the process group, and return what was running; None if there was no process."""
        with self._lock:
            if found := self._running():
                os.killpg(found["pid"], number)
                if number == signal.SIGKILL and self._process is not None:
                    self._process.wait()  # otherwise the next invocation could still go to it
            return found

    def _running(self) -> Running | None:
        if self._process is None or self._process.poll() is not None:
            return None
        name = self.function_version.id.function_name
        return {"function": name, "pid": self._process.pid, "invoking": self._invoking}

    # -- the child process

    def _start_runtime(self) -> None:
        code = self.function_version.config.code
        if code is None:
            raise ValueError("the function has no zip")
        task_root = code.get_unzipped_code_location()
        began = time.monotonic()
        with self._lock:
            if self._stopped:
                raise StatusErrorException("stopped", payload=_error("Runtime.Unknown", "stopped"))
            self._api = RuntimeApi()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "awslambdaric", self.function_version.config.handler],
                cwd=task_root,  # `-m` puts it first on sys.path: the zip's code wins over an installed copy
                env=self._child_environment(task_root, self._api.address),
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        api, process = self._api, self._process
        while not api.ready.wait(0.02):
            if process.poll() is not None:
                break
            if time.monotonic() - began > INIT_SECONDS:
                break
        if api.ready.is_set() and api.init_error is None:
            self._init_ms = (time.monotonic() - began) * 1000
            return
        payload = api.init_error or _error(
            "Runtime.ExitError" if process.poll() is not None else "Sandbox.Timedout",
            f"the function did not start within {INIT_SECONDS:.0f} s, or its process ended",
        )
        LOG.warning(
            "Function %s did not start: %s\n%s",
            self.function_version.id.function_name,
            payload.decode(errors="replace"),
            self.get_logs(),
        )
        self._kill()
        raise StatusErrorException("Environment startup failed", payload=payload)

    def _child_environment(self, task_root: Path, api_address: str) -> dict[str, str]:
        logging_config = self.function_version.config.logging_config
        environment = self._environment | {
            "AWS_LAMBDA_RUNTIME_API": api_address,
            "LAMBDA_TASK_ROOT": str(task_root),
            "PYTHONPATH": str(task_root),
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONDONTWRITEBYTECODE": "1",  # /var/task is read-only in Lambda
        }
        if logging_config.get("LogFormat") == "JSON":
            environment["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
            environment["AWS_LAMBDA_LOG_LEVEL"] = str(logging_config.get("ApplicationLogLevel") or "INFO")
        return environment

    def _await_outcome(self, request_id: str, deadline: float) -> Outcome | None:
        """The outcome; None at the deadline, or if the process has ended."""
        assert self._api is not None
        assert self._process is not None
        while (left := deadline - time.monotonic()) > 0:
            outcome = self._api.outcome(request_id, min(left, 0.1))
            if outcome is not None:
                return outcome
            if self._process.poll() is not None:
                return self._api.outcome(request_id, 0.05)
        return None

    def _ended_without_answer(self, request_id: str, *, timed_out: bool) -> Outcome:
        if timed_out:
            seconds = self.function_version.config.timeout
            now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
            message = f"{now} {request_id} Task timed out after {seconds:.2f} seconds"
            return Outcome(_error("Sandbox.Timedout", message), is_error=True)
        assert self._process is not None
        code = self._process.poll()
        how = f"signal: {signal.Signals(-code).name}" if code is not None and code < 0 else f"exit status {code}"
        message = f"RequestId: {request_id} Error: Runtime exited with error: {how}"
        return Outcome(_error("Runtime.ExitError", message), is_error=True)

    def _kill(self) -> None:
        with self._lock:
            process, api = self._process, self._api
            self._process = self._api = None
        if process is not None:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if api is not None:
            api.close()

    # -- logs: the file is read at the end of an invocation, when it has all output of the handler

    def _log_since(self, position: int) -> bytes:
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size - position, position)

    def _new_log_lines(self) -> str:
        lines = self._log_since(self._log_read)
        self._log_read += len(lines)
        return lines.decode(errors="replace")

    def _with_platform_lines(self, request_id: str, seconds: float, status: str, lines: str) -> str:
        """The function's log lines between Lambda's platform lines, in the function's log format."""
        config = self.function_version.config
        billed_ms = -(-int(seconds * 1_000_000) // 1000)
        used_mb = self._memory_mb()
        init_ms, self._init_ms = self._init_ms, None
        if config.logging_config.get("LogFormat") == "JSON":
            metrics = {
                "durationMs": round(seconds * 1000, 3),
                "billedDurationMs": billed_ms,
                "memorySizeMB": config.memory_size,
                "maxMemoryUsedMB": used_mb,
            }
            if init_ms is not None:
                metrics["initDurationMs"] = round(init_ms, 3)
            version = self.function_version.id.qualifier
            start = _platform("start", {"requestId": request_id, "version": version})
            report = _platform("report", {"requestId": request_id, "metrics": metrics, "status": status})
            return f"{start}\n{lines.rstrip()}\n{report}\n"
        init = f"\tInit Duration: {init_ms:.2f} ms" if init_ms is not None else ""
        return (
            f"START RequestId: {request_id} Version: {self.function_version.id.qualifier}\n{lines.rstrip()}\n"
            f"END RequestId: {request_id}\nREPORT RequestId: {request_id}\tDuration: {seconds * 1000:.2f} ms\t"
            f"Billed Duration: {billed_ms} ms\tMemory Size: {config.memory_size} MB\t"
            f"Max Memory Used: {used_mb} MB{init}\n"
        )

    def _memory_mb(self) -> int:
        try:
            return int(psutil.Process(self._process.pid).memory_info().rss >> 20) if self._process else 0
        except psutil.NoSuchProcess:
            return 0


def _error(kind: str, message: str) -> bytes:
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()


def _platform(kind: str, record: dict[str, object]) -> str:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps({"time": now, "type": f"platform.{kind}", "record": record})
