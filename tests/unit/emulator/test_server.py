"""Start of LocalStack: error messages of one line, isolation from the user's AWS settings, loopback only."""

from __future__ import annotations

import json
import os
import socket
import ssl
import time
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from image_labels_emulator import server
from image_labels_emulator.loopback import LoopbackError, LoopbackServer
from image_labels_emulator.server import EmulatorError, Server
from localstack.config import HostAndPort
from rolo.gateway import Gateway
from support.listening import assert_loopback_only, outside_addresses


def test_port_in_use_is_reported_with_a_remedy(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(EmulatorError, match=f"port {port} on 127.0.0.1 is in use .* PORT=") as raised:
            server.start(tmp_path, port)
    assert "\n" not in str(raised.value)


def test_environment_has_none_of_the_users_aws_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "secret")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://example.com")
    environment = Server("http://127.0.0.1:4566").environment()
    assert environment["AWS_ACCESS_KEY_ID"] == environment["AWS_SECRET_ACCESS_KEY"] == "test"
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"} & environment.keys()
    assert environment["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull


def test_endpoint_without_an_answer_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    with pytest.raises(EmulatorError, match=f"{url} does not answer"):
        server.running_elsewhere()


def test_no_localstack_elsewhere_without_an_endpoint() -> None:
    assert server.running_elsewhere() is None


def test_process_with_a_reused_pid_is_not_ours(tmp_path: Path) -> None:
    me = psutil.Process()
    record: dict[str, Any] = {"url": "http://127.0.0.1:1", "pid": me.pid, "started": me.create_time()}
    (tmp_path / "server.json").write_text(json.dumps(record))
    assert server.find(tmp_path) == Server(**record)
    (tmp_path / "server.json").write_text(json.dumps(record | {"started": me.create_time() - 60}))
    assert server.find(tmp_path) is None
    assert server.stop(tmp_path) is False


def test_missing_or_invalid_record_means_no_server(tmp_path: Path) -> None:
    assert server.find(tmp_path) is None
    (tmp_path / "server.json").write_text("{")
    assert server.find(tmp_path) is None


def test_localstack_cannot_be_reached_from_another_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even with settings of the user's LocalStack."""
    monkeypatch.setenv("GATEWAY_LISTEN", "0.0.0.0:4566")
    monkeypatch.setenv("GATEWAY_SERVER", "twisted")
    monkeypatch.setenv("DEVELOP", "1")  # a debugger that listens on every interface
    monkeypatch.setenv("DNS_ADDRESS", "0.0.0.0")  # noqa: S104
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".localstack").mkdir()
    (tmp_path / ".localstack" / "default.env").write_text("DNS_ADDRESS=0.0.0.0\nDEVELOP=1\n")
    running = server.start(tmp_path / "localstack", port=0)
    try:
        port = urlsplit(running.url).port
        assert port in assert_loopback_only(running.pid)
        unverified = ssl.create_default_context()
        unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=unverified)
        )
        for scheme in ("http", "https"):
            assert opener.open(f"{scheme}://127.0.0.1:{port}/_localstack/health").status == 200
        for address in outside_addresses():
            with pytest.raises(OSError, match=r"refused|unreachable|timed out"):
                socket.create_connection((address, port), timeout=5)
    finally:
        server.stop(tmp_path / "localstack")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"GATEWAY_LISTEN": "127.0.0.1:{port},0.0.0.0:{port}"}, "GATEWAY_LISTEN names 0.0.0.0"),
        ({"GATEWAY_LISTEN": "127.0.0.1:{taken}"}, "Address already in use"),
        ({"GATEWAY_SERVER": "not-installed"}, "Unknown gateway server type not-installed"),
    ],
)
def test_localstack_that_cannot_listen_on_loopback_does_not_start(
    tmp_path: Path, settings: dict[str, str], words: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        ports = {"port": free.getsockname()[1], "taken": taken.getsockname()[1]}
        free.close()
        began = time.monotonic()
        with pytest.raises(EmulatorError, match="LocalStack ended while it started") as raised:
            server.start(tmp_path, 0, {name: value.format(**ports) for name, value in settings.items()})
    assert words in str(raised.value)
    assert time.monotonic() - began < server.START_SECONDS / 2
    assert server.find(tmp_path) is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "localhost", "127.0.0.1.example.com", ""])  # noqa: S104
def test_gateway_refuses_addresses_other_than_loopback(host: str) -> None:
    with pytest.raises(LoopbackError, match=f"names {host}: .* loopback addresses") as raised:
        LoopbackServer().register(Gateway(), [HostAndPort("127.0.0.1", 1), HostAndPort(host, 1)])
    assert "\n" not in str(raised.value)
