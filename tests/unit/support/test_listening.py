"""The check of listening sockets detects reachable sockets."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest
from support.listening import Listener, assert_loopback_only, listeners

# Binds a socket, prints its port, and waits for the end of its input.
CHILD = """
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
kind = socket.SOCK_STREAM if sys.argv[2] == "TCP" else socket.SOCK_DGRAM
bound = socket.socket(family, kind)
bound.bind((sys.argv[1], 0))
if kind == socket.SOCK_STREAM:
    bound.listen()
print(bound.getsockname()[1], flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("protocol", ["TCP", "UDP"])
@pytest.mark.parametrize(("host", "is_loopback"), [("127.0.0.1", True), ("0.0.0.0", False), ("::", False)])  # noqa: S104
def test_listener_of_a_child_is_found(host: str, is_loopback: bool, protocol: str) -> None:
    if ":" in host and not socket.has_ipv6:
        pytest.skip("no IPv6 on this machine")
    command = [sys.executable, "-c", CHILD, host, protocol]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        port = int(child.stdout.readline())
        (found,) = (one for one in listeners() if one.port == port)
        assert (found.protocol, found.host, found.is_loopback) == (protocol, host, is_loopback)
        if is_loopback:
            assert port in assert_loopback_only(child.pid)
        else:
            with pytest.raises(AssertionError, match=f"reachable.*{port}"):
                assert_loopback_only(child.pid)


def test_client_is_not_a_listener() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        port = client.getsockname()[1]
        assert not [one for one in listeners() if one.port == port]


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.2", True), ("::1", True), ("::ffff:127.0.0.1", True), ("::ffff:192.0.2.1", False), ("192.0.2.1", False)],
)
def test_loopback(host: str, expected: bool) -> None:
    assert Listener("python", "TCP", host, 1).is_loopback is expected
