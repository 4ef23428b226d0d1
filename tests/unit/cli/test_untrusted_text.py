"""Untrusted text: keys and labels with control characters, items of another program, and expressions in other
notations.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from image_labels.model import Label, Labels, Photo, Rejected
from image_labels.search.expression import parse
from image_labels.search.printable import is_plain
from image_labels.tables.store import Store
from image_labels_cli import main, output
from image_labels_cli.commands.show import _photo
from image_labels_cli.invocation import shell_word
from support.command import run
from support.fakes import BUCKET, LABELS_TABLE, TABLE
from support.foreign import KEY, item_of_ours, items, rows_of_ours

if TYPE_CHECKING:
    from image_labels.clients import Clients
    from mypy_boto3_dynamodb import DynamoDBClient

pytestmark = pytest.mark.usefixtures("deployment")

# Moves the cursor, ends lines in five ways, reorders, hides, and looks like an escape of ours.
HOSTILE = "images/a\x1b[2J\x07\tb\nc\rd\x85e\u2028f\u2029\x0bg\u202egpj.exe\u2066\u200f\u061c\u200b\\n\\x1b.jpg"
SHOWN = r"images/a\x1b[2J\x07\tb\nc\rd\u0085e\u2028f\u2029\x0bg\u202egpj.exe\u2066\u200f\u061c\u200b\\n\\x1b.jpg"
LABEL = "Dog\u202e\x1b[31m\n"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "is_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def store(clients: Clients, dynamodb: DynamoDBClient) -> Store:
    return Store(clients.dynamodb, TABLE, LABELS_TABLE)


@pytest.fixture
def hostile(store: Store, queues: dict[str, str]) -> None:
    store.put(Photo(BUCKET, HOSTILE, "e", "v1", 1), Labels((Label(LABEL, 99.0, ("Animal",)),), "3.0"), "s", None)
    reason = "InvalidImageFormatException: \u202e\x1b[2J\nerror: all is lost"
    store.put(Photo(BUCKET, HOSTILE + "2", "e", "v1", 1), Rejected(reason), "s", None)
    attributes: Any = {
        name: {
            "DataType": "String",
            "StringValue": f"{name} \u202e\u2028\t{HOSTILE}".replace("\x1b", "")
            .replace("\x07", "")
            .replace("\x0b", ""),
        }
        for name in ("Photo", "Cause", "NextStep")
    }
    boto3.client("sqs").send_message(QueueUrl=queues["dead-letters"], MessageBody="{}", MessageAttributes=attributes)


COMMANDS = [
    ["find", "animal"],
    ["find", "animal", "--limit", "1"],
    ["find", "NOT cat", "--scan"],
    ["find", "dgo"],
    ["find", "\x1b[2J\u202edgo\u2028"],
    ["find", "\x1b[2J\u202e dgo"],
    ["find", "-\x1b[2J\u202edgo"],
    ["find", "dog", "\x1b[2J\u202e"],
    ["find", "dog", "--token", "\x1b[2J\u202e"],
    ["show", HOSTILE],
    ["show", HOSTILE + "2"],
    ["show", HOSTILE + "3"],
    ["show", f"s3://\x1b[2J\u202e/{HOSTILE}"],
    ["show", "s3://\x1b[2J\u202e"],
    ["labels"],
    ["labels", "\x1b[2J\u202e"],
    ["status"],
]


@pytest.mark.parametrize("arguments", COMMANDS)
@pytest.mark.parametrize("on_terminal", [True, False])
def test_nothing_hidden_reaches_a_terminal(
    hostile: None, arguments: list[str], on_terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "is_terminal", lambda: on_terminal)
    result = run(*arguments)
    assert result.exit_code in (0, 1, 2)
    printed = result.stdout + result.stderr
    assert printed
    for line in printed.split("\n"):
        assert is_plain(line.replace("\t", "") if not on_terminal else line), repr(line)
    assert "\nerror: all is lost" not in printed


def test_each_line_in_a_pipe_is_one_photo_with_an_unambiguous_key(hostile: None) -> None:
    lines = run("find", "animal").stdout.split("\n")
    assert [line.split("\t")[0] for line in lines] == [SHOWN, ""]


def test_json_has_every_text_unchanged(hostile: None) -> None:
    assert [photo["key"] for photo in json.loads(run("find", "animal", "--json").stdout)["photos"]] == [HOSTILE]
    assert json.loads(run("show", HOSTILE, "--json").stdout)["labels"][0]["name"] == LABEL
    assert LABEL in [label["name"] for label in json.loads(run("labels", "--json").stdout)]
    assert [photo["key"] for photo in json.loads(run("status", "--json").stdout)["rejected"]["photos"]] == [
        HOSTILE + "2"
    ]


@pytest.mark.parametrize("arguments", [["show", "\udcff"], ["find", "dog", "--prefix", "\udcff"], ["labels", "\udcff"]])
def test_argument_that_is_not_utf8_is_refused(store: Store, arguments: list[str]) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert r"\udcff is not valid UTF-8" in result.stderr


################################################################################
# The command for the next page
################################################################################

SHELLS = [shell for shell in ("sh", "bash", "dash", "zsh", "ksh") if shutil.which(shell)]
# What an operating system passes on: no NUL, and no half of a surrogate pair but for a byte that is no UTF-8.
words = st.text(
    st.one_of(
        st.sampled_from("a'\"\\$`!%-\n\t\x1b\x7f\x9b\u202e\u200d🐕\udcff#~*"),
        st.characters(exclude_characters="\0", exclude_categories=["Cs"]),
    )
)


@pytest.mark.parametrize("shell", SHELLS)
@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(given_words=st.lists(words, min_size=1, max_size=8))
@example(
    given_words=["", "-n", "\n", "a\n\n", "'", "\\0101", "%s", "!!", "\x1b!a", "\x1b'\\\n\n", "$(id)\x1b$(id)`id`"]
)
def test_shell_reads_a_word_as_it_was(shell: str, given_words: list[str]) -> None:
    command = " ".join(map(shell_word, given_words))
    assert all(is_plain(line) for line in command.split("\n"))
    script = (
        f"{sys.executable} -c 'import os, sys; os.write(1, b\"\\0\".join(map(os.fsencode, sys.argv[1:])))' {command}"
    )
    done = subprocess.run([shell, "-c", script], capture_output=True, check=True, env=os.environ | {"PYTHONUTF8": "1"})
    assert done.stdout.split(b"\0") == [word.encode(errors="surrogateescape") for word in given_words]


@pytest.mark.parametrize("prefix", ["images/", "images/a\x1b[2J\n", "images/it's \u202e\\ 100% !$HOME\t", "-x\u2028"])
@pytest.mark.parametrize(
    "expression", ["dog", '"dog\x1b" OR dog', "'dog' AND NOT \"it's\u202e!\"", 'dog\nOR\t"\\"', "(dog)\n\n"]
)
def test_printed_command_returns_the_next_page(store: Store, prefix: str, expression: str) -> None:
    keys = [f"{prefix}{n}.jpg" for n in range(3)]
    for n, key in enumerate(keys):
        store.put(Photo(BUCKET, key, "e", "v1", 1), Labels((Label("Dog", 99.0 - n),), "3.0"), "s", None)
    given_prefix = [f"--prefix={prefix}"]
    first = run("find", *given_prefix, "--limit", "2", "--json", expression)
    assert [photo["key"] for photo in json.loads(first.stdout)["photos"]] == keys[:2]
    command = first.stderr.split("there may be more: ", 1)[1]
    script = command.replace(
        "image-labels ", f"{sys.executable} -c 'import json, sys; print(json.dumps(sys.argv[1:]))' ", 1
    )
    for shell in SHELLS:
        done = subprocess.run([shell, "-c", script], capture_output=True, text=True, check=True)
        second = run(*json.loads(done.stdout), "--json")
        assert [photo["key"] for photo in json.loads(second.stdout)["photos"]] == keys[2:]


################################################################################
# Expressions of another notation
################################################################################


def tried(stderr: str) -> list[list[str]]:
    """The arguments of the suggested commands, as a shell parses them."""
    commands = re.findall(r"^try: image-labels (.*)$", stderr, re.MULTILINE)
    script = "import json, sys; print(json.dumps(sys.argv[1:]))"
    return [
        json.loads(
            subprocess.run(
                ["/bin/sh", "-c", f"{sys.executable} -c '{script}' {command}"],
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        for command in commands
    ]


@pytest.mark.parametrize(
    ("arguments", "said", "commands"),
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
        (["dog", "AND", "cat"], "one argument", [["find", "dog AND cat"]]),
        (["dog", "AND", "traffic light"], "one argument", [["find", 'dog AND "traffic light"']]),
        (
            ["--json", "dog", "cat"],
            "one argument",
            [["find", '"dog cat"'], ["find", "dog AND cat"], ["find", "dog OR cat"]],
        ),
    ],
)
def test_other_notations_get_a_command_that_works(
    store: Store, arguments: list[str], said: str, commands: list[list[str]]
) -> None:
    result = run("find", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert tried(result.stderr) == commands
    for command in commands:
        parse(command[-1])
        assert run(*command).exit_code == 1  # understood, and nothing found


def test_suggested_commands_keep_the_flags_of_the_deployment(store: Store) -> None:
    result = run("--region", "eu-west-1", "find", "-dog")
    assert tried(result.stderr) == [["--region", "eu-west-1", "find", "--scan", "NOT dog"]]


@pytest.mark.parametrize("arguments", [["-h"], ["dog", "--help"]])
def test_help_is_not_an_expression(arguments: list[str]) -> None:
    assert run("find", *arguments).exit_code == 0


@pytest.mark.parametrize("arguments", [["dog", "--limt", "3"], ["--limit=3", "--nonsense", "dog"]])
def test_unknown_option_is_reported_as_such(arguments: list[str]) -> None:
    result = run("find", *arguments)
    assert result.exit_code == 2
    assert "No such option" in result.stderr


################################################################################
# Items and rows of another program
################################################################################


@pytest.fixture
def mixed(dynamodb: DynamoDBClient, queues: dict[str, str]) -> None:
    """A photo of the module, an item of another program, a changed item, and incomplete rows."""
    foreign: list[dict[str, Any]] = [
        {"PK": {"S": "images/lab.jpg"}, "Labels": {"SS": ["Dog"]}},
        item_of_ours() | {"PK": {"S": "images/strings.jpg"}, "Detections": {"L": [{"S": "Dog"}]}, "Size": {"S": "7"}},
        {"PK": {"S": "images/rejected.jpg"}, "Status": {"S": "REJECTED"}, "Reason": {"L": []}, "Size": {"N": "1.5"}},
    ]
    for item in (item_of_ours(), *foreign):
        dynamodb.put_item(TableName=TABLE, Item=item)
    for row in (
        *rows_of_ours(),
        {"Term": {"S": "dog"}, "Rank": {"S": "000000#images/x.jpg"}, "Terms": {"SS": ["dog"]}},
        {"Term": {"S": "*"}, "Rank": {"S": "dog"}, "Name": {"S": "Dog"}, "Kind": {"S": "label"}},
        {"Term": {"S": "*"}, "Rank": {"S": "zebra"}},
        {"Term": {"S": "*usage"}, "Rank": {"S": "2026-11-25"}, "Images": {"S": "many"}},
    ):
        dynamodb.put_item(TableName=LABELS_TABLE, Item=row)


def test_find_reports_unreadable_entries(mixed: None) -> None:
    result = run("find", "dog")
    assert result.exit_code == 0
    assert [line.split("\t")[0] for line in result.stdout.splitlines()] == [KEY]
    assert "skipped 1 entry" in result.stderr
    assert f"  {LABELS_TABLE}: dog 000000#images/x.jpg" in result.stderr
    answer = json.loads(run("find", "dog", "--json").stdout)
    assert answer["skipped"] == [{"table": LABELS_TABLE, "key": ["dog", "000000#images/x.jpg"]}]


def test_find_scan_reports_unreadable_entries(mixed: None) -> None:
    result = run("find", "dog", "--scan")
    assert result.exit_code == 0
    assert [line.split("\t")[0] for line in result.stdout.splitlines()] == [KEY]
    assert "skipped 2 entries" in result.stderr
    assert "images/lab.jpg" in result.stderr
    nothing = run("find", "zebra", "--scan", "--json")
    assert nothing.exit_code == 1
    assert len(json.loads(nothing.stdout)["skipped"]) == 2
    assert "skipped 2 entries" in nothing.stderr


def test_labels_reports_unreadable_entries(mixed: None) -> None:
    result = run("labels")
    assert (result.exit_code, result.stdout) == (0, "Dog\tlabel\n")
    assert f"skipped 1 entry: another program wrote or changed it\n  {LABELS_TABLE}: * zebra" in (result.stderr)
    assert json.loads(run("labels", "--json").stdout) == [{"term": "dog", "name": "Dog", "kind": "label"}]


def test_status_counts_rejected_items_whatever_their_reason_is(mixed: None) -> None:
    result = run("status")
    assert result.exit_code == 0
    assert "rejected_photo\timages/rejected.jpg\t\n" in result.stdout


@pytest.mark.parametrize("key", ["images/lab.jpg", "images/strings.jpg", "images/rejected.jpg"])
def test_show_marks_an_item_of_another_program(mixed: None, key: str, terminal: None) -> None:
    answer = json.loads(run("show", key, "--json").stdout)
    assert (answer["key"], answer["foreign"], answer["labels"], answer["size"]) == (key, True, [], None)
    assert "Another program wrote or changed this item" in run("show", key).stdout
    assert "Another program" not in run("show", KEY).stdout


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(items)
def test_show_shows_any_item(item: dict[str, Any]) -> None:
    assert json.dumps(_photo(KEY, item))


################################################################################
# Internal errors
################################################################################

SCRIPT = """
from image_labels_cli import main

@main.app.command()
def fail():
    raise KeyError("Detections\\x1b[2J")

main.main()
"""


@pytest.mark.parametrize("debug", ["", "1"])
def test_internal_error_prints_a_traceback_only_in_debug_mode(debug: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, "fail"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {main.DEBUG: debug},
    )
    assert (done.returncode, done.stdout) == (main.INTERNAL_ERROR, "")
    assert r"error: internal error: KeyError: 'Detections\x1b[2J'" in done.stderr
    assert main.DEBUG in done.stderr
    assert ("Traceback" in done.stderr) == bool(debug)
