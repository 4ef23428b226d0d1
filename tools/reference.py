"""Write the README's tables of inputs and outputs from the .tf files; `--check` fails if they are stale."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path
from typing import Annotated, Any

import hcl2
import typer

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"


def tables() -> dict[str, str]:
    """The Markdown tables by the names of their markers."""
    inputs = ["| name | default | what it is |", "|---|---|---|"]
    for name, block in _blocks("variables.tf", "variable"):
        inputs.append(f"| `{name}` | {_default(block['default'])} | {_description(block)} |")
    outputs = ["| name | what it is |", "|---|---|"]
    outputs += [f"| `{name}` | {_description(block)} |" for name, block in _blocks("outputs.tf", "output")]
    return {"inputs": "\n".join(inputs), "outputs": "\n".join(outputs)}


def written(readme: str) -> str:
    """The README's text with current tables between its markers."""
    for name, table in tables().items():
        start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        if readme.count(start) != 1 or readme.count(end) != 1:
            raise ValueError(f"README.md must have the lines <!-- {name} --> and <!-- /{name} --> exactly once")
        before, rest = readme.split(start)
        after = rest.split(end)[1]
        readme = f"{before}{start}{table}\n{end}{after}"
    return readme


def _blocks(file: str, kind: str) -> list[tuple[str, dict[str, Any]]]:
    with (ROOT / file).open() as source:
        parsed: dict[str, Any] = hcl2.load(source)
    return [(_text(name), block) for entry in parsed[kind] for name, block in entry.items()]


def _text(value: str) -> str:
    """An HCL string without its quotation marks or heredoc markers."""
    value = value.removeprefix('"').removesuffix('"')
    if heredoc := re.fullmatch(r"<<-EOT\n(.*)\n\s*EOT", value, re.DOTALL):
        return textwrap.dedent(heredoc[1])
    return value.replace('\\"', '"')


def _description(block: dict[str, Any]) -> str:
    """The description as a table cell, with line breaks for paragraphs and list items."""
    text = _text(block["description"]).replace("<", "&lt;")
    text = re.sub(r"\n\n|\n(?=- )", "<br>", text)
    return re.sub(r"\s*\n\s*", " ", text).replace("|", "\\|")


def _default(value: object) -> str:
    def plain(part: object) -> object:
        if isinstance(part, list):
            return [plain(element) for element in part]
        return _text(part) if isinstance(part, str) else part

    return f"`{json.dumps(plain(value))}`"


def main(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if the README is stale.")] = False,
) -> None:
    """Write the README's tables of inputs and outputs."""
    current = README.read_text()
    if (wanted := written(current)) == current:
        typer.echo("README.md: the tables of inputs and outputs are up to date")
    elif check:
        typer.echo("README.md: the tables of inputs and outputs are stale; run `make docs` and commit it", err=True)
        raise typer.Exit(1)
    else:
        README.write_text(wanted)
        typer.echo("README.md: tables of inputs and outputs written")


if __name__ == "__main__":
    typer.run(main)
