"""The processes that functions run in, listed and ended over HTTP on LocalStack's own port.

    GET  /_emulator/functions                 {"environments": [{"function": …, "pid": …, "invoking": …}, …]};
                                              `invoking` is the request id of the invocation under way, or null
    POST /_emulator/functions/<name>/kill     end the processes of this function: what they run fails at once
    POST /_emulator/functions/<name>/freeze   stop them where they are: what they run, or are given next, times out

POST answers 200 with the `environments` it has struck, or 404 with {"message": "a sentence"} if none was running. An
environment whose process has ended is not listed; its next invocation starts a new one.
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
    """An execution environment that has a process. `invoking` is a request id or None."""

    function: str
    pid: int
    invoking: str | None


class Environment(Protocol):
    """An execution environment: one process at a time, or none."""

    def running(self) -> Running | None:
        """What runs; None if there is no process."""

    def send_signal(self, number: signal.Signals) -> Running | None:
        """Send a signal to the process and those it has started, and say what ran; None if there was no process."""


class Environments:
    """The execution environments of this emulator; safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._environments: list[Environment] = []

    def add(self, environment: Environment) -> None:
        with self._lock:
            self._environments.append(environment)

    def discard(self, environment: Environment) -> None:
        """Forget an environment; nothing happens if it is not known."""
        with self._lock:
            self._environments = [one for one in self._environments if one is not environment]

    def running(self) -> list[Running]:
        """Those that have a process, oldest first."""
        return [found for one in self._copy() if (found := one.running())]

    def send_signal(self, function: str, number: signal.Signals) -> list[Running]:
        """Signal every process of a function; those that have been signalled."""
        of_function = [one for one in self._copy() if (found := one.running()) and found["function"] == function]
        return [found for one in of_function if (found := one.send_signal(number))]

    def _copy(self) -> list[Environment]:
        with self._lock:
            return list(self._environments)


ENVIRONMENTS = Environments()


class Admin:
    """The routes for some environments."""

    def __init__(self, environments: Environments) -> None:
        self._environments = environments

    def show(self, _request: Request) -> Response:
        return json_response({"environments": self._environments.running()})

    def kill(self, _request: Request, name: str) -> Response:
        return self._send(name, signal.SIGKILL)

    def freeze(self, _request: Request, name: str) -> Response:
        return self._send(name, signal.SIGSTOP)

    def _send(self, name: str, number: signal.Signals) -> Response:
        struck = self._environments.send_signal(name, number)
        if not struck:
            names = ", ".join(sorted({one["function"] for one in self._environments.running()})) or "none"
            return json_response({"message": f"no process of function {name!r} is running; running are: {names}"}, 404)
        return json_response({"environments": struck})


def register() -> None:
    """Add the routes to LocalStack's gateway. Call it once."""
    from localstack.services.edge import ROUTER

    admin = Admin(ENVIRONMENTS)
    ROUTER.add(PATH, endpoint=admin.show, methods=["GET"])  # type: ignore[arg-type]
    ROUTER.add(f"{PATH}/<name>/kill", endpoint=admin.kill, methods=["POST"])  # type: ignore[arg-type]
    ROUTER.add(f"{PATH}/<name>/freeze", endpoint=admin.freeze, methods=["POST"])  # type: ignore[arg-type]
