"""Run Terraform for the make targets, with a command-line configuration of our own.

The user's own configuration may be missing, or name a mirror that is not there. Ours takes the AWS provider from a
local mirror if this machine has one, else from the registry, and keeps what it downloads for the next run.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCAL = ROOT / ".local"
PROVIDER = Path("registry.terraform.io/hashicorp/aws")
# https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories, and /opt.
MIRRORS = (
    "~/.terraform.d/plugins",
    "~/.local/share/terraform/plugins",
    "~/Library/Application Support/io.terraform/plugins",
    "/usr/local/share/terraform/plugins",
    "/usr/share/terraform/plugins",
    "/opt/*",
    "/opt/*/*",
)


class TerraformError(Exception):
    """Terraform is missing or a command of it failed; the message is for the person who ran it."""


def environment(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """`base`, or this process's environment, with our configuration of Terraform's command line in it."""
    cache = LOCAL / "terraform" / "plugins"
    cache.mkdir(parents=True, exist_ok=True)
    lines = [f'plugin_cache_dir = "{cache.as_posix()}"', "disable_checkpoint = true"]
    if mirror := _mirror():
        lines += [
            "provider_installation {",
            "  filesystem_mirror {",
            f'    path    = "{mirror.as_posix()}"',
            f'    include = ["{PROVIDER.as_posix()}"]',
            "  }",
            "  direct {",
            f'    exclude = ["{PROVIDER.as_posix()}"]',
            "  }",
            "}",
        ]
    config = LOCAL / "terraform" / "terraformrc"
    _write_at_once(config, "\n".join(lines) + "\n")
    kept = os.environ if base is None else base
    return {**kept, "TF_CLI_CONFIG_FILE": str(config), "TF_IN_AUTOMATION": "1", "TF_INPUT": "0"}


def _write_at_once(path: Path, text: str) -> None:
    """Write a file that another job's Terraform may be reading: it sees the old text or the new, never half of it."""
    new = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
    new.write_text(text)
    new.replace(path)


def executable() -> str:
    """The path of `terraform`, or of what the variable TERRAFORM names, such as `tofu`.

    Raises TerraformError if it is not on the PATH.
    """
    name = os.environ.get("TERRAFORM") or "terraform"
    path = shutil.which(name)
    if path is None:
        raise TerraformError(f"{name} is not on the PATH: install Terraform 1.9 or newer and run this again")
    return path


class Root:
    """A root module and its state: `state_directory` takes the state and the working data, the sources stay clean."""

    def __init__(self, directory: Path, state_directory: Path, base_environment: Mapping[str, str]) -> None:
        self.directory = directory
        state_directory.mkdir(parents=True, exist_ok=True)
        self.state = state_directory / "terraform.tfstate"
        state = f"-state={self.state}"
        self._environment = (
            environment(base_environment)
            | {"TF_DATA_DIR": str(state_directory / "data")}
            | {f"TF_CLI_ARGS_{command}": state for command in ("plan", "apply", "destroy", "output")}
        )

    def run(self, *arguments: str, allowed: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
        """Run one command to its end. Raises TerraformError if its exit code is not among the allowed."""
        command = [executable(), f"-chdir={self.directory}", *arguments]
        with _alone() if arguments[0] == "init" else nullcontext():
            done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)
        if done.returncode not in allowed:
            said = (done.stderr.strip() or done.stdout.strip()) + "\n"
            raise TerraformError(f"`terraform {' '.join(arguments)}` ended with {done.returncode}:\n{said}")
        return done

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start one command whose output is read while it runs (stdout and stderr together)."""
        return subprocess.Popen(
            [executable(), f"-chdir={self.directory}", *arguments],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


@contextmanager
def _alone() -> Iterator[None]:
    """One at a time, of all threads and processes: two that fill the cache of plugins fail each other, says Terraform.

    https://developer.hashicorp.com/terraform/cli/config/config-file#provider-plugin-cache
    """
    with (LOCAL / "terraform" / "init.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _mirror() -> Path | None:
    """The first directory of this machine, in Terraform's order, that holds the AWS provider."""
    for pattern in MIRRORS:
        base = Path(pattern).expanduser()
        parent = Path(base.anchor, *[part for part in base.parts[1:] if "*" not in part])
        depth = base.parts.count("*")
        candidates = sorted(parent.glob("/".join("*" * depth))) if depth else [parent]
        for candidate in candidates:
            if (candidate / PROVIDER).is_dir():
                return candidate
    return None
