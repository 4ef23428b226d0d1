"""`make checkov`: the .tf files of the module and of its examples against checkov's rules for AWS.

A rule that does not suit is skipped where it fails, inside the resource: `#checkov:skip=CKV_AWS_117:a reason`. checkov
itself believes each such comment. Here a comment has to earn its place: it gives a reason, and the rule does fail
there. So checkov reads a copy in which no comment skips anything, and what it reports is held against the comments.
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
ENVIRONMENT = ROOT / ".local" / "checkov" / "bin"  # the Makefile installs it

# checkov's own expression, in checkov/common/comment/enum.py.
SKIP = re.compile(r"(?:checkov|bridgecrew|cortex):skip= *([A-Za-z_\d-]+(?:,[A-Za-z_\d-]+)*)?(?::([^\n]*))?")
# Without it checkov looks at a resource only if some example has it made.
COUNT = re.compile(r"^  count += (.*)$", re.MULTILINE)


class CheckovError(Exception):
    """checkov did not look at everything; the message is for the person who ran it."""


@dataclass(frozen=True, slots=True)
class Skip:
    """A comment that skips `check`; `check` is empty if it names none."""

    file: str
    line: int
    check: str
    reason: str


@dataclass(frozen=True, slots=True)
class Failure:
    """A rule that a resource fails, and the resource's first and last line."""

    file: str
    first: int
    last: int
    resource: str
    check: str
    name: str


def skips(file: str, text: str) -> list[Skip]:
    """The comments in a .tf file that skip a rule, one for each rule named."""
    return [
        Skip(file, number, check, (match[2] or "").strip())
        for number, line in enumerate(text.splitlines(), 1)
        for match in SKIP.finditer(line)
        for check in (match[1] or "").split(",")
    ]


def bare(text: str) -> str:
    """A .tf file, line for line, in which no comment skips a rule and no count keeps a resource from being made."""
    text = SKIP.sub("skipped here", text)
    return COUNT.sub(lambda match: match[0] if _goes_on(match[1]) else "", text)


def _goes_on(expression: str) -> bool:
    return sum(map(expression.count, "([{")) != sum(map(expression.count, ")]}"))


def failures(report: dict[str, Any]) -> list[Failure]:
    """What checkov's JSON report says fails, each once, however many examples have the resource.

    Raises CheckovError if it could not read a file, which to checkov is no failure, or found no resource at all.
    """
    results = report.get("results", {})
    if unread := results.get("parsing_errors"):
        raise CheckovError("checkov cannot read, and so did not check: " + ", ".join(sorted(unread)))
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


def judge(failed: Iterable[Failure], skipped: Iterable[Skip]) -> list[str]:
    """What is wrong, a line for each: a failure that no comment skips, and a comment without reason or use."""
    failed, skipped = list(failed), list(skipped)
    wrong = [
        f"{failure.file}:{failure.first}: {failure.resource}: {failure.check} {failure.name}"
        for failure in failed
        if not any(_meets(skip, failure) for skip in skipped)
    ]
    for skip in skipped:
        where = f"{skip.file}:{skip.line}"
        if not skip.check:
            wrong.append(f"{where}: the comment names no check to skip")
        elif not skip.reason:
            wrong.append(f"{where}: {skip.check} is skipped without a reason: #checkov:skip={skip.check}:reason")
        elif not any(_meets(skip, failure) for failure in failed):
            wrong.append(f"{where}: {skip.check} does not fail here, so there is nothing to skip")
    return wrong


def _meets(skip: Skip, failure: Failure) -> bool:
    """As checkov sees it: the comment is inside the block."""
    return skip.file == failure.file and skip.check == failure.check and failure.first < skip.line < failure.last


def _scan(directory: Path) -> dict[str, Any]:
    """checkov's report on a directory. Nothing leaves this machine, nor does checkov ask anybody anything."""
    kept = {name: value for name, value in os.environ.items() if not re.match("BC_|CKV_|CHECKOV_|PRISMA_", name)}
    done = subprocess.run(
        [
            *(ENVIRONMENT / "checkov", "--directory", directory, "--framework", "terraform", "--output", "json"),
            *("--compact", "--soft-fail", "--skip-download"),
        ],
        # Otherwise it asks PyPI for its newest version. A home of its own: the user's may hold a key, and then it would
        # upload the results, or a configuration that leaves out rules.
        env=kept | {"CKV_SKIP_PACKAGE_UPDATE_CHECK": "true", "HOME": str(directory), "USERPROFILE": str(directory)},
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        report: dict[str, Any] = json.loads(done.stdout)
    except json.JSONDecodeError:
        raise CheckovError(f"checkov ended with {done.returncode}:\n{done.stderr or done.stdout}") from None
    for file in report.get("results", {}).get("parsing_errors", ()):
        print(f"{Path(file).relative_to(directory)}: {_parsers_word(Path(file))}", file=sys.stderr)
    return report


def _parsers_word(file: Path) -> str:
    """Why checkov's parser, which is not Terraform's, cannot read a file; checkov keeps that to itself."""
    code = "import sys, hcl2; hcl2.load(open(sys.argv[1]))"
    done = subprocess.run([ENVIRONMENT / "python", "-c", code, file], capture_output=True, text=True, check=False)
    said = [line.split(": ", 1)[-1] for line in done.stderr.splitlines() if " at line " in line]
    return said[0] if said else "no reason given"


def main() -> int:
    """Run checkov; 0 if all that fails is skipped with a reason, and nothing else is."""
    found = [ROOT.glob("*.tf"), ROOT.glob("examples/*/*.tf")]
    files = {path.relative_to(ROOT).as_posix(): path.read_text() for paths in found for path in paths}
    with tempfile.TemporaryDirectory(prefix="checkov-") as name:
        directory = Path(name).resolve()
        for file, text in files.items():
            (directory / file).parent.mkdir(parents=True, exist_ok=True)
            (directory / file).write_text(bare(text))
        try:
            failed = failures(_scan(directory))
        except CheckovError as error:
            print(str(error).replace(f"{directory}/", ""), file=sys.stderr)
            return 1
    skipped = [skip for file, text in sorted(files.items()) for skip in skips(file, text)]
    wrong = judge(failed, skipped)
    for line in wrong:
        print(line, file=sys.stderr)
    print(f"checkov: {len(files)} files, {len(skipped)} checks skipped with a reason, {len(wrong)} problems")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
