"""Installation of models into a directory.

Beside each model `<name>.onnx` is `<name>.json`, which records its source, its licence and its hash. It is written
last. A model is up to date if this record agrees with the catalog, with the conversion's code, and with the model. So
an interrupted installation continues where it stopped, and a model is converted again after a change of its source.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

from image_labels_emulator.models import archives
from image_labels_emulator.models.catalog import Model, Package
from image_labels_emulator.models.directory import file_of

Fetch = Callable[[Package, Path], Path]


def is_current(model: Model, where: Path) -> bool:
    """Whether the model is installed, undamaged, and made from the source of the catalog by the present code."""
    try:
        record = json.loads(_record_of(model, where).read_text())
        with file_of(model.name, where).open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    except (OSError, ValueError):
        return False
    return bool(record == _record(model, sha256))


def install(model: Model, where: Path, fetch: Fetch) -> None:
    """Fetch, convert and write a model. Raises FetchError, ArchiveError, ConversionError or OSError."""
    with tempfile.TemporaryDirectory(prefix="image-labels-models-") as name:
        archive = fetch(model.package, Path(name))
        files = archives.read_files(archive, model.package.sha256, model.files)
    content = model.convert(files).SerializeToString(deterministic=True)
    record = _record(model, hashlib.sha256(content).hexdigest())
    _write(file_of(model.name, where), content)
    _write(_record_of(model, where), (json.dumps(record, indent=2) + "\n").encode())


@contextmanager
def alone(where: Path) -> Iterator[None]:
    """Make the directory, and wait until no other process installs into it."""
    where.mkdir(parents=True, exist_ok=True)
    with (where / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _record(model: Model, sha256: str) -> dict[str, Any]:
    return {
        "name": model.name,
        "title": model.title,
        "licence": model.licence,
        "registry": str(model.package.registry),
        "package": model.package.name,
        "version": model.package.version,
        "package_sha256": model.package.sha256,
        "files": dict(model.files),
        "conversion": _conversion(),
        "sha256": sha256,
    }


def _conversion() -> str:
    """Identifies the code of the conversions."""
    code = hashlib.sha256()
    for file in sorted(resources.files(__package__).joinpath("convert").iterdir(), key=lambda file: file.name):
        if file.name.endswith(".py"):
            code.update(file.read_bytes())
    return code.hexdigest()


def _record_of(model: Model, where: Path) -> Path:
    return where / f"{model.name}.json"


def _write(file: Path, content: bytes) -> None:
    """Write a file at once: a reader, or a run after a crash, finds the old file or the new one."""
    part = file.with_name(file.name + ".part")
    part.write_bytes(content)
    part.replace(file)
