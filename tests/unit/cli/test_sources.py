"""--deployment, --terraform-dir and `image-labels env`: which deployment a command works on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import asdict, fields
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from image_labels_cli import named
from image_labels_cli.deployment import Deployment, variable
from support.command import run
from support.shells import SHELLS

QUEUE = "https://sqs.eu-west-1.amazonaws.com/111122223333/x-photos"
FILE = f"""
[deployments.holiday]
images_table = "holiday-images"
labels_table = "holiday-labels"
queue_url = "{QUEUE}"
min_confidence = 80
filter_prefix = "my photos/"

[deployments."at work"]
images_table = "work-images"
"""
# Prints the outputs of the module in the directory that -chdir names, or else in the current one.
TERRAFORM = """
import json, pathlib, sys
options = dict(word.split("=") for word in sys.argv[1:] if "=" in word)
name = pathlib.Path(options.get("-chdir", ".")).resolve().name
sys.exit("no such configuration") if name == "empty" else None
print(json.dumps({"image_labels": {"value": {"images_table_name": name + "-images", "queue_url": "q"}}}))
"""


@pytest.fixture(autouse=True)
def directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The current directory, `here`, beside the directory `infra`. Terraform is on the PATH."""
    for name in ("bin", "here", "infra", "empty"):
        (tmp_path / name).mkdir()
    terraform = tmp_path / "bin" / "terraform"
    terraform.write_text(f"#!{sys.executable}\n{TERRAFORM}")
    terraform.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.chdir(tmp_path / "here")
    for name in ["DEPLOYMENT", *(field.name.upper() for field in fields(Deployment))]:
        monkeypatch.delenv(f"IMAGE_LABELS_{name}", raising=False)
    (tmp_path / "config.toml").write_text(FILE)
    monkeypatch.setattr(named, "file", lambda: tmp_path / "config.toml")
    return tmp_path


def images_table(*arguments: str) -> str:
    """The images table of the deployment that these flags choose."""
    result = run(*arguments, "env", "--json")
    assert result.exit_code == 0, result.stderr
    table: str = json.loads(result.stdout)["IMAGE_LABELS_IMAGES_TABLE"]
    return table


def error(*arguments: str) -> str:
    result = run(*arguments, "env")
    assert (result.exit_code, result.stdout) == (2, "")
    return result.stderr


