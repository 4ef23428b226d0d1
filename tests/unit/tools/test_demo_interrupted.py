"""`make demo`: Ctrl-C, SIGTERM, and the port of a demo that already runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest
from image_labels_emulator.server import Server
from typer.testing import CliRunner, Result

from tools import demo, demo_apply, demo_shell, photographs
from tools.terraform import TERRAFORM, Root

URL = "http://127.0.0.1:4604"
# Terraform that reports a resource, then waits for the interrupt as the real one does. "$1" is -chdir.
SCRIPT = """
    import json, os, pathlib, signal, sys
    if "apply" not in sys.argv:
        sys.exit()
    def stop(*_):
        pathlib.Path({state!r}).write_text("saved")
        sys.exit(1)
    signal.signal(signal.SIGINT, stop)
    print(json.dumps({{"type": "version"}}), flush=True)
    os.kill({parent}, {signal})
    signal.pause()
"""


def script(path: Path, text: str) -> str:
    path.write_text(f"#!{sys.executable}\n{textwrap.dedent(text)}")
    path.chmod(0o755)
    return str(path)


@pytest.fixture(autouse=True)
def directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The demo's directory. No LocalStack of the user runs."""
    monkeypatch.setattr(demo, "DIRECTORY", tmp_path / "demo")
    monkeypatch.setattr(demo, "STATE", tmp_path / "demo" / "terraform" / "terraform.tfstate")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    return tmp_path / "demo"


@pytest.fixture
def running(directory: Path) -> Server:
    """The demo's LocalStack, for which this process stands in."""
    server = Server(URL, os.getpid(), psutil.Process().create_time())
    (directory / "localstack").mkdir(parents=True)
    (directory / "localstack" / "server.json").write_text(json.dumps(asdict(server)))
    return server


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """The demo changes how this process handles signals. A shell may have started it with SIGINT ignored."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def up(*arguments: str) -> Result:
    return CliRunner().invoke(demo.app, ["up", *arguments], env={"COLUMNS": "200"})


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted_demo_says_that_localstack_still_runs(
    number: signal.Signals, running: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    text = SCRIPT.format(state=str(state), parent=os.getpid(), signal=int(number))
    monkeypatch.setenv(TERRAFORM, script(tmp_path / "terraform", text))
    monkeypatch.setattr(Server, "models", lambda _: ["a model"])
    result = up()
    assert result.exit_code == 130
    assert f"Interrupted. LocalStack still runs at {URL}.\n" in result.output
    assert result.output.endswith("To continue: make demo\nTo stop it:  make down\n")
    assert state.read_text() == "saved"  # Terraform got one interrupt, and the demo waited for it


def test_terraform_that_does_not_stop_is_killed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = f"import os, signal\nsignal.signal(2, 1)\nprint(flush=True)\nos.kill({os.getpid()}, 2)\nsignal.pause()\n"
    monkeypatch.setenv(TERRAFORM, script(tmp_path / "terraform", text.replace("(2, 1)", "(2, signal.SIG_IGN)")))
    monkeypatch.setattr(demo_apply, "STOP_SECONDS", 0.1)
    started: list[subprocess.Popen[str]] = []
    start = Root.start

    def kept(*arguments: str, **options: bool) -> subprocess.Popen[str]:
        started.append(start(root, *arguments, **options))
        return started[0]

    root = Root(tmp_path, tmp_path / "state", os.environ)
    monkeypatch.setattr(root, "start", kept)
    with pytest.raises(KeyboardInterrupt):
        demo_apply.apply(root, first=True)
    assert started[0].returncode == -signal.SIGKILL


def test_interrupt_before_localstack_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(photographs, "shipped", interrupt)
    result = up()
    assert (result.exit_code, result.output) == (130, "\nInterrupted. Nothing of the demo runs.\n")


class TestPort:
    @pytest.fixture(autouse=True)
    def _prepared(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv(TERRAFORM, script(tmp_path / "terraform", ""))
        monkeypatch.setattr(Server, "models", lambda _: [])  # the demo ends after it has found LocalStack

    @pytest.mark.usefixtures("running")
    def test_another_port_than_that_of_the_running_demo_is_refused(self) -> None:
        result = up("--port", "4999")
        assert result.exit_code == 1
        assert f"error: PORT=4999 cannot be used, because the demo is already running at {URL}" in result.output
        assert "omit PORT, or stop that demo first: make down" in result.output

    @pytest.mark.usefixtures("running")
    @pytest.mark.parametrize("arguments", [[], ["--port", "4604"]])
    def test_running_demo_is_used_without_a_port_and_with_its_own(self, arguments: list[str]) -> None:
        assert f"LocalStack is already running at {URL}" in up(*arguments).output

    def test_endpoint_of_a_stopped_demo_in_the_shell_is_not_that_of_another_localstack(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("AWS_ENDPOINT_URL", demo_shell.DEMO_URL):
            monkeypatch.setenv(name, "http://127.0.0.1:1")
        assert CliRunner().invoke(demo.app, ["down"]).output == "The demo is not running.\n"
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:2")
        assert "does not answer" in CliRunner().invoke(demo.app, ["down"]).output

    def test_port_of_another_localstack_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(demo, "_running_elsewhere", lambda: Server("http://127.0.0.1:4566"))
        result = up("--port", "4999")
        assert "AWS_ENDPOINT_URL names your LocalStack at http://127.0.0.1:4566" in result.output
        assert "omit PORT, or unset AWS_ENDPOINT_URL" in result.output
