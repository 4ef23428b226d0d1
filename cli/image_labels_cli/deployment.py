"""The deployment that a command works on: from flags, else environment variables, else `terraform output`.

A Source has the values that neither flags nor environment variables have: the outputs of Terraform, or a named
deployment of the configuration file (image_labels_cli.named).
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Protocol

from image_labels.search.printable import visible

PREFIX = "IMAGE_LABELS_"
# Values of the help on a missing one; the other fields are names of resources.
_EXAMPLES = {
    "filter_suffixes": ".jpg,.png",
    "min_confidence": "80",
    "max_labels": "10",
    "batch_function_arn": "arn:aws:lambda:eu-west-1:111122223333:function:image-labels-batch",
    "batch_role_arn": "arn:aws:iam::111122223333:role/image-labels-batch-20260101",
    "batch_tps": "40",
    "faces_settings": "attributes=+max=20+collection=image-labels-faces+quality=AUTO",
}
# The module's output that has the environment variables.
CLI_ENVIRONMENT = "cli_environment"
# The module's other outputs, with the field of Deployment for each. The Region is in the ARN.
OUTPUTS = {
    "images_table_name": "images_table",
    "labels_table_name": "labels_table",
    "queue_url": "queue_url",
    "dead_letter_queue_url": "dead_letter_queue_url",
    "waiting_queue_url": "waiting_queue_url",
    "bucket_name": "bucket",
}
ARN_OUTPUT = "images_table_arn"
# Enough for a slow remote backend. A backend that prompts for a password would never return.
TERRAFORM_SECONDS = 60


class DeploymentError(Exception):
    """A name or URL is missing. The message lists the ways to set it."""


@dataclass(frozen=True)
class Deployment:
    """Names and URLs of the resources of one copy of the module, and inputs of it. An unknown value is "".

    The empty `filter_prefix` is a value, too: it matches every key.
    """

    images_table: str = ""
    labels_table: str = ""
    queue_url: str = ""
    dead_letter_queue_url: str = ""
    bucket: str = ""
    region: str = ""
    waiting_queue_url: str = ""
    # The module's inputs that decide which objects it labels, and how: see image_labels_cli.inventory.
    filter_prefix: str = ""
    filter_suffixes: str = ""
    min_confidence: str = ""
    max_labels: str = ""
    rekognition_tps: str = ""
    daily_image_limit: str = ""
    label_policy_id: str = ""
    unwanted_id: str = ""
    moderation_min_confidence: str = ""
    # Of the detectors that are switched on.
    text_min_confidence: str = ""
    faces_settings: str = ""
    # With enable_batch_operations: see image_labels_cli.batch_operations.
    batch_function_arn: str = ""
    batch_role_arn: str = ""
    batch_tps: str = ""

    def with_defaults(self, other: Deployment) -> Deployment:
        """A copy that takes the unknown values from `other`."""
        return Deployment(**{f.name: getattr(self, f.name) or getattr(other, f.name) for f in fields(self)})

    def missing(self, needed: tuple[str, ...]) -> list[str]:
        return [name for name in needed if not getattr(self, name)]


def variable(name: str) -> str:
    """The environment variable for a field of Deployment."""
    return PREFIX + name.upper()


def flag(name: str) -> str:
    """The flag for a field of Deployment."""
    return "--" + name.replace("_", "-")


class Source(Protocol):
    """Where the values come from that are neither flags nor environment variables."""

    def read(self) -> Deployment:
        """Raises DeploymentError."""

    def lacks(self, missing: str) -> str:
        """The error if these values are missing in it."""


@dataclass(frozen=True)
class TerraformOutputs:
    """The outputs of the Terraform configuration in `directory`, or in the current directory."""

    directory: Path | None = None

    def read(self) -> Deployment:
        if self.directory is None:
            return _from_outputs(_terraform_outputs(None))
        if not self.directory.is_dir():
            raise DeploymentError(f"--terraform-dir {visible(str(self.directory))} is not a directory")
        return _from_outputs(_terraform_outputs(self.directory))

    def lacks(self, missing: str) -> str:
        if self.directory is None:
            return "the outputs of the Terraform configuration here do not have it"
        return f"the outputs of the Terraform configuration in {visible(str(self.directory))} do not have {missing}"


def locate(given: Deployment, *needed: str, source: Source | None = None) -> Deployment:
    """`given` (flags and environment). If a needed value is missing, the source supplies it.

    Without a source, it is `terraform output` in the current directory. Raises DeploymentError if a needed value is
    still missing.
    """
    if not given.missing(needed):
        return given
    try:
        found = (source or TerraformOutputs()).read()
    except DeploymentError as error:
        raise DeploymentError(str(error) if source else _help(given.missing(needed), str(error))) from None
    deployment = given.with_defaults(found)
    if missing := deployment.missing(needed):
        words = ", ".join(each.replace("_", " ") for each in missing)
        raise DeploymentError(source.lacks(words) if source else _help(missing, TerraformOutputs().lacks(words)))
    return deployment


def _terraform_outputs(directory: Path | None) -> dict[str, Any]:
    executable = shutil.which("terraform")
    if executable is None:
        raise DeploymentError("terraform is not on the PATH")
    where = "this directory" if directory is None else visible(str(directory))
    try:
        done = subprocess.run(  # noqa: S603 - the user's own Terraform
            [executable, *([] if directory is None else [f"-chdir={directory}"]), "output", "-json", "-no-color"],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=TERRAFORM_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise DeploymentError(f"`terraform output` did not answer within {TERRAFORM_SECONDS} s") from None
    if done.returncode != 0:
        message = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise DeploymentError(f"`terraform output` failed in {where}: {message}")
    try:
        outputs: dict[str, dict[str, Any]] = json.loads(done.stdout)
        values = {name: output["value"] for name, output in outputs.items()}
    except (ValueError, AttributeError, TypeError, KeyError):
        raise DeploymentError("`terraform output -json` did not print the JSON of Terraform's outputs") from None
    if not values:
        raise DeploymentError(
            f"`terraform output` has no outputs in {where}: run the command where you run `terraform apply`"
        )
    return values


def _from_outputs(outputs: Mapping[str, Any]) -> Deployment:
    """The deployment that a root module's outputs name: as single outputs, or as an output that is an object."""
    candidates = {name: _from_object(values) for name, values in _objects(outputs)}
    # A root module may have an unrelated bucket_name or queue_url.
    candidates = {name: deployment for name, deployment in candidates.items() if deployment.images_table}
    found = Deployment()
    for deployment in candidates.values():
        found = found.with_defaults(deployment)
        if found != deployment.with_defaults(found):
            names = ", ".join(name or "the root module" for name in candidates)
            raise DeploymentError(f"several outputs name a deployment of this module, and they differ: {names}")
    return found


