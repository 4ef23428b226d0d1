"""`python -m image_labels_emulator`: start, answers, and an end that leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from image_labels_emulator import server
from support.listening import assert_loopback_only
from support.rekognition_model import picture

from tools.terraform import ROOT

SECONDS = server.START_SECONDS
Start = Callable[..., "Program"]


class Program:
    """The program, started in a directory for temporary files."""

    def __init__(self, *arguments: str, temporary: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "image_labels_emulator", *arguments],
            env=os.environ | {"TMPDIR": str(temporary)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def read_until(self, words: str) -> str:
        """The output up to the line with these words, or the whole output."""
        assert self.process.stdout
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if words in line:
                break
        return "".join(lines)

    def end(self, number: int) -> str:
        """Send a signal, and return the rest of the output."""
        self.process.send_signal(number)
        return self.process.communicate(timeout=SECONDS)[0]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    programs = []

    def start(*arguments: str) -> Program:
        programs.append(Program(*arguments, temporary=tmp_path))
        return programs[-1]

    yield start
    for program in programs:
        if program.process.poll() is None:  # the test has failed
            for child in psutil.Process(program.process.pid).children(recursive=True):
                child.kill()
            program.process.kill()
            program.process.wait(SECONDS)


def exported(output: str) -> dict[str, str]:
    """The environment that the user is told to set."""
    return dict(re.findall(r"^  export (\w+)=(\S+)$", output, re.MULTILINE))


def wait_for(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(("number", "host"), [(signal.SIGINT, "127.0.0.1"), (signal.SIGTERM, "::1")])
def test_example_runs_against_it_and_a_signal_ends_it(start: Start, tmp_path: Path, number: int, host: str) -> None:
    program = start("--port", "0", "--host", host)
    output = program.read_until("Ctrl-C")
    environment = exported(output)
    (localstack,) = psutil.Process(program.process.pid).children()
    assert f"emulated Amazon Rekognition at {environment['AWS_ENDPOINT_URL']}" in output
    assert ("[::1]" in environment["AWS_ENDPOINT_URL"]) == (host == "::1")
    assert "Models: " in output
    assert_loopback_only(localstack.pid)

    photo = tmp_path / "my photo.jpg"
    photo.write_bytes(picture())
    labels = "Dog=98.7@0.1:0.2:0.3:0.4,Beach=91,Cat=70"
    command = [sys.executable, str(ROOT / "emulator" / "example.py"), str(photo), labels]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert " 98.7 %  Dog (in Animal, Canine, Mammal, Pet)\n         box Left 0.10 Top 0.20" in done.stdout
    assert "Beach" in done.stdout
    assert "Cat" not in done.stdout

    assert program.end(number).split("\n")[-3:] == ["Stopping LocalStack ...", "Stopped.", ""]
    assert program.process.returncode == 0
    assert not psutil.pid_exists(localstack.pid)
    assert [path.name for path in tmp_path.iterdir()] == ["my photo.jpg"]  # no temporary files


def test_signal_during_the_start_leaves_nothing_behind(start: Start, tmp_path: Path) -> None:
    program = start("--port", "0", "--state", str(tmp_path / "state"))
    program.read_until("Starting")
    wait_for(lambda: server.find(tmp_path / "state"))
    (localstack,) = psutil.Process(program.process.pid).children()
    assert "Stopped." in program.end(signal.SIGTERM)
    assert program.process.returncode == 0
    assert not psutil.pid_exists(localstack.pid)
    assert (tmp_path / "state" / "localstack.log").exists()  # --state keeps the files


def test_localstack_that_ends_is_an_error(start: Start, tmp_path: Path) -> None:
    program = start("--port", "0", "--state", str(tmp_path / "state"))
    program.read_until("Starting")
    wait_for(lambda: server.find(tmp_path / "state"))
    (localstack,) = psutil.Process(program.process.pid).children()
    localstack.kill()
    output = program.process.communicate(timeout=SECONDS)[0]
    assert "error: LocalStack ended" in output
    assert program.process.returncode == 1


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "localhost"])  # noqa: S104
def test_other_addresses_are_refused(start: Start, host: str) -> None:
    program = start("--host", host)
    assert "127.0.0.1" in program.process.communicate(timeout=SECONDS)[0]
    assert program.process.returncode == 2


def test_directory_that_cannot_be_created_is_one_line(start: Start, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    program = start("--port", "0", "--state", str(tmp_path / "file" / "state"))
    output = program.process.communicate(timeout=SECONDS)[0]
    assert output.splitlines()[-1].startswith("error: [Errno 20] Not a directory")
    assert "Traceback" not in output
    assert program.process.returncode == 1


def test_directory_in_use_is_refused(start: Start, tmp_path: Path) -> None:
    """A second emulator would overwrite the files of the first."""
    me = psutil.Process()
    record = f'{{"url": "http://127.0.0.1:1", "pid": {me.pid}, "started": {me.create_time()}}}'
    (tmp_path / "server.json").write_text(record)
    program = start("--port", "0", "--state", str(tmp_path))
    assert "runs already, at http://127.0.0.1:1" in program.process.communicate(timeout=SECONDS)[0]
    assert program.process.returncode == 1
