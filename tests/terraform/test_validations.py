"""Each invalid value of `validations.tftest.hcl` is refused by the intended validation rule.

`terraform test` shows only that a variable is refused. These tests plan with the same values and read which rule
refused them. Exactly one rule must refuse each value, and each rule of variables.tf must refuse a value.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hcl2
import pytest

from tools.terraform import ROOT, Root, environment

FILES = ("validations.tftest.hcl", "lambda_package.tftest.hcl")
RULE = re.compile(r"This was checked by the validation rule at module/variables[.]tf:(\d+),")


@dataclass(frozen=True)
class Case:
    """A run that must be refused: its values as HCL, and the variables that must refuse them."""

    name: str
    values: dict[str, str]
    refused_by: frozenset[str]


@dataclass(frozen=True)
class Refusal:
    """A diagnostic of Terraform: the case, the line of variables.tf where the rule starts, and the message."""

    case: str
    line: int
    message: str


def test_every_invalid_value_is_refused_by_one_rule_of_its_variable(refusals: list[Refusal]) -> None:
    rules = dict(_rules())
    for case in _cases():
        seen = sorted(rules[refusal.line] for refusal in refusals if refusal.case == case.name)
        assert seen == sorted(case.refused_by), f'run "{case.name}"'


def test_every_rule_refuses_a_value(refusals: list[Refusal]) -> None:
    unused = dict(_rules())
    for refusal in refusals:
        unused.pop(refusal.line, None)
    assert not unused, "no run of the test files violates the rules at these lines of variables.tf"


def test_every_refusal_names_the_variable_and_says_what_is_allowed(refusals: list[Refusal]) -> None:
    rules = dict(_rules())
    for refusal in refusals:
        assert refusal.message.startswith(rules[refusal.line]), refusal
        assert " must " in refusal.message, refusal


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> list[Refusal]:
    """Plan one root module that calls variables.tf once per case. Without a provider, this is fast.

    Terraform evaluates rules that compare variables only if all other rules pass, so those cases are planned alone.
    """
    directory = tmp_path_factory.mktemp("validations")
    (directory / "module").mkdir()
    shutil.copy(ROOT / "variables.tf", directory / "module")
    first = _plan(directory, _cases())
    refused = {refusal.case for refusal in first}
    left = [case for case in _cases() if case.name not in refused]
    return first + [refusal for case in left for refusal in _plan(directory, [case])]


def _plan(directory: Path, cases: list[Case]) -> list[Refusal]:
    (directory / "main.tf").write_text("\n".join(map(_module, cases)))
    root = Root(directory, directory / "state", environment())
    root.run("init", "-no-color")
    output = root.run("plan", "-json", allowed=(0, 1)).stdout
    events = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    diagnostics = [event["diagnostic"] for event in events if event["type"] == "diagnostic"]
    return [_refusal(each, cases) for each in diagnostics if each["severity"] == "error"]


def _refusal(diagnostic: dict[str, Any], cases: list[Case]) -> Refusal:
    rule = RULE.search(diagnostic["detail"])
    assert rule, f"refused by something else: {diagnostic}"
    # Terraform names the argument of the module call, but nothing if the value is a default.
    case = re.fullmatch(r'module "(.+)"', diagnostic.get("snippet", {}).get("context", ""))
    assert case or len(cases) == 1, diagnostic
    return Refusal(case[1] if case else cases[0].name, int(rule[1]), diagnostic["detail"])


def _cases() -> list[Case]:
    found = []
    for file in FILES:
        for entry in _parsed(Path("tests/terraform") / file)["run"]:
            for name, run in entry.items():
                expected = [str(each) for each in run.get("expect_failures", [])]
                refused_by = {match[1] for each in expected if (match := re.fullmatch(r"\$\{var[.](\w+)\}", each))}
                if refused_by:
                    values = {key: _hcl(value) for key, value in run["variables"][0].items() if key[:2] != "__"}
                    found.append(Case(name.strip('"'), values, frozenset(refused_by)))
    assert len({case.name for case in found}) == len(found) > 20
    return found


def _module(case: Case) -> str:
    values = "\n".join(f"  {name} = {value}" for name, value in case.values.items())
    return f'module "{case.name}" {{\n  source = "./module"\n{values}\n}}\n'


def _rules() -> Iterator[tuple[int, str]]:
    """The line of each rule in variables.tf, and its variable."""
    variable = ""
    for number, line in enumerate((ROOT / "variables.tf").read_text().splitlines(), 1):
        if match := re.match(r'variable "(\w+)" {', line):
            variable = match[1]
        elif line.strip() == "validation {":
            yield number, variable


def _parsed(file: Path) -> dict[str, Any]:
    with (ROOT / file).open() as source:
        parsed: dict[str, Any] = hcl2.load(source)
    return parsed


def _hcl(value: object) -> str:
    """A parsed value as HCL. The parser keeps the quotation marks of strings and puts expressions in ${}."""
    match value:
        case bool() | None:
            return json.dumps(value)
        case dict():
            return "{ " + ", ".join(f"{k} = {_hcl(v)}" for k, v in value.items() if k[:2] != "__") + " }"
        case list():
            return "[" + ", ".join(map(_hcl, value)) + "]"
        case str() if value.startswith("${"):
            return value[2:-1]
        case _:
            return str(value)