class TestPrecedence:
    def test_each_level_wins_over_the_next(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert images_table() == "here-images"
        monkeypatch.setenv("IMAGE_LABELS_DEPLOYMENT", "holiday")
        assert images_table() == "holiday-images"
        monkeypatch.setenv("IMAGE_LABELS_IMAGES_TABLE", "environment-images")
        assert images_table() == "environment-images"
        assert images_table("--deployment", "at work") == "work-images"
        assert images_table("--deployment", "at work", "--images-table", "flag-images") == "flag-images"

    def test_directory_of_terraform(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert images_table("--terraform-dir", "../infra") == "infra-images"
        monkeypatch.setenv("IMAGE_LABELS_IMAGES_TABLE", "environment-images")
        assert images_table("--terraform-dir", "../infra") == "infra-images"

    def test_chosen_deployment_gets_no_value_of_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A queue of another deployment would be the wrong one to send dead letters to."""
        monkeypatch.setenv("IMAGE_LABELS_QUEUE_URL", QUEUE)
        values = json.loads(run("--deployment", "at work", "env", "--json").stdout)
        assert values["IMAGE_LABELS_QUEUE_URL"] == ""
        result = run("--deployment", "at work", "status", "--no-rejected")
        assert result.exit_code == 2
        assert "the deployment at work of" in result.stderr
        assert "does not have queue url, dead letter queue url" in result.stderr

    def test_environment_gets_no_value_of_another_deployment_here(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("IMAGE_LABELS_IMAGES_TABLE", "environment-images")
        assert json.loads(run("env", "--json").stdout)["IMAGE_LABELS_QUEUE_URL"] == ""

    def test_flags_may_follow_the_command(self) -> None:
        result = run("env", "--json", "--terraform-dir=../infra")
        assert json.loads(result.stdout)["IMAGE_LABELS_IMAGES_TABLE"] == "infra-images"


class TestErrors:
    def test_both_sources(self) -> None:
        assert "remove one of them" in error("--deployment", "holiday", "--terraform-dir", "../infra")

    def test_unknown_name(self) -> None:
        said = error("--deployment", "nope")
        assert "config.toml has no deployment nope: it has at work, holiday" in said
        assert "`image-labels env --toml NAME`" in said

    def test_no_file(self, directory: Path) -> None:
        (directory / "config.toml").unlink()
        assert "has no deployment nope: it has none" in error("--deployment", "nope")

    def test_directory_that_does_not_exist(self) -> None:
        assert "--terraform-dir ../nope is not a directory" in error("--terraform-dir", "../nope")

    def test_directory_without_a_configuration(self) -> None:
        said = error("--terraform-dir", "../empty")
        assert "`terraform output` failed in ../empty: no such configuration" in said

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            ("[", "cannot be read"),
            ("deployments = 3", "deployments is not a table: write [deployments.NAME]"),
            ("[deployments]\nx = 3", "[deployments.x] is not a table"),
            ("[deployments.x]\nimages = 'a'", "unknown name images: the names are batch_function_arn, batch_role_arn"),
            ("[deployments.x]\nbucket = true", "bucket is neither a text nor a number"),
            ("[deployments.x]\nfilter_suffixes = ['.jpg']", "filter_suffixes is neither a text nor a number"),
        ],
    )
    def test_malformed_file(self, directory: Path, content: str, words: str) -> None:
        (directory / "config.toml").write_text(content)
        assert words in error("--deployment", "x")

    def test_formats_exclude_each_other(self) -> None:
        assert "remove one of them" in run("env", "--json", "--toml", "x").stderr

    @pytest.mark.parametrize("name", ["", "a\nb"])
    def test_name_of_the_table(self, name: str) -> None:
        assert run("env", "--toml", name).exit_code == 2


@pytest.mark.parametrize("shell", SHELLS)
def test_shell_sets_the_variables(shell: str, directory: Path) -> None:
    said = run("--deployment", "holiday", "env").stdout
    (directory / "said").write_text(said)
    done = subprocess.run(
        [
            str(shutil.which(shell, path=os.defpath)),
            "-c",
            f'. {directory}/said; printf "%s\\n" "$IMAGE_LABELS_FILTER_PREFIX"',
        ],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.defpath, "IMAGE_LABELS_REGION": "of another deployment"},
    )
    assert done.stdout == "my photos/\n"
    assert "export IMAGE_LABELS_REGION=''\n" in said


@settings(max_examples=50, suppress_health_check=list(HealthCheck))
@given(name=st.text(min_size=1), values=st.lists(st.text(), min_size=12, max_size=12))
@example(name="a.b\x7f\"'", values=['\x00\x7f\\"\n'] * 12)
def test_file_reads_what_env_prints(name: str, values: list[str]) -> None:
    deployment = Deployment(*values[: len(fields(Deployment))])
    table = tomllib.loads(named.as_toml(name, deployment))["deployments"][name]
    assert Deployment(**table) == deployment


def test_env_prints_a_table_and_says_where_it_belongs(directory: Path) -> None:
    result = run("--deployment", "holiday", "env", "--toml", "copy")
    assert tomllib.loads(result.stdout)["deployments"]["copy"]["filter_prefix"] == "my photos/"
    assert result.stderr == f"add these lines to {directory}/config.toml\n"
    (directory / "config.toml").write_text(result.stdout)
    assert images_table("--deployment", "copy") == "holiday-images"


def test_variables_are_those_of_cli_environment() -> None:
    values = json.loads(run("--deployment", "holiday", "env", "--json").stdout)
    assert list(values) == [variable(name) for name in asdict(Deployment())]


def test_suggested_commands_repeat_the_deployment() -> None:
    result = run("--deployment", "at work", "find", "dog,", "--labels-table", "x")
    assert "try: image-labels --labels-table x --deployment 'at work' find" in result.stderr
