"""The documentation's links have targets, and the tests, make targets, files and alarms that it names exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tools.terraform import ROOT

OPERATIONS = ROOT / "docs" / "operations.md"
GUARANTEES = ROOT / "docs" / "guarantees.md"
SOURCES = (".hcl", ".html", ".js", ".py", ".tf", ".toml", ".yaml", ".yml")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
TEST = re.compile(r"(tests/[\w/]+\.py)((?:::\w+)+)")


def files(*suffixes: str) -> list[Path]:
    """Files of the repository, except those in hidden directories, which `make` writes."""
    found = (path for path in ROOT.rglob("*") if path.suffix in suffixes)
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(ROOT).parts))


MARKDOWN = files(".md")
of_each_page = pytest.mark.parametrize("page", MARKDOWN, ids=lambda page: str(page.relative_to(ROOT)))


@cache
def anchors(page: Path) -> frozenset[str]:
    """Anchors of the headings, as GitHub makes them."""
    made: list[str] = []
    for heading in re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text()), re.MULTILINE):
        anchor = re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-")
        made.append(f"{anchor}-{made.count(anchor)}" if anchor in made else anchor)
    return frozenset(made)


def code(page: Path) -> Iterator[str]:
    """The code of a page: the lines of its blocks, and the spans in its text."""
    text = page.read_text()
    for block in FENCE.findall(text):
        yield from block.splitlines()[1:-1]
    yield from re.findall(r"`([^`\n]+)`", FENCE.sub("", text))


def problem_of(link: str, page: Path) -> str | None:
    """The problem of a link to this repository, or None."""
    name, _, anchor = link.partition("#")
    target = (page.parent / name).resolve() if name else page
    if not target.is_relative_to(ROOT) or not target.exists():
        return f"{link}: there is no such file"
    if anchor and anchor not in anchors(target):
        return f"{link}: there is no such heading"
    return None


def test_all_pages_are_found() -> None:
    assert {ROOT / "README.md", OPERATIONS, GUARANTEES, ROOT / "emulator" / "README.md"} <= set(MARKDOWN)
    assert len(list((ROOT / "examples").iterdir())) == len([page for page in MARKDOWN if "examples" in page.parts])


@of_each_page
def test_links_have_targets(page: Path) -> None:
    text = re.sub(r"`[^`\n]*`", "", FENCE.sub("", page.read_text()))
    links = [link for link in re.findall(r"\]\(\s*<?([^)>\s]+)", text) if not re.match(r"\w+:", link)]
    assert [problem for link in links if (problem := problem_of(link, page))] == []


@of_each_page
def test_named_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z][a-z0-9-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {found[1] for line in code(page) if (found := re.match(r"make ([a-z][a-z0-9-]*)", line))}
    assert named <= targets


@of_each_page
def test_named_tests_exist(page: Path) -> None:
    for file, names in TEST.findall(page.read_text()):
        text = (ROOT / file).read_text()
        *classes, test = names.split("::")[1:]
        for definition in (*(f"class {name}:" for name in classes), f"def {test}("):
            assert definition in text, f"{file}{names}"


@of_each_page
def test_named_files_exist(page: Path) -> None:
    """Code spans that are paths from the repository's root, except paths in hidden directories, which `make` writes."""
    top = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name[0] != "."} | {".github"}
    paths = [span for span in code(page) if re.fullmatch(r"[\w.-]+/[\w./-]*", span) and span.split("/")[0] in top]
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, new = set[Path](), {ROOT / "README.md"}
    while new:
        reached |= new
        links = {
            (page.parent / link.partition("#")[0]).resolve()
            for page in new
            for link in re.findall(r"\]\(([^)#:\s][^)\s]*)\)", page.read_text())
            if not re.match(r"\w+:", link)
        }
        # A link to a directory shows its README.
        new = {link / "README.md" if link.is_dir() else link for link in links if link.is_dir() or link.suffix == ".md"}
        new = {page for page in new if page.exists()} - reached
    assert [str(page.relative_to(ROOT)) for page in MARKDOWN if page not in reached] == []


def test_pages_named_in_sources_exist() -> None:
    named = re.compile(r"(?<![\w/.-])((?:docs|emulator)/[\w-]+\.md(?:#[\w-]+)?)")
    problems = {
        f"{path.relative_to(ROOT)}: {problem}"
        for path in [*files(*SOURCES), ROOT / "Makefile"]
        for link in named.findall(path.read_text())
        if (problem := problem_of(link, ROOT / "README.md"))
    }
    assert problems == set()


def test_every_guarantee_is_held_by_a_test_or_a_benchmark() -> None:
    rows = re.findall(r"^\| (?!guarantee \|)(.+) \| ([^|]+) \|$", GUARANTEES.read_text(), re.MULTILINE)
    assert len(rows) > 20
    assert [guarantee for guarantee, held_by in rows if not (TEST.search(held_by) or "`make " in held_by)] == []


def test_every_alarm_has_a_row_and_a_section_in_the_runbook() -> None:
    observability = (ROOT / "observability.tf").read_text()
    alarms = set(re.findall(r'^ +"?([a-z]+(?:-[a-z]+)+)(?:\$\{rule[.]number\})?"? = \{$', observability, re.MULTILINE))
    alarms |= {"throttled-share", "unwanted"}  # in resources and files of their own
    assert len(alarms) > 7
    found = re.search(r"^## Alarm runbook$(.*?)^## ", OPERATIONS.read_text(), re.MULTILINE | re.DOTALL)
    assert found
    assert set(re.findall(r"^\| \[`([\w-]+)`\]", found[1], re.MULTILINE)) == alarms
    assert set(re.findall(r"^### (.+)$", found[1], re.MULTILINE)) == alarms
