"""The demo's environment: variables for the commands, and a file that sets them in the user's shell."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from image_labels_emulator.server import Server

OUTPUTS = "outputs.json"
# The variable that tells the demo's AWS_ENDPOINT_URL, which stays in a shell after `make down`, from one of the user's.
DEMO_URL = "IMAGE_LABELS_DEMO_URL"
ENVIRONMENT = "environment.sh"

# AWS CLI 1 sends some commands, such as `aws sqs`, to AWS itself in spite of AWS_ENDPOINT_URL, unless it has the flag:
# https://github.com/aws/aws-cli/issues/8737
_FUNCTIONS = """
# AWS CLI 1 sends `aws sqs` to AWS itself in spite of AWS_ENDPOINT_URL, but not with this flag.
aws() {{ command aws ${{AWS_ENDPOINT_URL:+--endpoint-url "$AWS_ENDPOINT_URL"}} "$@"; }}
# An output of the module, as in docs/operations.md.
out() {{ jq -r ".$1" {outputs}; }}
"""


def write(directory: Path, running: Server, outputs: Mapping[str, Any]) -> dict[str, str]:
    """Write environment.sh, and the outputs that it reads. Returns the variables."""
    emulated = {name: value for name, value in running.environment().items() if name.startswith("AWS_")}
    environment: dict[str, str] = emulated | {DEMO_URL: running.url} | outputs["cli_environment"]
    directory.mkdir(parents=True, exist_ok=True)
    (directory / OUTPUTS).write_text(json.dumps(outputs, indent=2))
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in environment.items())
    functions = _FUNCTIONS.format(outputs=shlex.quote(str(directory / OUTPUTS)))
    (directory / ENVIRONMENT).write_text(exports + functions)
    return environment


def ignores_endpoint() -> bool:
    """Whether the AWS CLI on the PATH is version 1. False if there is none, or if it does not print its version."""
    executable = shutil.which("aws")
    if executable is None:
        return False
    try:
        done = subprocess.run([executable, "--version"], capture_output=True, text=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return bool(re.match(r"aws-cli/1\.", done.stdout or done.stderr))
