"""How the command finds its deployment: flags, then environment, then Terraform."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from image_labels_cli.deployment import Deployment, DeploymentError, locate
from support.command import run

QUEUE = "https://sqs.eu-west-1.amazonaws.com/111122223333/x-photos"
# The module's outputs that the command reads.
MODULE = {
    "images_table_name": "x-images",
    "images_table_arn": "arn:aws:dynamodb:eu-west-1:111122223333:table/x-images",
    "labels_table_name": "x-labels",
    "queue_url": QUEUE,
    "dead_letter_queue_url": QUEUE + "-dead",
    "waiting_queue_url": QUEUE + "-waiting",
    "bucket_name": "x-bucket",
}
VARIABLES = {
    "IMAGE_LABELS_IMAGES_TABLE": "x-images",
    "IMAGE_LABELS_LABELS_TABLE": "x-labels",
    "IMAGE_LABELS_QUEUE_URL": QUEUE,
    "IMAGE_LABELS_DEAD_LETTER_QUEUE_URL": QUEUE + "-dead",
    "IMAGE_LABELS_WAITING_QUEUE_URL": QUEUE + "-waiting",
    "IMAGE_LABELS_BUCKET": "x-bucket",
    "IMAGE_LABELS_REGION": "eu-west-1",
}
WHOLE = Deployment("x-images", "x-labels", QUEUE, QUEUE + "-dead", "x-bucket", "eu-west-1", QUEUE + "-waiting")
ALL = ("images_table", "labels_table", "queue_url", "dead_letter_queue_url", "bucket")

Terraform = Callable[..., None]


@pytest.fixture
def terraform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terraform:
    """A function that puts a `terraform` on the PATH, which prints the given outputs or fails with the given error."""
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)

    def make(outputs: dict[str, Any] | None = None, *, error: str = "") -> None:
        answer = json.dumps({name: {"sensitive": False, "value": value} for name, value in (outputs or {}).items()})
        executable = tmp_path / "terraform"
        executable.write_text(
            f"#!{sys.executable}\nimport sys\n"
            "assert sys.argv[1:] == ['output', '-json', '-no-color'], sys.argv\n"
            f"print({answer!r})\nsys.exit({error!r} or 0)\n"
        )
        executable.chmod(0o755)

    return make


@pytest.mark.parametrize(
    "outputs",
    [
        MODULE,
        {"image_labels": MODULE},
        {"image_labels": {"cli_environment": VARIABLES}, "queue_url": "of something else"},
        {"image_labels": MODULE | {"cli_environment": VARIABLES}, "count": 3, "nothing": None},
        {"cli_environment": VARIABLES},
        {"for_the_shell": VARIABLES},
        {"images_table_name": "x-images", "environment": VARIABLES},
    ],
    ids=["passed through", "object", "environment in object", "both", "environment", "other name", "twice the same"],
)
def test_deployment_is_found_in_outputs_of_every_shape(terraform: Terraform, outputs: dict[str, Any]) -> None:
    terraform(outputs)
    assert locate(Deployment(), *ALL) == WHOLE


def test_filter_and_settings_come_from_cli_environment(terraform: Terraform) -> None:
    inputs = {"FILTER_PREFIX": "", "FILTER_SUFFIXES": "*", "MIN_CONFIDENCE": "80", "MAX_LABELS": "10"}
    inputs |= {"REKOGNITION_TPS": "50", "DAILY_IMAGE_LIMIT": "1000"}
    variables = VARIABLES | {f"IMAGE_LABELS_{name}": value for name, value in inputs.items()}
    terraform({"image_labels": MODULE | {"cli_environment": variables}})
    found = locate(Deployment(), *ALL, "filter_suffixes", "min_confidence", "max_labels")
    settings = {"filter_suffixes": "*", "min_confidence": "80", "max_labels": "10"}
    assert found == replace(WHOLE, **settings, rekognition_tps="50", daily_image_limit="1000")


@pytest.mark.parametrize("none", [{}, {"waiting_queue_url": None}, {"waiting_queue_url": ""}])
def test_waiting_queue_is_optional(terraform: Terraform, none: dict[str, Any]) -> None:
    terraform({name: value for name, value in MODULE.items() if name != "waiting_queue_url"} | none)
    assert locate(Deployment(), *ALL) == replace(WHOLE, waiting_queue_url="")


def test_flags_and_environment_override_terraform(terraform: Terraform) -> None:
    terraform(MODULE)
    assert locate(Deployment(labels_table="mine"), *ALL).labels_table == "mine"


def test_terraform_does_not_run_if_nothing_is_missing(terraform: Terraform) -> None:
    terraform(error="asked")
    given = Deployment(images_table="mine")
    assert locate(given, "images_table") == given


def test_flags_override_the_environment(terraform: Terraform, monkeypatch: pytest.MonkeyPatch) -> None:
    deployments = []

    def make_aws(deployment: Deployment) -> Any:
        deployments.append(deployment)
        return SimpleNamespace(dynamodb=SimpleNamespace(get_item=lambda **_: {}))

    monkeypatch.setenv("IMAGE_LABELS_IMAGES_TABLE", "of the environment")
    monkeypatch.setenv("IMAGE_LABELS_LABELS_TABLE", "of the environment")
    for arguments in (
        ["--images-table", "of the flag", "show", "--", "--region"],
        ["show", "x", "--images-table", "of the flag"],
        ["show", "--images-table=of the flag", "x"],
    ):
        result = run(*arguments, make_aws=make_aws)
        assert result.exit_code == 1
        assert "image-labels --images-table 'of the flag' status" in result.stderr
        deployment = deployments.pop()
        assert (deployment.images_table, deployment.labels_table) == ("of the flag", "of the environment")


def test_outputs_of_two_deployments_are_an_error(terraform: Terraform) -> None:
    terraform({"ours": MODULE, "theirs": MODULE | {"images_table_name": "y-images"}})
    with pytest.raises(DeploymentError, match=r"ours, theirs"):
        locate(Deployment(), "images_table")


@pytest.mark.parametrize(
    ("outputs", "error", "words"),
    [
        ({}, "", "has no outputs in this directory"),
        ({"bucket_name": "of something else"}, "", "do not have it"),
        (None, "Error: Backend initialization required", "Backend initialization required"),
    ],
)
def test_error_lists_all_ways_to_set_a_value(
    terraform: Terraform, outputs: dict[str, Any] | None, error: str, words: str
) -> None:
    terraform(outputs, error=error)
    result = run("show", "images/dog.jpg")
    assert result.exit_code == 2
    assert words in result.stderr
    for way in ("--images-table image-labels-images", "export IMAGE_LABELS_IMAGES_TABLE=", "module.image_labels"):
        assert way in result.stderr


def test_missing_terraform_is_an_error(terraform: Terraform) -> None:
    with pytest.raises(DeploymentError, match="not on the PATH"):
        locate(Deployment(), "queue_url")


def test_output_that_is_not_json_is_an_error(terraform: Terraform, tmp_path: Path) -> None:
    terraform()
    (tmp_path / "terraform").write_text(f"#!{sys.executable}\nprint('hello')\n")
    with pytest.raises(DeploymentError, match="did not print the JSON"):
        locate(Deployment(), "queue_url")
