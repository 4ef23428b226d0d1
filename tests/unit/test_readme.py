"""What the README says of the repository is so."""

from __future__ import annotations

import re

import pytest

from tools.terraform import ROOT

README = (ROOT / "README.md").read_text()
OBSERVABILITY = (ROOT / "observability.tf").read_text()


def test_promises_are_held_by_tests_that_are_there() -> None:
    named = set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", README))
    assert len(named) > 10
    for file, test in sorted(named):
        assert f"def {test}(" in (ROOT / file).read_text(), f"{file}::{test}"


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`make ([a-z0-9-]+)`", README))))
def test_make_has_the_targets_it_names(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.M)


def test_every_alarm_has_a_row_and_a_section_in_the_runbook() -> None:
    alarms = set(re.findall(r'^ +"?([a-z]+(?:-[a-z]+)+)(?:\$\{rule[.]number\})?"? = \{$', OBSERVABILITY, re.M))
    alarms |= {"throttled-share"}
    assert len(alarms) > 7
    runbook = README.partition("### When an alarm rings")[2].partition("### Other questions")[0]
    assert set(re.findall(r"^\| \[`([\w-]+)`\]", runbook, re.M)) == alarms
    assert set(re.findall(r"^#### (.+)$", runbook, re.M)) == alarms


def test_links_within_it_lead_somewhere() -> None:
    headings = re.findall(r"^#+ (.+)$", README, re.M)
    anchors = {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([\w-]+)\)", README)) <= anchors
