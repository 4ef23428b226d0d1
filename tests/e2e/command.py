"""The command `image-labels`, run as its users run it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stack import DIRECTORY

from tools.terraform import ROOT, environment, executable

if TYPE_CHECKING:
    from image_labels_emulator import server

COMMAND = Path(sys.executable).with_name("image-labels")


class Command:
    """`image-labels`, run in the directory of the root module.

    The names of the tables come from `cli_environment`, or from `terraform output` if that is empty.
    """

    def __init__(self, localstack: server.Server, cli_environment: dict[str, str]) -> None:
        state = DIRECTORY / "terraform"
        self._environment = (
            {
                name: value
                for name, value in environment(localstack.environment()).items()
                if not name.startswith("IMAGE_LABELS_")
            }
            | {
                # The command runs the Terraform on the PATH.
                "PATH": f"{Path(executable()).parent}{os.pathsep}{os.environ['PATH']}",
                # The state is in another directory: see tools.terraform.Root.
                "TF_DATA_DIR": str(state / "data"),
                "TF_CLI_ARGS_output": f"-state={state / 'terraform.tfstate'}",
            }
            | cli_environment
        )

    def run(self, *arguments: str, exit_code: int = 0) -> subprocess.CompletedProcess[str]:
        done = self._run(*arguments)
        assert done.returncode == exit_code, done.stdout + done.stderr
        return done

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Run the command beside the test."""
        return subprocess.Popen(
            [COMMAND, *arguments],
            cwd=ROOT / "tests" / "e2e" / "root",
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def on_a_terminal(self, *arguments: str) -> str:
        """What a terminal shows."""
        ours, its = os.openpty()
        subprocess.run(
            [COMMAND, *arguments],
            cwd=ROOT / "tests" / "e2e" / "root",
            env=self._environment,
            stdout=its,
            stderr=its,
            check=True,
        )
        os.close(its)
        shown = b""
        with contextlib.suppress(OSError), os.fdopen(ours, "rb", buffering=0) as screen:  # OSError is the end
            while part := screen.read(4096):
                shown += part
        return shown.decode()

    def json(self, *arguments: str, exit_code: int = 0) -> Any:
        return json.loads(self.run(*arguments, "--json", exit_code=exit_code).stdout)

    def audit(self, prefix: str = "") -> Any:
        """The answer of an audit, whether or not bucket and tables agree, which lists up to 1,000 photos per state.

        Only objects uploaded in its second or later are in progress.
        """
        done = self._run("audit", prefix, "--grace", "0", "--limit", "1000", "--json")
        assert done.returncode in (0, 1), done.stdout + done.stderr
        answer = json.loads(done.stdout)
        assert answer["agree"] == (done.returncode == 0)
        return answer

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [COMMAND, *arguments],
            cwd=ROOT / "tests" / "e2e" / "root",
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
