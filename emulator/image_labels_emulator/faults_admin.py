"""HTTP endpoint for faults in any AWS API of the emulator, on LocalStack's port.

    GET    /_emulator/faults   the rules, and how often each has been applied
    POST   /_emulator/faults   add a rule or a list of rules:
                               {"service": "s3", "operation": "HeadObject", "containing": "images/a",
                                "fault": "InternalError", "status": 500, "times": 3}
    DELETE /_emulator/faults   remove all rules

All return status 200 with the answer of GET, or 400 with {"message": "…"}. `faults.Rule` documents the fields.

Two endpoints can make DetectLabels fail. A fault here fails a call before the emulated service receives it, or replaces
the service's answer. /_emulator/rekognition sets the behaviour of the service: its quota, latency, and errors by key
prefix or at random. A call that fails here before it takes effect does not reach the service's counters.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from typing import TYPE_CHECKING

import psutil
from localstack.aws.api import CommonServiceException, RequestContext
from localstack.aws.protocol.serializer import create_serializer

from image_labels_emulator.faults import CONNECTION_CUT, Rule, Rules
from image_labels_emulator.routes import json_body, json_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from localstack.http import Request, Response
    from rolo.gateway import HandlerChain

    Chain = HandlerChain[RequestContext]

LOG = logging.getLogger(__name__)
PATH = "/_emulator/faults"


def register() -> None:
    """Add routes and handlers to LocalStack's gateway. Call this once."""
    from localstack.aws.handlers import run_custom_response_handlers, serve_custom_service_request_handlers
    from localstack.services.edge import ROUTER

    rules = Rules()
    admin = Admin(rules)
    for method, endpoint in (("GET", admin.show), ("POST", admin.add), ("DELETE", admin.clear)):
        ROUTER.add(PATH, endpoint=endpoint, methods=[method])  # type: ignore[arg-type]
    handlers = Handlers(rules)
    serve_custom_service_request_handlers.append(handlers.on_request)  # type: ignore[arg-type]
    run_custom_response_handlers.append(handlers.on_response)  # type: ignore[arg-type]


class Admin:
    """The routes for one set of rules."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def show(self, _request: Request) -> Response:
        return self._answer(lambda: None)

    def add(self, request: Request) -> Response:
        return self._answer(lambda: self._rules.add(json_body(request)))

    def clear(self, _request: Request) -> Response:
        return self._answer(self._rules.clear)

    def _answer(self, act: Callable[[], None]) -> Response:
        try:
            act()
        except ValueError as error:
            return json_response({"message": str(error)}, 400)
        return json_response({"rules": self._rules.snapshot()})


class Handlers:
    """Handlers that the gateway calls for each parsed AWS request, and for its answer."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def on_request(self, chain: Chain, context: RequestContext, _response: Response) -> None:
        """Raises CommonServiceException, which LocalStack turns into the error answer in the service's protocol."""
        if context.service is None or context.operation is None:
            return
        rule = self._rules.strike(
            context.service.service_name,
            context.operation.name,
            context.service_request,
            internal=context.is_internal_call,
        )
        if rule is None:
            return
        if rule.after:
            context.rule_for_answer = rule
            return
        _log_and_wait(rule)
        if rule.fault == CONNECTION_CUT:
            _cut(chain, context)
        elif rule.fault:
            context.service_exception = _error(rule)  # for LocalStack's log line
            raise context.service_exception

    def on_response(self, chain: Chain, context: RequestContext, response: Response) -> None:
        """Delay or replace the answer of a call that has taken effect."""
        rule = context.get("rule_for_answer")
        if rule is None:
            return
        _log_and_wait(rule)
        if rule.fault == CONNECTION_CUT:
            _cut(chain, context)
        elif rule.fault:
            error = _error(rule)
            context.service_response, context.service_exception = None, error
            if hasattr(response.response, "close"):
                response.response.close()  # an unread body of an object keeps the object locked
            response.headers.clear()
            serializer = create_serializer(context.service)
            response.update_from(
                serializer.serialize_error_to_response(
                    error, context.operation, context.request.headers, context.request_id
                )
            )


def _log_and_wait(rule: Rule) -> None:
    fault = rule.fault or f"a delay of {rule.delay_ms:g} ms"
    LOG.info("%s.%s: %s%s, as set", rule.service, rule.operation, fault, " instead of its answer" if rule.after else "")
    if rule.delay_ms:
        time.sleep(rule.delay_ms / 1000)


def _error(rule: Rule) -> CommonServiceException:
    assert rule.fault is not None
    assert rule.status is not None
    return CommonServiceException(rule.fault, f"fault set at {PATH}", rule.status)


def _cut(chain: Chain, context: RequestContext) -> None:
    """Close the caller's TCP connection and end the handler chain, so that no answer is sent.

    The gateway's web server has no function for this, so the socket is shut down directly.
    """
    environ = context.request.environ
    caller = (environ.get("REMOTE_ADDR"), int(environ.get("REMOTE_PORT") or 0))
    for connection in psutil.Process().net_connections("tcp"):
        if connection.raddr == caller and connection.fd != -1:
            with socket.socket(fileno=os.dup(connection.fd)) as duplicate:
                duplicate.shutdown(socket.SHUT_RDWR)
            chain.terminate()
            return
    raise RuntimeError(f"found no TCP connection with {caller} to close")
