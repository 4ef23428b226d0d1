"""Help, exit codes, and internal errors."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from image_labels_cli import main
from support.command import run

SCRIPT = """
from image_labels_cli import main, output

@main.app.command()
def write_lines():
    output.write_lines([str(n)] for n in range(LINES))

@main.app.command()
def fail():
    raise KeyError("Detections\\x1b[2J")

main.main()
"""


def test_version_and_help() -> None:
    assert run("--version").stdout.startswith("image-labels ")
    for command in ([], ["show"], ["find"], ["labels"], ["status"], ["audit"], ["redrive"], ["browse"]):
        result = run(*command, "--help")
        assert result.exit_code == 0
        assert "<bool>" not in result.stdout
        assert "default: True" not in result.stdout
        assert "[[" not in result.stdout
        assert "image-labels find" in result.stdout or command[:1] != ["find"]


@pytest.mark.usefixtures("deployment")
def test_ctrl_c_ends_the_command_without_output() -> None:
    def interrupted(_deployment: object) -> None:
        raise KeyboardInterrupt

    result = run("show", "images/dog.jpg", make_aws=interrupted)  # type: ignore[arg-type]
    assert (result.exit_code, result.output) == (130, "")


@pytest.mark.parametrize("lines", [3, 100_000], ids=["less than the pipe's buffer", "more than the pipe's buffer"])
def test_closed_pipe_ends_the_command_without_a_message(lines: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT.replace("LINES", str(lines)), "write-lines"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    with process.stderr:
        assert process.stderr.read() == ""
    assert process.wait() == main.CLOSED_PIPE


@pytest.mark.parametrize("debug", ["", "1"])
def test_internal_error_has_its_own_exit_code_and_a_traceback_only_in_debug_mode(debug: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, "fail"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {main.DEBUG: debug},
    )
    assert (done.returncode, done.stdout) == (main.INTERNAL_ERROR, "")
    assert r"error: internal error: KeyError: 'Detections\x1b[2J'" in done.stderr
    assert main.DEBUG in done.stderr
    assert ("Traceback" in done.stderr) == bool(debug)
