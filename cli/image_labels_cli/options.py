"""Options that several commands have."""

from __future__ import annotations

import typer

JSON_OPTION = typer.Option("--json", help="Print JSON for programs. Member names are stable.")
