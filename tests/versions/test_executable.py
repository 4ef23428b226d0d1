"""The executable from PyPI's library, with which `make terraform-versions` tests the module, behaves like Terraform.

TERRAFORM names the executable. Terraform's own executable passes, too.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tools.terraform import environment, executable, version

MAIN = """
variable "text" {
  default = ""
}

resource "terraform_data" "waits" {
  input = var.text

  provisioner "local-exec" {
    command = "echo begun > begun; sleep 30"
  }
}

output "text" {
  value = var.text
}
"""
SECONDS = 60


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "main.tf").write_text(MAIN.replace("sleep 30", "true"))
    assert run(tmp_path, "init").returncode == 0
    return tmp_path


def run(directory: Path, *arguments: str, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [executable(), *arguments],
        cwd=directory,
        env=environment() | {"TF_CLI_ARGS": "-no-color"} | variables,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )


def test_version_is_that_of_the_directory() -> None:
    """Only for an executable from PyPI, whose directory is named after its version."""
    directory = Path(executable()).parent.name
    if re.fullmatch(r"\d+\.\d+\.\d+", directory):
        assert ".".join(map(str, version(executable()))) == directory


def test_arguments_are_passed_unchanged(root: Path) -> None:
    text = "a b \"c\" 'd' $HOME \\ Käse 🐕"
    done = run(root, "apply", "-auto-approve", f"-var=text={text}")
    assert done.returncode == 0, done.stderr
    assert json.loads(run(root, "output", "-json", "text").stdout) == text


def test_environment_is_passed(root: Path) -> None:
    run(root, "apply", "-auto-approve", TF_VAR_text="from the environment")
    assert run(root, "output", "-raw", "text").stdout == "from the environment"


def test_standard_input_is_read(root: Path) -> None:
    assert run(root, "console", stdin="1 + 1\n").stdout == "2\n"
    assert "Apply cancelled" in run(root, "apply", stdin="no\n", TF_INPUT="1").stdout
    assert "Apply complete" in run(root, "apply", stdin="yes\n", TF_INPUT="1").stdout


def test_exit_codes_equal_those_of_terraform(root: Path) -> None:
    assert run(root, "plan", "-detailed-exitcode").returncode == 2
    run(root, "apply", "-auto-approve")
    assert run(root, "plan", "-detailed-exitcode").returncode == 0
    (root / "main.tf").write_text("a   = 1\n")
    assert run(root, "fmt", "-check").returncode == 3
    done = run(root, "validate")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Unsupported argument" in done.stderr


def test_long_output_is_complete(root: Path) -> None:
    """The output exceeds the buffer of a pipe."""
    text = "".join(f"{n} " for n in range(50_000))
    (root / "terraform.tfvars").write_text(f'text = "{text}"\n')
    assert run(root, "apply", "-auto-approve").returncode == 0
    assert run(root, "output", "-raw", "text").stdout == text


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_signal_stops_an_apply_and_keeps_its_state(root: Path, stop: signal.Signals) -> None:
    (root / "main.tf").write_text(MAIN)
    process = subprocess.Popen(
        [executable(), "apply", "-auto-approve", "-no-color"],
        cwd=root,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    deadline = time.monotonic() + SECONDS
    while not (root / "begun").exists():
        assert time.monotonic() < deadline, "the apply did not start"
        time.sleep(0.05)
    process.send_signal(stop)
    output, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert "Interrupt received" in output
    assert "terraform_data.waits" in run(root, "state", "list").stdout
    assert not (root / ".terraform.tfstate.lock.info").exists()


def test_concurrent_runs_succeed(root: Path) -> None:
    processes = [
        subprocess.Popen([executable(), "validate", "-json"], cwd=root, env=environment(), stdout=subprocess.PIPE)
        for _ in range(4)
    ]
    for process in processes:
        output, _ = process.communicate(timeout=SECONDS)
        assert json.loads(output)["valid"]
        assert process.returncode == os.EX_OK
