"""The line that names the emulated Rekognition: whom the command asks, what it prints, and that failures are quiet."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from image_labels.model import Label, Labels, Photo
from image_labels.tables.store import Store
from image_labels_cli import emulated, output
from support.command import run, run_on_terminal
from support.fakes import BUCKET, LABELS_TABLE, TABLE

if TYPE_CHECKING:
    from image_labels.clients import Clients
    from mypy_boto3_dynamodb import DynamoDBClient

LINE = "Labels by the emulated Rekognition: EfficientNet-Lite0, SSDLite-MobileNetV2"
ANSWER = {"emulator": True, "about": "…", "models": ["EfficientNet-Lite0", "SSDLite-MobileNetV2"]}


class Endpoint(ThreadingHTTPServer):
    """An endpoint on this machine that gives one answer, and records what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status, self.body, self.headers, self.pause = 200, json.dumps(ANSWER).encode(), dict[str, str](), 0.0
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Endpoint

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            for byte in self.server.body:
                self.wfile.write(bytes([byte]))
                time.sleep(self.server.pause)
        except OSError:
            pass  # the client has closed the connection

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(autouse=True)
def new_process() -> None:
    emulated.labels_by.cache_clear()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_emulator_is_asked_once_and_named_with_its_models(endpoint: Endpoint) -> None:
    assert [emulated.labels_by(endpoint.url) for _ in range(3)] == [LINE] * 3
    assert endpoint.asked == ["/_emulator/rekognition"]


def test_proxy_of_the_environment_is_not_used(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://192.0.2.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    assert emulated.labels_by(endpoint.url.replace("127.0.0.1", "localhost")) == LINE


def test_emulator_without_models(endpoint: Endpoint) -> None:
    endpoint.body = json.dumps(ANSWER | {"models": []}).encode()
    assert emulated.labels_by(endpoint.url) == "Labels by the emulated Rekognition: no models installed"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b'{"emulator": "yes"}', b"[" * 100_000])
def test_another_program_is_not_the_emulator(endpoint: Endpoint, body: bytes) -> None:
    """For example DynamoDB Local, or a LocalStack without the emulated Rekognition."""
    endpoint.body = body
    assert emulated.labels_by(endpoint.url) == ""


@pytest.mark.parametrize("status", [400, 404, 500])
def test_error_is_no_answer(endpoint: Endpoint, status: int) -> None:
    endpoint.status = status
    assert emulated.labels_by(endpoint.url) == ""


def test_redirect_is_not_followed(endpoint: Endpoint) -> None:
    endpoint.status, endpoint.headers = 302, {"Location": f"{endpoint.url}/elsewhere"}
    assert emulated.labels_by(endpoint.url) == ""
    assert endpoint.asked == ["/_emulator/rekognition"]


def test_endpoint_that_answers_slowly_does_not_delay_the_command(endpoint: Endpoint) -> None:
    """Each byte comes in time, and the whole answer does not."""
    endpoint.pause = 0.2
    began = time.monotonic()
    assert emulated.labels_by(endpoint.url) == ""
    assert time.monotonic() - began < 5 * emulated.SECONDS


def test_nobody_listens() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    assert emulated.labels_by(url) == ""


@pytest.mark.parametrize(
    "url",
    [
        "https://dynamodb.eu-west-1.amazonaws.com",
        "http://192.0.2.1:4566",
        "http://localhost.example.com:4566",
        "http://127.0.0.1.example.com",
        "http://[",
        "",
    ],
)
def test_aws_and_other_machines_are_never_asked(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(emulated, "_get", asked.append)
    assert emulated.labels_by(url) == ""
    assert asked == []


COMMANDS = (["find", "dog"], ["show", "images/dog.jpg"], ["labels"], ["status"])


@pytest.mark.usefixtures("deployment", "queues", "photo")
class TestCommands:
    """On moto's tables, with an AWS configuration that names the endpoint of an emulator."""

    @pytest.fixture
    def asked(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """The endpoints of the commands. All of them are an emulator."""
        asked: list[str] = []

        def answer(endpoint: str) -> str:
            asked.append(endpoint)
            return LINE

        monkeypatch.setattr(emulated, "labels_by", answer)
        return asked

    @pytest.fixture
    def photo(self, clients: Clients, dynamodb: DynamoDBClient) -> DynamoDBClient:
        store = Store(clients.dynamodb, TABLE, LABELS_TABLE)
        labels = Labels((Label("Dog", 98.7),), "3.0-emulated")
        store.put(Photo(BUCKET, "images/dog.jpg", "e", "v1", 1), labels, "s", None)
        return dynamodb

    @pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
    def test_terminal_has_one_line_on_stderr(self, asked: list[str], command: list[str]) -> None:
        result = run_on_terminal(*command)
        assert result.exit_code == 0
        assert result.stderr.splitlines()[0] == LINE
        assert "emulated Rekognition" not in result.stdout
        assert asked == ["https://dynamodb.eu-central-1.amazonaws.com"]  # the endpoint of the session

    @pytest.mark.parametrize("format_", [[], ["--json"]], ids=["pipe", "json"])
    @pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
    def test_programs_read_no_line_and_nobody_is_asked(
        self, asked: list[str], command: list[str], format_: list[str]
    ) -> None:
        result = run(*command, *format_)
        assert result.exit_code == 0
        assert "emulated Rekognition" not in result.output
        assert asked == []

    def test_line_folds_at_words(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        monkeypatch.setenv("COLUMNS", "80")
        monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes stderr for a terminal
        output.note_labels_by(f"{LINE}, CenterFace")
        said = capsys.readouterr().err
        assert "\x1b[2m" in said
        assert [line.count("emulated Rekognition") for line in said.splitlines()] == [1, 0]
        assert "CenterFace" in said.splitlines()[1]

    def test_show_names_the_emulated_model(self) -> None:
        assert "3.0-emulated" in run("show", "images/dog.jpg").stdout
        assert json.loads(run("show", "images/dog.jpg", "--json").stdout)["label_model_version"] == "3.0-emulated"
