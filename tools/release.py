"""`make release TAG=v1.2.3`: checks that a tag can be released, and writes the files of the release.

The files are the zip, its SHA-256 for `sha256sum --check`, and the changelog's section as release notes. The GitHub
workflow publishes them.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path
from typing import Annotated

import typer

from tools import package

ROOT = Path(__file__).resolve().parents[1]


class ReleaseError(Exception):
    """The tag cannot be released; the message tells the user what to do."""


def check(tag: str, root: Path = ROOT) -> str:
    """The release notes. Raises ReleaseError if the repository does not match the tag."""
    version = tag.removeprefix("v")
    if not re.fullmatch(r"v\d+\.\d+\.\d+", tag):
        raise ReleaseError(f"{tag} is not a release tag such as v1.2.3")
    for file in ("pyproject.toml", "emulator/pyproject.toml"):
        if (here := tomllib.loads((root / file).read_text())["project"]["version"]) != version:
            raise ReleaseError(f"{file} has the version {here}, which does not match the tag {tag}")
    if others := set(re.findall(r"\?ref=(v[\w.-]+)", (root / "README.md").read_text())) - {tag}:
        raise ReleaseError(f"README.md has ?ref={', '.join(sorted(others))}: change it to {tag}")
    return notes((root / "CHANGELOG.md").read_text(), version)


def notes(changelog: str, version: str) -> str:
    """The changelog's section for a version, without its heading. Raises ReleaseError if it is missing or empty."""
    heading = rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$"
    if not (found := re.search(rf"{heading}\n(.*?)(?=^## |^\[[^\]]+\]: |\Z)", changelog, re.MULTILINE | re.DOTALL)):
        raise ReleaseError(f"CHANGELOG.md has no heading `## [{version}] - YYYY-MM-DD`")
    if not (text := found[1].strip()):
        raise ReleaseError(f"CHANGELOG.md has an empty section for {version}")
    return f"{text}\n"


def write(directory: Path, content: bytes, text: str) -> None:
    """Write the files of a release: the zip, its SHA-256 and the notes."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "lambda.zip").write_bytes(content)
    (directory / "lambda.zip.sha256").write_text(f"{hashlib.sha256(content).hexdigest()}  lambda.zip\n")
    (directory / "notes.md").write_text(text)


def main(
    tag: Annotated[str, typer.Argument(help="The tag, such as v1.2.3.")],
    directory: Annotated[Path, typer.Option(help="Directory for the files.")] = ROOT / ".local" / "release",
) -> None:
    """Check that a tag can be released and write its files."""
    content = package.build()
    try:
        if content != package.ZIP.read_bytes():
            raise ReleaseError("dist/lambda.zip differs from lambda_src/: run `make package`")
        write(directory, content, check(tag))
    except ReleaseError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{tag} can be released; its files are in {directory}")


if __name__ == "__main__":
    typer.run(main)
