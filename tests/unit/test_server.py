"""Starting LocalStack: what goes wrong is said in one line, and the user's own AWS settings stay out of it."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

import psutil
import pytest
from image_labels_emulator import server
from image_labels_emulator.server import EmulatorError, Server


def test_taken_port_is_one_line_that_says_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(EmulatorError, match=f"port {port} on 127.0.0.1 is taken .* PORT=") as raised:
            server.start(tmp_path, port)
    assert "\n" not in str(raised.value)


def test_nothing_of_the_users_own_account_gets_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "secret")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://example.com")
    environment = Server("http://127.0.0.1:4566").environment()
    assert environment["AWS_ACCESS_KEY_ID"] == environment["AWS_SECRET_ACCESS_KEY"] == "test"
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"} & environment.keys()
    assert environment["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull


def test_endpoint_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    with pytest.raises(EmulatorError, match=f"{url} does not answer"):
        server.running_elsewhere()


def test_no_endpoint_means_ours() -> None:
    assert server.running_elsewhere() is None


def test_a_process_that_only_has_the_same_number_is_not_ours(tmp_path: Path) -> None:
    me = psutil.Process()
    record: dict[str, Any] = {"url": "http://127.0.0.1:1", "pid": me.pid, "started": me.create_time()}
    (tmp_path / "server.json").write_text(json.dumps(record))
    assert server.find(tmp_path) == Server(**record)
    (tmp_path / "server.json").write_text(json.dumps(record | {"started": me.create_time() - 60}))
    assert server.find(tmp_path) is None
    assert server.stop(tmp_path) is False


def test_no_record_or_a_broken_one_is_no_server(tmp_path: Path) -> None:
    assert server.find(tmp_path) is None
    (tmp_path / "server.json").write_text("{")
    assert server.find(tmp_path) is None
