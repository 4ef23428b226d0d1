"""The module as its users import it: by git, into an empty directory."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tools.terraform import ROOT, Root

if TYPE_CHECKING:
    from image_labels_emulator.server import Server

MAIN = """
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

provider "aws" {
  region            = "us-east-1"
  s3_use_path_style = true
}

module "image_labels" {
  source = "git::file://REPOSITORY?ref=v1.2.3"
  name   = "imported"
}

output "image_labels" {
  value = module.image_labels
}
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with this checkout's tracked and untracked files, tagged like a release."""
    directory = tmp_path_factory.mktemp("repository")
    listed = _git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, directory / name)
    _git(directory, "init", "--quiet")
    _git(directory, "add", "--all")
    _git(directory, "commit", "--quiet", "--message", "release")
    _git(directory, "tag", "v1.2.3")
    return directory


def test_module_is_imported_by_git(localstack: Server, repository: Path, tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(MAIN.replace("REPOSITORY", repository.as_posix()))
    root = Root(tmp_path, tmp_path / "state", localstack.environment())
    root.run("init", "-no-color")
    root.run("plan", "-no-color", "-out=plan")
    planned = json.loads(root.run("show", "-json", "plan").stdout)
    resources = planned["planned_values"]["root_module"]["child_modules"][0]["resources"]
    function = next(each["values"] for each in resources if each["address"].endswith("aws_lambda_function.this"))
    assert ".." not in function["filename"], "the zip is part of the module"
    zip_ = (ROOT / "dist" / "lambda.zip").read_bytes()
    assert function["source_code_hash"] == base64.b64encode(hashlib.sha256(zip_).digest()).decode()
    changes = [each["change"]["actions"] for each in planned["resource_changes"]]
    assert changes
    assert all(actions in (["create"], ["read"]) for actions in changes)


def _git(directory: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.com", "-c", "commit.gpgsign=false"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = [shutil.which("git") or "git", "-C", str(directory), *identity, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout
