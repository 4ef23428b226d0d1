"""The command `image-labels` with the applied module."""

from __future__ import annotations

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
        done = subprocess.run(
            [COMMAND, *arguments],
            cwd=ROOT / "tests" / "e2e" / "root",
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == exit_code, done.stdout + done.stderr
        return done

    def json(self, *arguments: str, exit_code: int = 0) -> Any:
        return json.loads(self.run(*arguments, "--json", exit_code=exit_code).stdout)
