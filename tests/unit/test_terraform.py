"""How this repository runs Terraform: several jobs at a time, each with the same configuration."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tools.terraform import ROOT, Root, TerraformError, environment, executable
from tools.terraform_checks import aws_provider


def test_configuration_is_whole_whenever_it_is_read() -> None:
    """make test runs jobs side by side; one that read an empty file asked the registry for the provider."""
    path = Path(environment()["TF_CLI_CONFIG_FILE"])
    whole = path.read_text()
    assert whole
    stop = threading.Event()

    def writes_all_the_time() -> None:
        while not stop.is_set():
            environment()

    thread = threading.Thread(target=writes_all_the_time)
    thread.start()
    try:
        seen = {path.read_text() for _ in range(2000)}
    finally:
        stop.set()
        thread.join()
    assert seen == {whole}


def test_executable_is_the_one_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("terraform", "tofu"):
        (tmp_path / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("TERRAFORM", raising=False)
    assert executable() == str(tmp_path / "terraform")
    monkeypatch.setenv("TERRAFORM", "tofu")
    assert executable() == str(tmp_path / "tofu")
    monkeypatch.setenv("TERRAFORM", "terrafrom")
    with pytest.raises(TerraformError, match="terrafrom is not on the PATH"):
        executable()


def test_one_init_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Terraform's cache of plugins takes one at a time: the first two of a new machine failed each other."""
    said = tmp_path / "said"
    fake = tmp_path / "terraform"
    fake.write_text(f'#!/bin/sh\necho "begin $2" >> {said}\nsleep 0.1\necho "end $2" >> {said}\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.delenv("TERRAFORM", raising=False)
    # A process besides the threads: make runs several jobs.
    code = f"from pathlib import Path; from tools.terraform import Root; Root(Path(), Path({str(tmp_path)!r}), {{}})"
    other = subprocess.Popen([sys.executable, "-c", f"{code}.run('init')"], cwd=ROOT)
    root = Root(Path(), tmp_path / "state", os.environ)
    threads = [threading.Thread(target=root.run, args=["init"]) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert other.wait(30) == 0
    assert said.read_text().splitlines() == ["begin init", "end init"] * 4


@pytest.mark.parametrize("locked", [b"# provider 5\n", None])
def test_version_of_the_provider_is_wanted_for_a_while_only(tmp_path: Path, locked: bytes | None) -> None:
    lock = tmp_path / ".terraform.lock.hcl"
    if locked:
        lock.write_bytes(locked)
    with aws_provider(tmp_path, "~> 5.100.0"):
        assert any('"~> 5.100.0"' in path.read_text() for path in tmp_path.glob("*_override.tf"))
        lock.write_bytes(b"# another one\n")
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == ({lock: locked} if locked else {})


def test_checks_of_terraform_need_no_package() -> None:
    """CI runs them for each version of Terraform without the Python environment."""
    code = "import tools.terraform_checks"
    subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}"], check=True
    )
