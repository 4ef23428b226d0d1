"""docs/configuration.md has a section for inputs of variables.tf, in the same groups and the same order."""

from __future__ import annotations

import re

from tools.terraform import ROOT

VARIABLES = (ROOT / "variables.tf").read_text()
PAGE = (ROOT / "docs" / "configuration.md").read_text()


def test_every_section_is_an_input_in_the_order_of_the_variables() -> None:
    described = re.findall(r"^### (\w+)$", PAGE, re.M)
    assert len(described) > 20
    assert described == [name for name in _inputs() if name in described]


def test_inputs_are_grouped_as_the_variables_are() -> None:
    assert re.findall(r"^## (.+)$", PAGE, re.M) == re.findall(r"^#+\n# (.+)\n#+$", VARIABLES, re.M)


def test_examples_assign_inputs_that_exist() -> None:
    assigned = set(re.findall(r"^(\w+) += ", PAGE, re.M))
    assert assigned
    assert assigned <= set(_inputs())


def _inputs() -> list[str]:
    return re.findall(r'^variable "(\w+)"', VARIABLES, re.M)
