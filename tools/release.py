"""`make release TAG=v1.2.3`: whether a tag can be released, and the files that its release gets.

They are the zip, its SHA-256 in the form that `sha256sum --check` reads, and the changelog's section as notes. GitHub's
workflow publishes them; nothing here does.
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
    """The tag cannot be released; the message says what to do about it."""


def check(tag: str, root: Path = ROOT) -> str:
    """The notes of the release. Raises ReleaseError if the repository says something else than the tag."""
    version = tag.removeprefix("v")
    if not re.fullmatch(r"v\d+\.\d+\.\d+", tag):
        raise ReleaseError(f"{tag} is no tag of a release: v1.2.3 is one")
    if (here := tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]) != version:
        raise ReleaseError(f"pyproject.toml says version {here}, the tag {tag}")
    if others := set(re.findall(r"\?ref=(v[\w.-]+)", (root / "README.md").read_text())) - {tag}:
        raise ReleaseError(f"README.md has people use {', '.join(sorted(others))}: make it {tag}")
    return notes((root / "CHANGELOG.md").read_text(), version)


def notes(changelog: str, version: str) -> str:
    """The changelog's section about a version, without its heading. Raises ReleaseError if there is none."""
    heading = rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$"
    if not (found := re.search(rf"{heading}\n(.*?)(?=^## |^\[[^\]]+\]: |\Z)", changelog, re.MULTILINE | re.DOTALL)):
        raise ReleaseError(f"CHANGELOG.md has no heading `## [{version}] - YYYY-MM-DD`")
    if not (text := found[1].strip()):
        raise ReleaseError(f"CHANGELOG.md has nothing to say of {version}")
    return f"{text}\n"


def write(directory: Path, content: bytes, text: str) -> None:
    """Write the files of a release: the zip of this content, its SHA-256 and the notes."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "lambda.zip").write_bytes(content)
    (directory / "lambda.zip.sha256").write_text(f"{hashlib.sha256(content).hexdigest()}  lambda.zip\n")
    (directory / "notes.md").write_text(text)


def main(
    tag: Annotated[str, typer.Argument(help="The tag, such as v1.2.3.")],
    directory: Annotated[Path, typer.Option(help="Where the files go.")] = ROOT / ".local" / "release",
) -> None:
    """Check that a tag can be released and write its files."""
    content = package.build()
    try:
        if content != package.ZIP.read_bytes():
            raise ReleaseError("dist/lambda.zip is not what lambda_src gives: make package")
        write(directory, content, check(tag))
    except ReleaseError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{tag} can be released; its files are in {directory}")


if __name__ == "__main__":
    typer.run(main)
