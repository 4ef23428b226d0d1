"""Named deployments: the tables `[deployments.NAME]` of the configuration file.

[deployments.holiday]
images_table = "holiday-photos-images"
labels_table = "holiday-photos-labels"
region = "eu-west-1"

A table has the values of the environment variables, under the names of the fields of Deployment. `image-labels env
--toml NAME` prints one. The file is in the platform's directory for a user's configuration.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

import typer
from image_labels.search.printable import visible

from image_labels_cli.deployment import Deployment, DeploymentError

_TABLE = "deployments"
_NAMES = frozenset(field.name for field in fields(Deployment))
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def file() -> Path:
    """The configuration file: ~/.config/image-labels/config.toml on Linux, which need not exist."""
    return Path(typer.get_app_dir("image-labels")) / "config.toml"


@dataclass(frozen=True)
class NamedDeployment:
    """A deployment of the configuration file."""

    name: str

    def read(self) -> Deployment:
        """Raises DeploymentError if the file does not have the deployment, or not in the expected form."""
        found = deployments()
        if self.name not in found:
            known = f"it has {', '.join(map(visible, sorted(found)))}" if found else "it has none"
            raise DeploymentError(
                f"{file()} has no deployment {visible(self.name)}: {known}\n"
                f"`image-labels env --toml NAME` prints what to add to it"
            )
        return found[self.name]

    def lacks(self, missing: str) -> str:
        """The reason why a value is missing."""
        return f"the deployment {visible(self.name)} of {file()} does not have {missing}"


def deployments() -> dict[str, Deployment]:
    """The deployments of the file by name. Empty if there is no file. Raises DeploymentError if it is malformed."""
    path = file()
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise DeploymentError(f"{path} cannot be read: {error}") from None
    tables = content.get(_TABLE, {})
    if not isinstance(tables, dict):
        raise DeploymentError(f"{path}: {_TABLE} is not a table: write [{_TABLE}.NAME]")
    return {name: _deployment(name, table, path) for name, table in tables.items()}


def _deployment(name: str, table: object, path: Path) -> Deployment:
    where = f"{path}: [{_TABLE}.{visible(name)}]"
    if not isinstance(table, dict):
        raise DeploymentError(f"{where} is not a table")
    if unknown := sorted(table.keys() - _NAMES):
        raise DeploymentError(
            f"{where} has the unknown name {visible(unknown[0])}: the names are {', '.join(sorted(_NAMES))}"
        )
    values = {}
    for key, value in table.items():
        # A boolean is an int.
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise DeploymentError(f"{where}: {key} is neither a text nor a number")
        values[key] = str(value)
    return Deployment(**values)


def as_toml(name: str, deployment: Deployment) -> str:
    """The table of the file for a deployment, without its unknown values."""
    key = name if _BARE_KEY.fullmatch(name) else _quoted(name)
    lines = [f"[{_TABLE}.{key}]"]
    lines += [f"{f.name} = {_quoted(value)}" for f in fields(deployment) if (value := getattr(deployment, f.name))]
    return "\n".join(lines)


def _quoted(text: str) -> str:
    """A basic string of TOML, which has JSON's escapes, except that it also requires one for the character DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
