"""The runtime executor: a process behaves as in Lambda, including timeouts, crashes and log lines."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from image_labels_emulator.functions import ENVIRONMENTS
from image_labels_emulator.lambda_process import ProcessRuntimeExecutor
from localstack.services.lambda_.invocation.executor_endpoint import StatusErrorException

CODE = """
import logging, os, sys, time
logging.getLogger().setLevel("INFO")
started = time.time()

def handler(event, context):
    match event["do"]:
        case "answer":
            logging.getLogger("code").info("answering", extra={"key": "ä b"})
            print("printed")
            return {"event": event, "left": context.get_remaining_time_in_millis(), "started": started}
        case "raise":
            raise ValueError("no such thing")
        case "die":
            os._exit(7)
        case "sleep":
            time.sleep(60)
"""


class Code:
    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def get_unzipped_code_location(self) -> Path:
        return self.directory

    def destroy_cached(self) -> None:
        (self.directory / "function.py").unlink(missing_ok=True)


Make = Callable[..., ProcessRuntimeExecutor]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    executors = []

    def made(code: str = CODE, timeout: int = 20, log_format: str = "JSON") -> ProcessRuntimeExecutor:
        (tmp_path / "function.py").write_text(code)
        config = SimpleNamespace(
            code=Code(tmp_path),
            handler="function.handler",
            runtime="python3.13",
            timeout=timeout,
            memory_size=512,
            logging_config={"LogFormat": log_format, "ApplicationLogLevel": "INFO"},
        )
        version = SimpleNamespace(config=config, id=SimpleNamespace(function_name="f", qualifier="$LATEST"))
        executor = ProcessRuntimeExecutor("id", cast("Any", version))
        executors.append(executor)
        return executor

    yield made
    for executor in executors:
        executor.stop()


def invoke(executor: ProcessRuntimeExecutor, do: str) -> tuple[bool, Any, str]:
    """Invoke; returns whether it failed, the answer, and the log."""
    request = {"invoke-id": f"request-{do}", "invoked-function-arn": "arn", "trace-id": "Root=1"}
    result = executor.invoke(request | {"payload": json.dumps({"do": do})})
    assert result.request_id == f"request-{do}"
    return result.is_error, json.loads(result.payload or b"null"), result.logs or ""


def test_changed_settings_keep_the_code(make: Make) -> None:
    """LocalStack starts the version with new settings, then cleans up the old one. Both use the same zip."""
    old, new = make(), make()
    old.start({})
    old.stop()
    ProcessRuntimeExecutor.cleanup_version(old.function_version)
    new.start({"DAILY_IMAGE_LIMIT": "2"})
    assert not invoke(new, "answer")[0]


def test_invocations_share_one_environment(make: Make) -> None:
    executor = make()
    executor.start({})
    failed, answer, _ = invoke(executor, "answer")
    assert not failed
    assert answer["event"] == {"do": "answer"}
    assert 15_000 < answer["left"] <= 20_000
    assert invoke(executor, "answer")[1]["started"] == answer["started"]  # the same process


def test_json_log_lines_are_between_those_of_lambda(make: Make) -> None:
    executor = make()
    executor.start({})
    lines = invoke(executor, "answer")[2].splitlines()
    start, logged, printed, report = lines
    assert json.loads(start)["type"] == "platform.start"
    assert {"message": "answering", "key": "ä b", "requestId": "request-answer"}.items() <= json.loads(logged).items()
    assert printed == "printed"
    record = json.loads(report)["record"]
    assert record["status"] == "success"
    assert record["metrics"]["billedDurationMs"] >= record["metrics"]["durationMs"] - 1
    assert record["metrics"]["initDurationMs"] > 0
    again = invoke(executor, "answer")[2].splitlines()
    assert len(again) == 4  # without lines of the first invocation
    assert "initDurationMs" not in again[-1]


def test_text_log_has_text_lines_of_lambda(make: Make) -> None:
    executor = make(log_format="Text")
    executor.start({})
    log = invoke(executor, "answer")[2]
    assert log.startswith("START RequestId: request-answer Version: $LATEST\n")
    assert "\nREPORT RequestId: request-answer\tDuration: " in log


def test_exception_is_returned_and_the_environment_is_reused(make: Make) -> None:
    executor = make()
    executor.start({})
    failed, answer, log = invoke(executor, "raise")
    assert failed
    assert (answer["errorType"], answer["errorMessage"]) == ("ValueError", "no such thing")
    assert "no such thing" in log
    assert not invoke(executor, "answer")[0]


def test_crash_fails_the_invocation_and_the_next_starts_a_process(make: Make) -> None:
    executor = make()
    executor.start({})
    before = invoke(executor, "answer")[1]["started"]
    failed, answer, _ = invoke(executor, "die")
    assert failed
    assert answer["errorType"] == "Runtime.ExitError"
    assert "exit status 7" in answer["errorMessage"]
    assert invoke(executor, "answer")[1]["started"] > before


def test_timeout_kills_and_the_next_starts_a_process(make: Make) -> None:
    executor = make(timeout=1)
    executor.start({})
    failed, answer, log = invoke(executor, "sleep")
    assert failed
    assert "Task timed out after 1.00 seconds" in answer["errorMessage"]
    assert json.loads(log.splitlines()[-1])["record"]["status"] == "timeout"
    assert not invoke(executor, "answer")[0]


def during(executor: ProcessRuntimeExecutor, do: str, act: Callable[[], object]) -> tuple[bool, Any, str]:
    """The result of `invoke`, with `act` called during the invocation."""

    def once_invoking() -> None:
        while not (found := executor.running()) or found["invoking"] is None:
            time.sleep(0.01)
        act()

    other = threading.Thread(target=once_invoking)
    other.start()
    outcome = invoke(executor, do)
    other.join()
    return outcome


def test_killed_function_fails_at_once_and_the_next_starts_a_process(make: Make) -> None:
    executor = make()
    executor.start({})
    seen: list[Any] = []
    began = time.monotonic()
    failed, answer, _ = during(executor, "sleep", lambda: seen.extend(ENVIRONMENTS.send_signal("f", signal.SIGKILL)))
    assert time.monotonic() - began < 10
    assert (failed, answer["errorType"]) == (True, "Runtime.ExitError")
    assert "SIGKILL" in answer["errorMessage"]
    assert seen == [{"function": "f", "pid": seen[0]["pid"], "invoking": "request-sleep"}]
    assert not invoke(executor, "answer")[0]


def test_killed_between_invocations_the_next_starts_a_process(make: Make) -> None:
    executor = make()
    executor.start({})
    (before,) = ENVIRONMENTS.running()
    assert ENVIRONMENTS.send_signal("another", signal.SIGKILL) == []
    assert ENVIRONMENTS.send_signal("f", signal.SIGKILL) == [before]
    assert ENVIRONMENTS.running() == []
    assert not invoke(executor, "answer")[0]
    (after,) = ENVIRONMENTS.running()
    assert after["pid"] != before["pid"]
    executor.stop()
    assert ENVIRONMENTS.running() == []


def test_frozen_function_times_out_and_the_next_starts_a_process(make: Make) -> None:
    executor = make(timeout=1)
    executor.start({})
    (frozen,) = ENVIRONMENTS.send_signal("f", signal.SIGSTOP)
    failed, answer, _ = invoke(executor, "answer")
    assert (failed, answer["errorType"]) == (True, "Sandbox.Timedout")
    with pytest.raises(ProcessLookupError):
        os.kill(frozen["pid"], 0)
    assert not invoke(executor, "answer")[0]


@pytest.mark.parametrize(
    ("code", "words"),
    [("import nothing_of_this_name", "nothing_of_this_name"), ("", "handler"), ("import os; os._exit(3)", "ended")],
)
def test_failed_start_is_reported_with_its_reason(make: Make, code: str, words: str) -> None:
    with pytest.raises(StatusErrorException) as raised:
        make(code).start({})
    assert words in raised.value.payload.decode()


def test_other_runtimes_than_python_are_refused() -> None:
    version = cast("Any", SimpleNamespace(config=SimpleNamespace(runtime="nodejs22.x", code=None)))
    with pytest.raises(ValueError, match=r"nodejs22\.x"):
        ProcessRuntimeExecutor.prepare_version(version)
