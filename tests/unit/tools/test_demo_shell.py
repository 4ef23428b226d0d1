"""environment.sh of the demo: variables and functions in the user's shell, and the warning about AWS CLI 1."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from image_labels_emulator.server import Server
from support.shells import SHELLS

from tools import demo_shell

OUTPUTS = {
    "queue_url": "http://sqs.localhost:4566/000000000000/it's photos",
    "cli_environment": {"IMAGE_LABELS_FILTER_PREFIX": "my photos/", "IMAGE_LABELS_REGION": "us-east-1"},
}
# Prints its arguments, one a line, as an AWS CLI that shows what it is asked.
AWS = "#!/bin/sh\n[ \"$1\" != --version ] || exec echo 'aws-cli/{version} Python/3.11.7'\nprintf '%s\\n' \"$@\"\n"


@pytest.fixture
def bin_(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The first directory on the PATH."""
    path = tmp_path / "bin"
    path.mkdir()
    monkeypatch.setenv("PATH", str(path), prepend=os.pathsep)
    return path


def install_aws(bin_: Path, version: str = "1.45.11") -> None:
    (bin_ / "aws").write_text(AWS.format(version=version))
    (bin_ / "aws").chmod(0o755)


def lines(shell: str, directory: Path, command: str) -> list[str]:
    """What a line of the user prints after `. environment.sh`."""
    file = directory / demo_shell.ENVIRONMENT
    done = subprocess.run(
        [shell, "-c", f'. "$0"; {command}', str(file)], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.parametrize("shell", SHELLS)
class TestEnvironment:
    @pytest.fixture
    def directory(self, tmp_path: Path) -> Path:
        directory = tmp_path / "it's the demo"
        demo_shell.write(directory, Server("http://127.0.0.1:4604"), OUTPUTS)
        return directory

    def test_variables(self, shell: str, directory: Path) -> None:
        said = lines(shell, directory, 'echo "$AWS_ENDPOINT_URL"; echo "$IMAGE_LABELS_FILTER_PREFIX"')
        assert said == ["http://127.0.0.1:4604", "my photos/"]

    def test_every_call_of_the_aws_cli_goes_to_the_demo(self, shell: str, directory: Path, bin_: Path) -> None:
        install_aws(bin_)
        said = lines(shell, directory, "aws sqs list-queues --queue-name-prefix 'a b'")
        endpoint = ["--endpoint-url", "http://127.0.0.1:4604"]
        assert said == [*endpoint, "sqs", "list-queues", "--queue-name-prefix", "a b"]

    def test_without_the_variable_the_aws_cli_calls_aws(self, shell: str, directory: Path, bin_: Path) -> None:
        install_aws(bin_)
        assert lines(shell, directory, "unset AWS_ENDPOINT_URL; aws s3 ls") == ["s3", "ls"]

    @pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed")
    def test_outputs_as_the_runbook_reads_them(self, shell: str, directory: Path) -> None:
        assert lines(shell, directory, "out queue_url") == [OUTPUTS["queue_url"]]


@pytest.mark.parametrize(("version", "old"), [("1.45.11", True), ("2.27.0", False), ("12.0", False)])
def test_aws_cli_1_is_recognized(bin_: Path, version: str, old: bool) -> None:
    install_aws(bin_, version)
    assert demo_shell.ignores_endpoint() is old


def test_no_aws_cli(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not demo_shell.ignores_endpoint()