def _objects(outputs: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield "", outputs
    for name, value in outputs.items():
        # _from_object reads the root module's own cli_environment.
        if isinstance(value, Mapping) and name != CLI_ENVIRONMENT:
            yield name, value


def _from_object(values: Mapping[str, Any]) -> Deployment:
    """From environment variables (in the map itself or in its cli_environment), then from the other outputs' names."""
    named = {field: _text(values.get(output)) for output, field in OUTPUTS.items()}
    deployment = _from_variables(values)
    if isinstance(variables := values.get(CLI_ENVIRONMENT), Mapping):
        deployment = deployment.with_defaults(_from_variables(variables))
    deployment = deployment.with_defaults(Deployment(**named))
    # arn:aws:dynamodb:eu-west-1:111122223333:table/image-labels-images
    arn = _text(values.get(ARN_OUTPUT)).split(":")
    return replace(deployment, region=arn[3]) if not deployment.region and len(arn) > 3 else deployment


def _from_variables(values: Mapping[str, Any]) -> Deployment:
    return Deployment(**{f.name: _text(values.get(variable(f.name))) for f in fields(Deployment)})


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _help(missing: list[str], reason: str) -> str:
    name = missing[0]
    queue = {"queue_url": "photos", "dead_letter_queue_url": "dead-letters"}.get(name)
    value = (
        f"https://sqs.eu-west-1.amazonaws.com/111122223333/image-labels-{queue}"
        if queue
        else _EXAMPLES.get(name, f"image-labels-{name.removesuffix('_table')}")
    )
    return (
        f"missing: {', '.join(each.replace('_', ' ') for each in missing)}. There are four ways to set a value:\n"
        f"  flag:         {flag(name)} {value}\n"
        f"  environment:  export {variable(name)}={value}\n"
        "  file:         --deployment NAME of the configuration file: see image-labels env --help\n"
        "  Terraform:    run the command in the directory of a configuration with the module's outputs, for example\n"
        '                output "image_labels" { value = module.image_labels }\n'
        f"The command tries them in this order. No value from Terraform: {reason}"
    )
