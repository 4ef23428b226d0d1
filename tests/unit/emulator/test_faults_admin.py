"""Faults in the gateway's handlers: effects on a request, an answer and a connection."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any, cast

import pytest
from image_labels_emulator.faults import Rules
from image_labels_emulator.faults_admin import Admin, Handlers
from localstack.aws.api import CommonServiceException, RequestContext
from localstack.aws.spec import load_service
from localstack.http import Request, Response
from rolo.gateway import HandlerChain


@pytest.fixture
def connection() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The caller's end and the gateway's end."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as caller:
        caller.settimeout(5)
        caller.connect(listener.getsockname())
        gateway, _ = listener.accept()
        with gateway:
            yield caller, gateway


def call(rules: Rules, caller: socket.socket) -> tuple[Response, bool]:
    """The answer to a PutItem that takes effect, and whether the chain ended before it. Raises the handlers' errors."""
    handlers = Handlers(rules)
    host, port = caller.getsockname()
    context = RequestContext(Request("POST", "/"))
    context.request.environ |= {"REMOTE_ADDR": host, "REMOTE_PORT": str(port)}
    context.service = load_service("dynamodb")
    context.operation = context.service.operation_model("PutItem")
    context.service_request = cast("Any", {"Item": {"PK": {"S": "images/a.jpg"}}})
    chain: HandlerChain[RequestContext] = HandlerChain()
    response = Response()
    handlers.on_request(chain, context, response)
    if not chain.terminated:
        response.data = b'{"Attributes": {}}'
        response.headers["x-amz-crc32"] = "123"
        handlers.on_response(chain, context, response)
    return response, chain.terminated


def with_rule(**rule: Any) -> Rules:
    rules = Rules()
    rules.add({"service": "dynamodb", "operation": "PutItem"} | rule)
    return rules


Connection = tuple[socket.socket, socket.socket]


def test_without_a_rule_nothing_changes(connection: Connection) -> None:
    response, ended = call(with_rule(containing="other/", fault="connection-cut"), connection[0])
    assert (response.status_code, response.data, ended) == (200, b'{"Attributes": {}}', False)


def test_error_is_raised_before_the_call_takes_effect(connection: Connection) -> None:
    with pytest.raises(CommonServiceException) as raised:
        call(with_rule(fault="InternalServerError", status=500), connection[0])
    assert (raised.value.code, raised.value.status_code) == ("InternalServerError", 500)


def test_error_can_replace_the_answer_of_an_executed_call(connection: Connection) -> None:
    response, ended = call(with_rule(fault="TransactionConflictException", status=400, after=True), connection[0])
    assert (response.status_code, ended) == (400, False)
    assert json.loads(response.data)["__type"] == "TransactionConflictException"
    assert "x-amz-crc32" not in response.headers  # a header of the lost answer


@pytest.mark.parametrize("after", [False, True])
def test_cut_connection_ends_without_an_answer(connection: Connection, after: bool) -> None:
    caller, gateway = connection
    assert call(with_rule(fault="connection-cut", after=after), caller)[1]
    assert caller.recv(1) == b""
    with pytest.raises(BrokenPipeError):
        gateway.sendall(b"HTTP/1.1 200 OK")


def test_delayed_answer_is_unchanged(connection: Connection) -> None:
    response, ended = call(with_rule(delay_ms=1, after=True), connection[0])
    assert (response.data, ended) == (b'{"Attributes": {}}', False)


def post(admin: Admin, body: str) -> tuple[int, Any]:
    answer = admin.add(Request("POST", "/", body=body))
    return answer.status_code, json.loads(answer.data)


def test_routes_return_the_rules_or_an_error_message() -> None:
    admin = Admin(Rules())
    status, answer = post(admin, '{"service": "s3", "operation": "HeadObject", "fault": "connection-cut"}')
    assert (status, answer["rules"][0]["struck"]) == (200, 0)
    assert json.loads(admin.show(Request()).data) == answer
    status, answer = post(admin, "{")
    assert status == 400
    assert answer["message"].startswith("the body is not JSON: ")
    assert post(admin, "[{}]")[0] == 400
    assert json.loads(admin.clear(Request()).data) == {"rules": []}
