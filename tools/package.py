"""Build dist/lambda.zip: our code only, and reproducible byte for byte.

The zip is committed, so that users of the Terraform module need neither Python nor a build step. `--check` fails if it
differs from the sources.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Annotated

import typer

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "lambda_src"
NAME = "dist/lambda.zip"
ZIP = ROOT / NAME

# The earliest date of the zip format. Entries are not compressed, because compressors' output varies by version.
EPOCH = (1980, 1, 1, 0, 0, 0)
MODE = 0o644 << 16
# Only the command and its web page search.
SEARCH = "image_labels/search/"


def build(sources: Path = SOURCES) -> bytes:
    """The bytes of the zip: all Python files under `sources`, except SEARCH, sorted by name."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        files = {path.relative_to(sources).as_posix(): path for path in sources.rglob("*.py")}
        for name in sorted(name for name in files if not name.startswith(SEARCH)):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.create_system = 3  # Unix, on every system
            entry.external_attr = MODE
            # A checkout on Windows may have other line endings.
            archive.writestr(entry, files[name].read_bytes().replace(b"\r\n", b"\n"))
    return content.getvalue()


def main(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if the zip is stale.")] = False,
) -> None:
    """Build dist/lambda.zip from lambda_src/."""
    update(ZIP, check=check)


def update(zip_: Path, *, check: bool) -> None:
    """Write the zip; or, with `check`, raise typer.Exit if it is stale."""
    built = build()
    current = zip_.read_bytes() if zip_.exists() else None
    if check:
        if built != current:
            typer.echo(f"{NAME} differs from lambda_src/. Run `make package` and commit the zip.", err=True)
            raise typer.Exit(1)
        typer.echo(f"{NAME} matches lambda_src/ ({len(built)} bytes)")
        return
    zip_.parent.mkdir(exist_ok=True)
    zip_.write_bytes(built)
    typer.echo(f"{NAME}: {len(built)} bytes{'' if built != current else ', unchanged'}")


if __name__ == "__main__":
    typer.run(main)
