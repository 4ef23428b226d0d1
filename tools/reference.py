"""Write the documentation's tables of inputs and outputs from the .tf files; `--check` fails if they are stale."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path
from typing import Annotated, Any

import hcl2
import typer

ROOT = Path(__file__).resolve().parents[1]
# The pages, and the markers of the tables in them.
PAGES = {ROOT / "README.md": "inputs", ROOT / "docs" / "usage.md": "outputs"}


def tables() -> dict[str, str]:
    """The Markdown tables by the names of their markers."""
    inputs = ["| name | default | what it is |", "|---|---|---|"]
    for name, block in _blocks("variables.tf", "variable"):
        inputs.append(f"| `{name}` | {_default(block['default'])} | {_description(block)} |")
    outputs = ["| name | what it is |", "|---|---|"]
    outputs += [f"| `{name}` | {_description(block)} |" for name, block in _blocks("outputs.tf", "output")]
    return {"inputs": "\n".join(inputs), "outputs": "\n".join(outputs)}


def written(page: Path) -> str:
    """The text of a page with the current table between its markers."""
    text, name = page.read_text(), PAGES[page]
    start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    if text.count(start) != 1 or text.count(end) != 1:
        raise ValueError(f"{page.name} must have the lines <!-- {name} --> and <!-- /{name} --> exactly once")
    before, rest = text.split(start)
    return f"{before}{start}{tables()[name]}\n{end}{rest.split(end)[1]}"


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
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if a table is stale.")] = False,
) -> None:
    """Write the documentation's tables of inputs and outputs."""
    stale = {page: text for page in PAGES if (text := written(page)) != page.read_text()}
    for page in PAGES:
        where = f"{page.relative_to(ROOT)}: table of {PAGES[page]}"
        if page not in stale:
            typer.echo(f"{where} is up to date")
        elif check:
            typer.echo(f"{where} is stale; run `make docs` and commit it", err=True)
        else:
            page.write_text(stale[page])
            typer.echo(f"{where} written")
    if check and stale:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
