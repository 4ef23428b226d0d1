"""Build the zips of the functions, of the module and of its examples: our code only, and reproducible byte for byte.

The zips are committed, so that users of the Terraform module need neither Python nor a build step. `--check` fails if
one differs from its sources.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Annotated

import typer

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "lambda_src"
ZIP = ROOT / "dist/lambda.zip"
# The zips by the directories of their sources.
ZIPS = {
    SOURCES: ZIP,
    ROOT / "examples/stream-consumer/consumer/src": ROOT / "examples/stream-consumer/consumer/function.zip",
}

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
    """Build dist/lambda.zip from lambda_src/, and the zips of the examples."""
    for sources, zip_ in ZIPS.items():
        update(zip_, sources, check=check)


def update(zip_: Path, sources: Path = SOURCES, *, check: bool) -> None:
    """Write the zip; or, with `check`, raise typer.Exit if it is stale."""
    built = build(sources)
    current = zip_.read_bytes() if zip_.exists() else None
    name, origin = (path.relative_to(ROOT) if path.is_relative_to(ROOT) else path for path in (zip_, sources))
    if check:
        if built != current:
            typer.echo(f"{name} differs from {origin}/. Run `make package` and commit the zip.", err=True)
            raise typer.Exit(1)
        typer.echo(f"{name} matches {origin}/ ({len(built)} bytes)")
        return
    zip_.parent.mkdir(exist_ok=True)
    zip_.write_bytes(built)
    typer.echo(f"{name}: {len(built)} bytes{'' if built != current else ', unchanged'}")


if __name__ == "__main__":
    typer.run(main)
