"""Build dist/lambda.zip: our code and nothing else, byte for byte the same on every machine.

The zip is committed, so that a consumer of the Terraform module needs neither Python nor a build step; `--check`
fails if it is not what the sources give.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Annotated

import typer

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "lambda_src"
ZIP = ROOT / "dist" / "lambda.zip"

# The zip format's first day. Entries are stored, not compressed: what a compressor writes depends on its version.
EPOCH = (1980, 1, 1, 0, 0, 0)
MODE = 0o644 << 16
# For the command and its page; the function searches nothing.
SEARCH = "image_labels/search/"


def build(sources: Path = SOURCES) -> bytes:
    """The bytes of the zip: every Python file under `sources` but those of SEARCH, in the order of their names."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        files = {path.relative_to(sources).as_posix(): path for path in sources.rglob("*.py")}
        for name in sorted(name for name in files if not name.startswith(SEARCH)):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.create_system = 3  # Unix, whichever system builds it
            entry.external_attr = MODE
            # A checkout on Windows may have other line ends.
            archive.writestr(entry, files[name].read_bytes().replace(b"\r\n", b"\n"))
    return content.getvalue()


def main(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if the zip is stale.")] = False,
) -> None:
    """Build dist/lambda.zip from lambda_src/."""
    built = build()
    current = ZIP.read_bytes() if ZIP.exists() else None
    name = ZIP.relative_to(ROOT)
    if check:
        if built != current:
            typer.echo(f"{name} is stale: lambda_src/ has changed since. Run `make package` and commit it.", err=True)
            raise typer.Exit(1)
        typer.echo(f"{name} is what lambda_src/ gives ({len(built)} bytes)")
        return
    ZIP.parent.mkdir(exist_ok=True)
    ZIP.write_bytes(built)
    typer.echo(f"{name}: {len(built)} bytes{'' if built != current else ', unchanged'}")


if __name__ == "__main__":
    typer.run(main)
