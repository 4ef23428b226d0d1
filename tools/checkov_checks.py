"""`make checkov`: checks the .tf files of the module and its examples against checkov's rules for AWS.

A comment inside a resource skips a rule: `#checkov:skip=CKV_AWS_117:a reason`. checkov accepts every such comment. This
check requires a reason, and that the rule fails without the comment. checkov therefore reads a copy without effective
skip comments, and its report is compared with the comments.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CHECKOV_BIN = ROOT / ".local" / "checkov" / "bin"  # the Makefile installs it

# checkov's own expression, in checkov/common/comment/enum.py.
SKIP = re.compile(r"(?:checkov|bridgecrew|cortex):skip= *([A-Za-z_\d-]+(?:,[A-Za-z_\d-]+)*)?(?::([^\n]*))?")
# With `count`, checkov checks a resource only if an example creates it.
COUNT = re.compile(r"^  count += (.*)$", re.MULTILINE)


class CheckovError(Exception):
    """checkov did not check everything; the message is for the user."""


@dataclass(frozen=True, slots=True)
class Skip:
    """A comment that skips `check`, which is empty if the comment names no check."""

    file: str
    line: int
    check: str
    reason: str


@dataclass(frozen=True, slots=True)
class Failure:
    """A rule that a resource fails, with the resource's first and last line."""

    file: str
    first: int
    last: int
    resource: str
    check: str
    name: str


def skips(file: str, text: str) -> list[Skip]:
    """The skip comments of a .tf file, one entry per rule."""
    return [
        Skip(file, number, check, (match[2] or "").strip())
        for number, line in enumerate(text.splitlines(), 1)
        for match in SKIP.finditer(line)
        for check in (match[1] or "").split(",")
    ]


def without_skips(text: str) -> str:
    """The text of a .tf file without effective skip comments and `count`. Line numbers stay the same."""
    text = SKIP.sub("skipped here", text)
    return COUNT.sub(lambda match: match[0] if _is_incomplete(match[1]) else "", text)


def _is_incomplete(expression: str) -> bool:
    return sum(map(expression.count, "([{")) != sum(map(expression.count, ")]}"))


def failures(report: dict[str, Any]) -> list[Failure]:
    """The failures in checkov's JSON report, without the duplicates of resources that several examples use.

    Raises CheckovError if checkov could not parse a file, which it does not report as a failure, or found no resource.
    """
    results = report.get("results", {})
    if unread := results.get("parsing_errors"):
        raise CheckovError("checkov cannot parse, and did not check: " + ", ".join(sorted(unread)))
    if not report.get("summary", {}).get("resource_count"):
        raise CheckovError("checkov found no resource to check")
    return sorted(
        {
            Failure(
                file=str(check["file_path"]).lstrip("/"),
                first=check["file_line_range"][0],
                last=check["file_line_range"][1],
                resource=re.sub(r"^(module\.[\w-]+(\[.*?\])?\.)+|\[.*?\]$", "", check["resource"]),
                check=check["check_id"],
                name=check["check_name"],
            )
            for check in results["failed_checks"]
        },
        key=lambda failure: (failure.file, failure.first, failure.check),
    )


def problems(failed: Iterable[Failure], skipped: Iterable[Skip]) -> list[str]:
    """Problems, one line each: failures without a skip comment, and skip comments without reason or effect."""
    failed, skipped = list(failed), list(skipped)
    wrong = [
        f"{failure.file}:{failure.first}: {failure.resource}: {failure.check} {failure.name}"
        for failure in failed
        if not any(_applies(skip, failure) for skip in skipped)
    ]
    for skip in skipped:
        where = f"{skip.file}:{skip.line}"
        if not skip.check:
            wrong.append(f"{where}: the skip comment names no check")
        elif not skip.reason:
            wrong.append(f"{where}: {skip.check} is skipped without a reason; write #checkov:skip={skip.check}:reason")
        elif not any(_applies(skip, failure) for failure in failed):
            wrong.append(f"{where}: {skip.check} does not fail here; remove the skip comment")
    return wrong


def _applies(skip: Skip, failure: Failure) -> bool:
    """As in checkov, the comment must be inside the block."""
    return skip.file == failure.file and skip.check == failure.check and failure.first < skip.line < failure.last


def _scan(directory: Path) -> dict[str, Any]:
    """checkov's report on a directory, without network access."""
    kept = {name: value for name, value in os.environ.items() if not re.match("BC_|CKV_|CHECKOV_|PRISMA_", name)}
    done = subprocess.run(
        [
            *(CHECKOV_BIN / "checkov", "--directory", directory, "--framework", "terraform", "--output", "json"),
            *("--compact", "--soft-fail", "--skip-download"),
        ],
        # Otherwise checkov asks PyPI for its newest version. The user's HOME is not used: it may have an API key, with
        # which checkov uploads its results, or a configuration that skips rules.
        env=kept | {"CKV_SKIP_PACKAGE_UPDATE_CHECK": "true", "HOME": str(directory), "USERPROFILE": str(directory)},
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        report: dict[str, Any] = json.loads(done.stdout)
    except json.JSONDecodeError:
        raise CheckovError(f"checkov failed with exit code {done.returncode}:\n{done.stderr or done.stdout}") from None
    for file in report.get("results", {}).get("parsing_errors", ()):
        print(f"{Path(file).relative_to(directory)}: {_parse_error(Path(file))}", file=sys.stderr)
    return report


def _parse_error(file: Path) -> str:
    """The error of checkov's parser, which is not Terraform's. checkov does not report it."""
    code = "import sys, hcl2; hcl2.load(open(sys.argv[1]))"
    done = subprocess.run([CHECKOV_BIN / "python", "-c", code, file], capture_output=True, text=True, check=False)
    said = [line.split(": ", 1)[-1] for line in done.stderr.splitlines() if " at line " in line]
    return said[0] if said else "unknown parse error"


def main() -> int:
    """Run checkov. Returns 0 if exactly the failing rules are skipped, each with a reason."""
    found = [ROOT.glob("*.tf"), ROOT.glob("examples/**/*.tf")]
    files = {path.relative_to(ROOT).as_posix(): path.read_text() for paths in found for path in paths}
    with tempfile.TemporaryDirectory(prefix="checkov-") as name:
        directory = Path(name).resolve()
        for file, text in files.items():
            (directory / file).parent.mkdir(parents=True, exist_ok=True)
            (directory / file).write_text(without_skips(text))
        try:
            failed = failures(_scan(directory))
        except CheckovError as error:
            print(str(error).replace(f"{directory}/", ""), file=sys.stderr)
            return 1
    skipped = [skip for file, text in sorted(files.items()) for skip in skips(file, text)]
    wrong = problems(failed, skipped)
    for line in wrong:
        print(line, file=sys.stderr)
    print(f"checkov: {len(files)} files, {len(skipped)} checks skipped with a reason, {len(wrong)} problems")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
