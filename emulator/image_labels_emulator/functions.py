"""HTTP endpoint that lists, kills and freezes the processes of functions, on LocalStack's port.

    GET  /_emulator/functions                 {"environments": [{"function": …, "pid": …, "invoking": …}, …]};
                                              `invoking` is the request ID of the current invocation, or null
    POST /_emulator/functions/<name>/kill     kill the processes of the function; their invocations fail at once
    POST /_emulator/functions/<name>/freeze   stop the processes; their current or next invocations time out

POST returns 200 with the `environments` that it signalled, or 404 with {"message": "…"} if none was running. An
environment whose process has ended is not listed. Its next invocation starts a new process.
"""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Protocol, TypedDict

from image_labels_emulator.routes import json_response

if TYPE_CHECKING:
    from localstack.http import Request, Response

PATH = "/_emulator/functions"


class Running(TypedDict):
    """An execution environment with a process. `invoking` is a request ID or None."""

    function: str
    pid: int
    invoking: str | None


class Environment(Protocol):
    """An execution environment: one process at a time, or none."""

    def running(self) -> Running | None:
        """The running process, or None."""

    def send_signal(self, number: signal.Signals) -> Running | None:
        """Signal the process group, and return what was running; None if there was no process."""


class Environments:
    """The execution environments of this emulator. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._environments: list[Environment] = []

    def add(self, environment: Environment) -> None:
        with self._lock:
            self._environments.append(environment)

    def discard(self, environment: Environment) -> None:
        """Remove an environment if it is known."""
        with self._lock:
            self._environments = [one for one in self._environments if one is not environment]

    def running(self) -> list[Running]:
        """Environments with a process, oldest first."""
        return [found for one in self._copy() if (found := one.running())]

    def send_signal(self, function: str, number: signal.Signals) -> list[Running]:
        """Signal every process of a function, and return the signalled ones."""
        of_function = [one for one in self._copy() if (found := one.running()) and found["function"] == function]
        return [found for one in of_function if (found := one.send_signal(number))]

    def _copy(self) -> list[Environment]:
        with self._lock:
            return list(self._environments)


ENVIRONMENTS = Environments()


class Admin:
    """The HTTP routes."""

    def __init__(self, environments: Environments) -> None:
        self._environments = environments

    def show(self, _request: Request) -> Response:
        return json_response({"environments": self._environments.running()})

    def kill(self, _request: Request, name: str) -> Response:
        return self._send(name, signal.SIGKILL)

    def freeze(self, _request: Request, name: str) -> Response:
        return self._send(name, signal.SIGSTOP)

    def _send(self, name: str, number: signal.Signals) -> Response:
        signalled = self._environments.send_signal(name, number)
        if not signalled:
            names = ", ".join(sorted({one["function"] for one in self._environments.running()})) or "none"
            message = f"function {name!r} has no running process; functions with processes: {names}"
            return json_response({"message": message}, 404)
        return json_response({"environments": signalled})


def register() -> None:
    """Add the routes to LocalStack's gateway. Call this once."""
    from localstack.services.edge import ROUTER

    admin = Admin(ENVIRONMENTS)
    ROUTER.add(PATH, endpoint=admin.show, methods=["GET"])  # type: ignore[arg-type]
    ROUTER.add(f"{PATH}/<name>/kill", endpoint=admin.kill, methods=["POST"])  # type: ignore[arg-type]
    ROUTER.add(f"{PATH}/<name>/freeze", endpoint=admin.freeze, methods=["POST"])  # type: ignore[arg-type]
