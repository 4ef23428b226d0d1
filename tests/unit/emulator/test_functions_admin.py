"""The HTTP routes for functions' processes. `test_lambda_process` tests the processes."""

from __future__ import annotations

import json
import signal
from typing import Any

from image_labels_emulator.functions import Admin, Environments, Running
from localstack.http import Request, Response


class Fake:
    def __init__(self, function: str, pid: int = 0) -> None:
        self.found: Running | None = {"function": function, "pid": pid, "invoking": None} if pid else None
        self.signals: list[signal.Signals] = []

    def running(self) -> Running | None:
        return self.found

    def send_signal(self, number: signal.Signals) -> Running | None:
        self.signals.append(number)
        return self.found


def parsed(response: Response) -> tuple[int, Any]:
    return response.status_code, json.loads(response.data)


def test_signal_reaches_only_the_processes_of_the_function() -> None:
    fakes = [Fake("labels", 7), Fake("labels", 8), Fake("labels"), Fake("other", 9)]
    environments = Environments()
    for fake in fakes:
        environments.add(fake)
    admin = Admin(environments)
    running = [{"function": name, "pid": pid, "invoking": None} for name, pid in (("labels", 7), ("labels", 8))]
    other = {"function": "other", "pid": 9, "invoking": None}
    assert parsed(admin.show(Request())) == (200, {"environments": [*running, other]})
    assert parsed(admin.freeze(Request(), "labels")) == (200, {"environments": running})
    assert parsed(admin.kill(Request(), "labels")) == (200, {"environments": running})
    assert [fake.signals for fake in fakes] == [[signal.SIGSTOP, signal.SIGKILL]] * 2 + [[], []]


def test_function_without_a_process_is_404_with_a_message() -> None:
    environments = Environments()
    admin = Admin(environments)
    assert parsed(admin.kill(Request(), "labels")) == (
        404,
        {"message": "function 'labels' has no running process; functions with processes: none"},
    )
    fake = Fake("other", 9)
    environments.add(fake)
    assert "functions with processes: other" in parsed(admin.freeze(Request(), "labels"))[1]["message"]
    environments.discard(fake)
    assert parsed(admin.show(Request())) == (200, {"environments": []})
