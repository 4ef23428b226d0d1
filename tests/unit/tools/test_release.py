"""A release requires that tag, version, README and changelog agree."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.release import ROOT, ReleaseError, check, notes, write

CHANGELOG = """\
# Changelog

## [Unreleased]

### Added

- Not yet.

## [1.2.0] - 2026-11-25

### Fixed

- A photo.

## [1.1.0] - 2026-10-01

### Added

- All of it.

[1.1.0]: somewhere
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "emulator").mkdir()
    for directory in (tmp_path, tmp_path / "emulator"):
        (directory / "pyproject.toml").write_text('[project]\nversion = "1.2.0"\n')
    (tmp_path / "README.md").write_text('source = "git::https://example.com/m.git?ref=v1.2.0" # yours\n')
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    return tmp_path


def test_notes_are_the_changelogs_section(root: Path) -> None:
    assert check("v1.2.0", root) == "### Fixed\n\n- A photo.\n"
    assert notes(CHANGELOG, "1.1.0") == "### Added\n\n- All of it.\n"


@pytest.mark.parametrize("tag", ["1.2.0", "v1.2", "v1.2.0-rc1", "v1.2.0\n"])
def test_tag_of_another_form_is_refused(root: Path, tag: str) -> None:
    with pytest.raises(ReleaseError, match="is not a release tag"):
        check(tag, root)


def test_tag_of_another_version_is_refused(root: Path) -> None:
    with pytest.raises(ReleaseError, match=r"pyproject\.toml has the version 1\.2\.0"):
        check("v1.1.0", root)


def test_emulator_of_another_version_is_refused(root: Path) -> None:
    (root / "emulator" / "pyproject.toml").write_text('[project]\nversion = "1.1.0"\n')
    with pytest.raises(ReleaseError, match=r"emulator/pyproject\.toml has the version 1\.1\.0"):
        check("v1.2.0", root)


def test_readme_with_an_older_tag_is_refused(root: Path) -> None:
    (root / "README.md").write_text('source = "git::https://example.com/m.git?ref=v1.1.0"\n')
    with pytest.raises(ReleaseError, match=r"ref=v1\.1\.0: change it to v1\.2\.0"):
        check("v1.2.0", root)


@pytest.mark.parametrize(
    "heading", ["## [Unreleased]", "## [1.2.0]", "## [1.2.00] - 2026-11-25", "## 1.2.0 - 2026-11-25"]
)
def test_changelog_without_the_version_and_its_date_is_refused(root: Path, heading: str) -> None:
    (root / "CHANGELOG.md").write_text(CHANGELOG.replace("## [1.2.0] - 2026-11-25", heading))
    with pytest.raises(ReleaseError, match="no heading"):
        check("v1.2.0", root)


def test_changelog_with_an_empty_section_is_refused() -> None:
    with pytest.raises(ReleaseError, match="empty section"):
        notes("## [1.2.0] - 2026-11-25\n\n## [1.1.0] - 2026-10-01\n\n- All.\n", "1.2.0")


def test_changelog_of_the_repository_is_valid() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert notes(changelog.replace("## [Unreleased]", "## [9.9.9] - 2026-11-25"), "9.9.9")


def test_checksum_file_is_written_beside_the_zip(tmp_path: Path) -> None:
    """The format of `sha256sum --check`: two spaces, and no path."""
    write(tmp_path / "release", b"abc", "notes\n")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-4's example
    assert (tmp_path / "release" / "lambda.zip.sha256").read_text() == f"{known}  lambda.zip\n"
