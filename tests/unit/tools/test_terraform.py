"""tools/terraform.py: concurrent jobs with the same configuration, and the choice of the executable."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tools import terraform
from tools.terraform import (
    ROOT,
    Root,
    TerraformError,
    environment,
    executable,
    pypi_executable,
    pypi_versions,
    version,
)
from tools.terraform_checks import aws_provider


def test_configuration_is_written_atomically() -> None:
    """make test runs jobs in parallel. A job that read an empty file asked the registry for the provider."""
    path = Path(environment()["TF_CLI_CONFIG_FILE"])
    whole = path.read_text()
    assert whole
    stop = threading.Event()

    def write_repeatedly() -> None:
        while not stop.is_set():
            environment()

    thread = threading.Thread(target=write_repeatedly)
    thread.start()
    try:
        seen = {path.read_text() for _ in range(2000)}
    finally:
        stop.set()
        thread.join()
    assert seen == {whole}


@pytest.fixture
def bin_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only directory on the PATH. TERRAFORM is not set."""
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory))
    monkeypatch.delenv("TERRAFORM", raising=False)
    return directory


@pytest.fixture
def local(tmp_path: Path) -> Path:
    """The directory of versions from PyPI, of which none is installed."""
    return tmp_path / ".local"


def printing(path: Path, text: str) -> Path:
    """Create an executable that prints this text as its version."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n[ $1 = version ] && printf '%s\\n' '{text}'\n")
    path.chmod(0o755)
    return path


def test_terraform_on_the_path_is_used(bin_: Path, local: Path) -> None:
    terraform = printing(bin_ / "terraform", "Terraform v1.11.4")
    printing(pypi_executable(pypi_versions()[-1], local), "Terraform v1.15.5")
    assert executable(local) == str(terraform)


def test_terraform_from_pypi_is_used_if_none_is_on_the_path(bin_: Path, local: Path) -> None:
    with pytest.raises(TerraformError, match=r"terraform is not on the PATH: install Terraform 1[.]9 or newer"):
        executable(local)
    installed = printing(pypi_executable(pypi_versions()[-1], local), "Terraform v1.15.5")
    assert executable(local) == str(installed)


def test_terraform_on_the_path_is_not_used_if_too_old(bin_: Path, local: Path) -> None:
    printing(bin_ / "terraform", "Terraform v1.8.5")
    with pytest.raises(
        TerraformError, match=r"bin/terraform is 1[.]8[.]5, but the module requires 1[.]9 or newer: install"
    ):
        executable(local)
    installed = printing(pypi_executable(pypi_versions()[-1], local), "Terraform v1.15.5")
    assert executable(local) == str(installed)


def test_newest_from_pypi_is_used_if_chosen(bin_: Path, local: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    printing(bin_ / "terraform", "Terraform v1.11.4")
    monkeypatch.setenv("TERRAFORM", "pypi")
    with pytest.raises(TerraformError, match="TERRAFORM=pypi: install"):
        executable(local)
    installed = printing(pypi_executable(pypi_versions()[-1], local), "Terraform v1.15.5")
    assert executable(local) == str(installed)


def test_named_executable_takes_precedence(bin_: Path, local: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    printing(bin_ / "terraform", "Terraform v1.11.4")
    tofu = printing(bin_ / "tofu", "OpenTofu v1.9.0")
    monkeypatch.setenv("TERRAFORM", "tofu")
    assert executable(local) == str(tofu)
    monkeypatch.setenv("TERRAFORM", "terrafrom")
    with pytest.raises(TerraformError, match="TERRAFORM=terrafrom is not on the PATH"):
        executable(local)


def test_relative_path_of_the_executable_becomes_absolute(
    bin_: Path, local: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tofu = printing(bin_ / "tofu", "OpenTofu v1.9.0")
    monkeypatch.chdir(bin_.parent)
    monkeypatch.setenv("TERRAFORM", "bin/tofu")
    assert executable(local) == str(tofu)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Terraform v1.9.8\non linux_amd64", (1, 9, 8)),
        ("Terraform v1.15.0-beta2\non darwin_arm64\n+ provider hashicorp/aws v5.100.0", (1, 15, 0)),
        ("OpenTofu v1.10.0\non linux_amd64", (1, 10, 0)),
    ],
)
def test_version_is_read(tmp_path: Path, text: str, expected: tuple[int, int, int]) -> None:
    assert version(str(printing(tmp_path / "terraform", text))) == expected


def test_executable_that_is_not_terraform_is_refused(tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    with pytest.raises(TerraformError, match="does not print its version: hello"):
        version(str(printing(tmp_path / "hello", "hello")))
    with pytest.raises(TerraformError, match="does not run"):
        version(str(tmp_path / "directory"))


MAKE = shutil.which("make") or "make"


def test_make_reports_a_missing_executable() -> None:
    """The check precedes the build of the environment."""
    done = subprocess.run(
        [MAKE, "--dry-run", "terraform-is-named"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ".venv" not in done.stdout
    done = subprocess.run(
        [MAKE, "terraform-is-named", "TERRAFORM=terrafrom"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "error: TERRAFORM=terrafrom is not on the PATH" in done.stderr


def test_concurrent_inits_run_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Terraform's plugin cache does not support concurrent writers: two first runs on a machine failed."""
    log = tmp_path / "log"
    fake = tmp_path / "terraform"
    fake.write_text(f'#!/bin/sh\necho "begin $2" >> {log}\nsleep 0.1\necho "end $2" >> {log}\n')
    fake.chmod(0o755)
    monkeypatch.setenv("TERRAFORM", str(fake))
    # A process and threads, because make runs several jobs.
    code = f"from pathlib import Path; from tools.terraform import Root; Root(Path(), Path({str(tmp_path)!r}), {{}})"
    other = subprocess.Popen([sys.executable, "-c", f"{code}.run('init')"], cwd=ROOT)
    root = Root(Path(), tmp_path / "state", os.environ)
    threads = [threading.Thread(target=root.run, args=["init"]) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert other.wait(30) == 0
    assert log.read_text().splitlines() == ["begin init", "end init"] * 4


def test_provider_of_a_mirror_is_not_cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each init replaces the provider in the cache. A Terraform of another job that starts it then does not find it."""
    monkeypatch.setattr(terraform, "LOCAL", tmp_path / "local")
    mirror = tmp_path / "mirror"
    for mirrors, cached in (((), True), ((str(mirror),), False)):
        (mirror / terraform.PROVIDER).mkdir(parents=True, exist_ok=True)
        monkeypatch.setattr(terraform, "MIRRORS", mirrors)
        text = Path(terraform.environment({})["TF_CLI_CONFIG_FILE"]).read_text()
        assert ("plugin_cache_dir" in text, str(mirror) in text) == (cached, not cached)


@pytest.mark.parametrize("locked", [b"# provider 5\n", None])
def test_provider_version_is_required_temporarily(tmp_path: Path, locked: bytes | None) -> None:
    lock = tmp_path / ".terraform.lock.hcl"
    if locked:
        lock.write_bytes(locked)
    with aws_provider(tmp_path, "~> 5.100.0"):
        assert any('"~> 5.100.0"' in path.read_text() for path in tmp_path.glob("*_override.tf"))
        lock.write_bytes(b"# another one\n")
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == ({lock: locked} if locked else {})


def test_terraform_checks_need_no_packages() -> None:
    """CI runs them for each version of Terraform without the Python environment."""
    code = "import tools.terraform_checks"
    subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}"], check=True
    )
