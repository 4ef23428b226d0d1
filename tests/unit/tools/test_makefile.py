"""The Makefile: the report of each check of `make test`, the list of targets, and the end of `make browse`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tools.terraform import ROOT

MAKE = shutil.which("make") or "make"
SECONDS = 30
# Targets for the tests. A read of a named pipe lasts until the test writes to it.
TARGETS = """
slow:
\t@echo one; cat {pipe}
bad:
\t@echo reason; false
python:
\t@echo "{{$$PYTHONDONTWRITEBYTECODE}}"
"""


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


def start(pipe: Path, *targets: str) -> subprocess.Popen[str]:
    """Run make as `make test` does, with TARGETS."""
    makefile = pipe.with_name("targets.mk")
    makefile.write_text(TARGETS.format(pipe=pipe))
    version = subprocess.run([MAKE, "--version"], capture_output=True, text=True, check=True).stdout
    options = [] if "GNU Make 3" in version else ["--output-sync=target"]
    return subprocess.Popen(
        [MAKE, "--no-print-directory", "--jobs", "2", "--keep-going", *options, *targets],
        cwd=ROOT,
        env={**os.environ, "MAKEFILES": str(makefile), "MAKEFLAGS": ""},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_check_reports_its_start_at_once_and_its_duration_at_the_end(pipe: Path) -> None:
    process = start(pipe, "reported-slow")
    assert process.stdout
    assert process.stdout.readline() == "make slow: started\n"
    pipe.write_text("two\n")
    output, _ = process.communicate(timeout=SECONDS)
    assert output.splitlines()[:2] == ["one", "two"]
    assert output.splitlines()[2].startswith("make slow: passed after ")
    assert process.returncode == 0


def test_failed_check_is_reported_and_fails_the_run(pipe: Path) -> None:
    process = start(pipe, "reported-bad")
    output, _ = process.communicate(timeout=SECONDS)
    assert "reason\nmake bad: FAILED after " in output
    assert process.returncode != 0


def test_compiled_modules_are_kept(pipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    output, _ = start(pipe, "python").communicate(timeout=SECONDS)
    assert output == "{}\n"


def test_lines_of_help_are_short() -> None:
    done = subprocess.run([MAKE, "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) > 15
    assert [line for line in done.stdout.splitlines() if len(line) > 100] == []


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """A directory with a demo's environment.sh, and a Python environment whose image-labels serves until a signal."""
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "image-labels"
    command.write_text(f"#!{sys.executable}\nimport os, signal\nprint(os.getpid(), flush=True)\nsignal.pause()\n")
    command.chmod(0o755)
    (tmp_path / "environment.sh").write_text("export AWS_ACCESS_KEY_ID=test\n")
    (tmp_path / ".ready").touch()
    return tmp_path


def test_sigterm_to_make_browse_also_stops_the_server(demo: Path) -> None:
    process = subprocess.Popen(
        [MAKE, "--no-print-directory", f"VENV={demo}", f"DEMO={demo}", "browse"],
        cwd=ROOT,
        env={**os.environ, "MAKEFLAGS": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout
    server = psutil.Process(int(process.stdout.readline()))
    try:
        process.terminate()
        process.wait(timeout=SECONDS)
        _gone, left = psutil.wait_procs([server], timeout=SECONDS)
    finally:
        process.kill()
        if server.is_running():
            server.kill()
    assert left == []
