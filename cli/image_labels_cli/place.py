"""Where the tables, queues and bucket are: by flags, else environment variables, else `terraform output` right here."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

PREFIX = "IMAGE_LABELS_"
# The module's output that has the environment variables.
CLI_ENVIRONMENT = "cli_environment"
# What the other outputs of the module are here; the Region is in any ARN.
OUTPUTS = {
    "images_table_name": "images_table",
    "labels_table_name": "labels_table",
    "queue_url": "queue_url",
    "dead_letter_queue_url": "dead_letter_queue_url",
    "waiting_queue_url": "waiting_queue_url",
    "bucket_name": "bucket",
}
ARN_OUTPUT = "images_table_arn"
# A backend far away may take a while; one that asks for a password would take for ever.
TERRAFORM_SECONDS = 60


class PlaceError(Exception):
    """Nobody says where something is; the message tells how to."""


@dataclass(frozen=True)
class Place:
    """Names and addresses of what the module made; "" is what is not known."""

    images_table: str = ""
    labels_table: str = ""
    queue_url: str = ""
    dead_letter_queue_url: str = ""
    bucket: str = ""
    region: str = ""
    waiting_queue_url: str = ""

    def or_else(self, other: Place) -> Place:
        """This place, and what is not known of it from the other."""
        return Place(**{f.name: getattr(self, f.name) or getattr(other, f.name) for f in fields(self)})

    def lacks(self, needed: tuple[str, ...]) -> list[str]:
        """The names among `needed` of what is not known."""
        return [name for name in needed if not getattr(self, name)]


def variable(name: str) -> str:
    """The environment variable for a field of Place."""
    return PREFIX + name.upper()


def flag(name: str) -> str:
    """The flag for a field of Place."""
    return "--" + name.replace("_", "-")


def locate(given: Place, *needed: str) -> Place:
    """`given` (flags and environment), completed by `terraform output` if it lacks something that is needed.

    Raises PlaceError if that does not help.
    """
    if not given.lacks(needed):
        return given
    try:
        found = _in_outputs(_terraform_outputs())
    except PlaceError as error:
        raise PlaceError(_help(given.lacks(needed), str(error))) from None
    place = given.or_else(found)
    if lacking := place.lacks(needed):
        raise PlaceError(_help(lacking, "the outputs of the Terraform configuration in this directory do not have it"))
    return place


def _terraform_outputs() -> dict[str, Any]:
    executable = shutil.which("terraform")
    if executable is None:
        raise PlaceError("there is no terraform on the PATH to ask")
    try:
        done = subprocess.run(  # noqa: S603 - the user's own Terraform
            [executable, "output", "-json", "-no-color"],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=TERRAFORM_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise PlaceError(f"`terraform output` did not answer within {TERRAFORM_SECONDS} s") from None
    if done.returncode != 0:
        said = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise PlaceError(f"`terraform output` failed in this directory: {said}")
    try:
        outputs: dict[str, dict[str, Any]] = json.loads(done.stdout)
        values = {name: output["value"] for name, output in outputs.items()}
    except (ValueError, AttributeError, TypeError, KeyError):
        raise PlaceError("`terraform output -json` did not print the JSON that Terraform prints") from None
    if not values:
        raise PlaceError("`terraform output` has no outputs in this directory: is it the one you apply in?")
    return values


def _in_outputs(outputs: Mapping[str, Any]) -> Place:
    """The place that a root's outputs tell: they are the module's own, or one of them is an object of these."""
    places = {name: _in_object(values) for name, values in _objects(outputs)}
    # A root may well have a bucket_name or a queue_url that is none of this module's.
    places = {name: place for name, place in places.items() if place.images_table}
    found = Place()
    for place in places.values():
        found = found.or_else(place)
        if found != place.or_else(found):
            raise PlaceError(
                f"several outputs look like this module's ({', '.join(name or 'the root' for name in places)}), "
                "and it is not clear which you mean"
            )
    return found


def _objects(outputs: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield "", outputs
    for name, value in outputs.items():
        # That of the root's own is looked into together with the root.
        if isinstance(value, Mapping) and name != CLI_ENVIRONMENT:
            yield name, value


def _in_object(values: Mapping[str, Any]) -> Place:
    """By environment variables, as a map of its own or under their output, and by the names of the other outputs."""
    named = {field: _text(values.get(output)) for output, field in OUTPUTS.items()}
    place = _in_variables(values)
    if isinstance(variables := values.get(CLI_ENVIRONMENT), Mapping):
        place = place.or_else(_in_variables(variables))
    place = place.or_else(Place(**named))
    # arn:aws:dynamodb:eu-west-1:111122223333:table/image-labels-images
    arn = _text(values.get(ARN_OUTPUT)).split(":")
    return replace(place, region=arn[3]) if not place.region and len(arn) > 3 else place


def _in_variables(values: Mapping[str, Any]) -> Place:
    return Place(**{f.name: _text(values.get(variable(f.name))) for f in fields(Place)})


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _help(lacking: list[str], why: str) -> str:
    name = lacking[0]
    queue = {"queue_url": "photos", "dead_letter_queue_url": "dead-letters"}.get(name)
    value = (
        f"https://sqs.eu-west-1.amazonaws.com/111122223333/image-labels-{queue}"
        if queue
        else f"image-labels-{name.removesuffix('_table')}"
    )
    return (
        f"not known: {', '.join(each.replace('_', ' ') for each in lacking)}. There are three ways to say it:\n"
        f"  a flag:           {flag(name)} {value}\n"
        f"  the environment:  export {variable(name)}={value}\n"
        "  Terraform:        cd to where the module is applied by a configuration that has its outputs, for instance\n"
        '                    output "image_labels" { value = module.image_labels }\n'
        f"They are tried in this order; {why}"
    )
