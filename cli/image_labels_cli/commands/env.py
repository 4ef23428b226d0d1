"""`image-labels env`: the deployment as environment variables, or as a table of the configuration file."""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated

import typer
from image_labels.search.printable import is_plain

from image_labels_cli import named, output
from image_labels_cli.deployment import variable
from image_labels_cli.invocation import UsageError, shell_word
from image_labels_cli.options import JSON_OPTION


def env(
    ctx: typer.Context,
    toml: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Print a table for the configuration file instead.", show_default=False),
    ] = None,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Print the environment variables of the deployment.

    \b
      eval "$(image-labels env)"              in the directory of Terraform
      image-labels env --toml holiday         a table for the file below
      image-labels --deployment holiday find dog

    Commands then also work in other directories and on machines
    without Terraform. The variables are those of the module's output
    cli_environment. Unknown values are empty.
    """
    if toml is not None and as_json:
        raise UsageError("--toml and --json are two formats: remove one of them")
    if toml is not None and not (toml and is_plain(toml)):
        raise UsageError("the name of a deployment has at least one character, and no control characters")
    deployment = ctx.obj.deployment()
    values = {variable(field.name): getattr(deployment, field.name) for field in fields(deployment)}
    if as_json:
        output.write_json(values)
    elif toml is not None:
        print(named.as_toml(toml, deployment))
        output.note(f"add these lines to {named.file()}")
    else:
        for name, value in values.items():
            print(f"export {name}={shell_word(value)}")
