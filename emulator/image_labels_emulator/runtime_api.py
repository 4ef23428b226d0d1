"""The Lambda Runtime API for one runtime process, on a loopback port.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import contextlib
import json
import queue
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PREFIX = "/2018-06-01/runtime"


@dataclass(frozen=True, slots=True)
class Invocation:
    """One invocation of the function."""

    request_id: str
    function_arn: str
    payload: str
    trace_id: str
    timeout_seconds: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to an invocation, or its error, as JSON."""

    payload: bytes
    is_error: bool


class RuntimeApi:
    """Passes invocations to the runtime, which polls for them, and collects its answers.

    There is one invocation at a time, as in a Lambda execution environment.
    """

    def __init__(self) -> None:
        self._invocations: queue.Queue[Invocation | None] = queue.Queue()
        self._outcomes: queue.Queue[tuple[str, Outcome]] = queue.Queue()
        self.ready = threading.Event()
        self.init_error: bytes | None = None
        api = self

        class Handler(_Handler):
            runtime_api = api

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, name="lambda-runtime-api", daemon=True).start()

    @property
    def address(self) -> str:
        """host:port, the form of AWS_LAMBDA_RUNTIME_API."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def send(self, invocation: Invocation) -> None:
        """Queue an invocation for the runtime's next poll."""
        self._invocations.put(invocation)

    def outcome(self, request_id: str, seconds: float) -> Outcome | None:
        """The runtime's answer to this invocation, or None after `seconds`."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                answered, outcome = self._outcomes.get(timeout=left)
            except queue.Empty:
                return None
            if answered == request_id:
                return outcome
        return None

    def close(self) -> None:
        """Stop serving. The connection of a runtime that still polls is refused, and the runtime ends."""
        self._invocations.put(None)  # wakes the thread that answers a poll
        self._server.shutdown()
        self._server.server_close()

    def _next(self) -> Invocation | None:
        self.ready.set()
        return self._invocations.get()

    def _answered(self, request_id: str, outcome: Outcome) -> None:
        self._outcomes.put((request_id, outcome))

    def _init_failed(self, payload: bytes) -> None:
        self.init_error = payload
        self.ready.set()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    runtime_api: RuntimeApi

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # the runtime ended, which the executor detects
            super().handle()

    def do_GET(self) -> None:
        if self.path != f"{PREFIX}/invocation/next":
            self._reply(404, {"errorMessage": f"no such path: {self.path}"})
            return None
        invocation = self.runtime_api._next()
        if invocation is None:
            self.close_connection = True
            return None
        deadline_ms = int((time.time() + invocation.timeout_seconds) * 1000)
        return self._reply(
            200,
            invocation.payload,
            {
                "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
                "Lambda-Runtime-Deadline-Ms": str(deadline_ms),
                "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
                "Lambda-Runtime-Trace-Id": invocation.trace_id,
            },
        )

    def do_POST(self) -> None:
        body = self._body()
        match self.path.removeprefix(f"{PREFIX}/").split("/"):
            case ["invocation", request_id, "response"]:
                self.runtime_api._answered(request_id, Outcome(body, is_error=False))
            case ["invocation", request_id, "error"]:
                self.runtime_api._answered(request_id, Outcome(body, is_error=True))
            case ["init", "error"]:
                self.runtime_api._init_failed(body)
            case _:
                return self._reply(404, {"errorMessage": f"no such path: {self.path}"})
        return self._reply(202, {"status": "OK"})

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _reply(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        content = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        # Without this type the runtime client treats the response as an error.
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_args: Any) -> None:
        """Log nothing: polls do not belong in LocalStack's log."""
