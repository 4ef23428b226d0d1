"""Expressions that the shell has split, and the commands that the output suggests for other notations."""

from __future__ import annotations

import re

import pytest
from image_labels.search.expression import parse, parse_words
from image_labels_cli.expressions import joined
from support.command import run
from support.shells import words_of

pytestmark = pytest.mark.usefixtures("deployment", "dynamodb")


def suggested_commands(stderr: str) -> list[list[str]]:
    """The arguments of the suggested commands, as a shell parses them."""
    return [words_of(command) for command in re.findall(r"^try: image-labels (.*)$", stderr, re.MULTILINE)]


@pytest.mark.parametrize(
    ("arguments", "message", "commands"),
    [
        (["“traffic light”"], "typographic quote", [["find", '"traffic light"']]),
        (["dog && cat"], "to require both labels, use AND", [["find", "dog AND cat"]]),
        (["dog, cat"], "OR accepts either", [["find", "dog AND cat"], ["find", "dog OR cat"]]),
        (["dog=95"], "not a comparison", [["find", "dog>=95"]]),
        (["beach -dog"], "put NOT before it", [["find", "beach AND NOT dog"]]),
        (["!dog"], "put NOT before it", [["find", "--scan", "NOT dog"]]),
        (["not dog"], "NOT alone", [["find", "--scan", "not dog"]]),
        (["-dog"], "-dog looks like an option", [["find", "--scan", "NOT dog"]]),
        (["--", "-dog"], "put NOT before it", [["find", "--scan", "NOT dog"]]),
        (["beach", "-dog"], "-dog looks like an option", [["find", "beach AND NOT dog"]]),
        (["--limit", "3", "beach", "-dog", "-cat"], "-dog looks", [["find", "beach AND NOT dog AND NOT cat"]]),
        (["traffic light", "-dog"], "-dog looks", [["find", '"traffic light" AND NOT dog']]),
    ],
)
def test_other_notations_get_commands_that_work(arguments: list[str], message: str, commands: list[list[str]]) -> None:
    result = run("find", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert suggested_commands(result.stderr) == commands
    for command in commands:
        parse(command[-1])
        assert run(*command).exit_code == 1  # a valid command, without a result


@pytest.mark.parametrize(
    ("arguments", "expression"),
    [
        (["dog"], "dog"),
        (["traffic light"], "traffic light"),
        (["dog", "AND", "cat"], "dog AND cat"),
        (["dog", "AND", "traffic light"], 'dog AND "traffic light"'),
        (["traffic light>=90", "dog"], '"traffic light">=90 dog'),
        (['"traffic light"', "dog"], '"traffic light" dog'),
        (["dog OR cat", "beach"], "(dog OR cat) beach"),
        (["beach", "NOT", "dog cat OR bird"], "beach NOT (dog cat OR bird)"),
        (["(dog", "OR", "cat)", "beach"], "(dog OR cat) beach"),
        (["dog >= 95", "cat"], "dog >= 95 cat"),
    ],
)
def test_arguments_are_one_expression(arguments: list[str], expression: str) -> None:
    assert joined(arguments) == expression
    parse_words(joined(arguments))


def test_suggested_commands_keep_the_flags_of_the_deployment() -> None:
    result = run("--region", "eu-west-1", "find", "-dog")
    assert suggested_commands(result.stderr) == [["--region", "eu-west-1", "find", "--scan", "NOT dog"]]


@pytest.mark.parametrize("arguments", [["-h"], ["dog", "--help"]])
def test_help_is_not_an_expression(arguments: list[str]) -> None:
    assert run("find", *arguments).exit_code == 0


@pytest.mark.parametrize("arguments", [["dog", "--limt", "3"], ["--limit=3", "--nonsense", "dog"]])
def test_unknown_option_is_reported_as_such(arguments: list[str]) -> None:
    result = run("find", *arguments)
    assert result.exit_code == 2
    assert "No such option" in result.stderr
