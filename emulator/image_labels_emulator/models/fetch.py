"""Packages from PyPI and npm, through pip (or uv) and npm, with the user's settings of these.

A package is downloaded as an archive. It is not installed, and no code of it runs. pip checks the hashes of the lock,
requirements.txt; `archives` checks those of all archives.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from importlib import resources
from pathlib import Path

from image_labels_emulator.models.catalog import Package, Registry

_TIMEOUT_SECONDS = 600


class FetchError(Exception):
    """A package cannot be fetched. The message says why."""


class ToolMissingError(FetchError):
    """The program that fetches packages of this registry is not installed."""


def fetch(package: Package, where: Path) -> Path:
    """Download the archive of a package into an empty directory. Raises FetchError, or ToolMissingError."""
    command = _pip(package, where) if package.registry is Registry.PYPI else _npm(package)
    try:
        done = subprocess.run(
            command, cwd=where, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FetchError(f"{package} cannot be fetched: {error}") from error
    archives = [*where.glob("*.whl"), *where.glob("*.tgz")]
    if done.returncode or len(archives) != 1:
        raise FetchError(f"{package} cannot be fetched from {package.registry}: {_reason(done.stderr)}")
    return archives[0]


def _reason(said: str) -> str:
    """The errors among what pip or npm printed, without the warnings."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"(npm )?err", line, re.IGNORECASE)]
    return "; ".join((errors or lines)[:4]) or "the program left no archive"


def lock_of(name: str) -> str:
    """The entry of a package in the lock, with its version and its hashes. Raises FetchError if it has none."""
    lock = resources.files(__package__).joinpath("requirements.txt").read_text()
    entry = re.search(rf"^{re.escape(name)}==(?:.*\\\n)*.*$", lock, re.MULTILINE)
    if not entry:
        raise FetchError(f"{name} is not in requirements.txt")
    return entry[0]


def _pip(package: Package, where: Path) -> list[str]:
    requirements = where / "requirements.txt"
    requirements.write_text(lock_of(package.name) + "\n")
    options = ["--quiet", "--disable-pip-version-check", "--only-binary", ":all:", "--no-deps", "--require-hashes"]
    return [*_pip_command(), "download", *options, "--dest", str(where), "--requirement", str(requirements)]


def _pip_command() -> list[str]:
    """This interpreter's pip, or else one that uv fetches: environments that uv makes have none."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if uv:
        return [uv, "tool", "run", "--quiet", "pip"]
    raise ToolMissingError(f"neither pip nor uv is installed; run {sys.executable} -m ensurepip")


def _npm(package: Package) -> list[str]:
    npm = shutil.which("npm")
    if not npm:
        raise ToolMissingError("npm is not on the PATH")
    # npm waits 10 seconds before it tries again, and 100 before the last time.
    options = ["--loglevel=error", "--ignore-scripts", "--fetch-retries=1"]
    return [npm, "pack", *options, f"{package.name}@{package.version}"]
