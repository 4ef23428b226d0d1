"""Provider processes that several Terraform commands share.

Terraform starts the provider two to four times per command, and per `run` block of a test. Starts of the AWS provider
take longer than the rest of a `run` block. Terraform does not start the providers that TF_REATTACH_PROVIDERS names:
https://developer.hashicorp.com/terraform/plugin/debugging#running-terraform-with-a-provider-in-debug-mode.

Only for `terraform validate`, and for tests with a mock provider: these do not configure the provider, so it keeps no
state between commands.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tools.terraform import TerraformError, environment

REATTACH = "TF_REATTACH_PROVIDERS"
SECONDS = 10
# How Terraform reaches a provider: its process, protocol and socket.
Address = dict[str, object]


class Providers:
    """Starts one process per version of a provider. Use it in a `with` statement, which ends them."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._running: dict[Path, Address] = {}

    def __enter__(self) -> Providers:
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    def variables(self, root: Path, data_directory: Path) -> dict[str, str]:
        """Environment variables for commands in this root module, after `terraform init` with this TF_DATA_DIR.

        Raises TerraformError if a provider does not start.
        """
        addresses = {}
        for name, version in _locked(root):
            executables = (data_directory / "providers" / name / version).glob("*/terraform-provider-*")
            if (installed := next(executables, None)) is None:
                continue  # a dev_override, which Terraform starts itself
            program = installed.resolve()
            if program not in self._running:
                self._running[program] = self._stack.enter_context(_running(program))
            addresses[name] = self._running[program]
        return {REATTACH: json.dumps(addresses)} if addresses else {}


def _locked(root: Path) -> list[tuple[str, str]]:
    """Name and version of each provider in the lock file that `terraform init` writes."""
    lock = root / ".terraform.lock.hcl"
    text = lock.read_text() if lock.exists() else ""
    return re.findall(r'^provider "(.+)" {\n  version += "(.+)"', text, re.MULTILINE)


@contextmanager
def _running(program: Path) -> Iterator[Address]:
    with tempfile.TemporaryDirectory() as directory, tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            [program, "-debug"],
            env={**environment(), "TMPDIR": directory},  # for its socket, which it may not delete
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            assert process.stdout is not None
            address = _printed(process.stdout)
            if address is None:
                log.seek(0)
                raise TerraformError(f"{program} does not start: {log.read().strip()}")
            yield address
        finally:
            process.terminate()
            process.wait(SECONDS)


def _printed(lines: Iterable[str]) -> Address | None:
    """The address that a provider prints. The name that it prints is not OpenTofu's."""
    for line in lines:
        if match := re.search(rf"{REATTACH}='(.*)'", line):
            by_name: dict[str, Address] = json.loads(match[1])
            return next(iter(by_name.values()))
    return None
