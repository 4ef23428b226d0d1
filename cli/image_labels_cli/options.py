"""Options that several commands have, and the base class of the commands."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperCommand

JSON_OPTION = typer.Option("--json", help="Print JSON for programs. Member names are stable.")


class Command(TyperCommand):
    """A command whose help shows flags without a type."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters, with --help."""
        return without_flag_types(super().get_params(ctx))


def without_flag_types(params: list[Any]) -> list[Any]:
    """Sets an empty metavar on flags. Typer's default is "<bool>", although a flag takes no value."""
    for param in params:
        if getattr(param, "is_flag", False):
            param.metavar = ""
    return params
