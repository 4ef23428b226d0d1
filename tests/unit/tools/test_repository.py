"""The repository's pre-commit hooks and GitHub workflows."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tools.terraform import ROOT

BIN = Path(sys.executable).parent
HOOKS = ROOT / ".pre-commit-config.yaml"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def test_pre_commit_accepts_its_configuration() -> None:
    subprocess.run([BIN / "pre-commit", "validate-config", HOOKS], check=True)


def test_hooks_run_the_pinned_tools() -> None:
    """A commit downloads nothing, and uses the pinned versions of the tools."""
    for repository in yaml.safe_load(HOOKS.read_text())["repos"]:
        assert repository["repo"] == "local"
        for hook in repository["hooks"]:
            assert hook["language"] == "system"
            command = hook["entry"].split()
            assert (
                (BIN / Path(command[0]).name).exists() if command[0].startswith(".venv/") else shutil.which(command[0])
            )


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit_and_name_their_version(workflow: Path) -> None:
    used = re.findall(r"uses: (.*)", workflow.read_text())
    assert used
    for action in used:
        assert re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_jobs_have_a_time_limit_and_explicit_permissions(workflow: Path) -> None:
    content = yaml.safe_load(workflow.read_text())
    assert content["permissions"] == {}
    for job in content["jobs"].values():
        assert job["timeout-minutes"] <= 60
        assert set(job["permissions"]) == {"contents"}


def test_one_version_of_an_action_is_used_everywhere() -> None:
    versions: dict[str, set[str]] = {}
    for workflow in WORKFLOWS:
        for name, version in re.findall(r"uses: ([^@]+)@(.*)", workflow.read_text()):
            versions.setdefault(name, set()).add(version)
    assert {name: len(found) for name, found in versions.items() if len(found) > 1} == {}
