"""Keys, labels, dead letters and arguments with control characters."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from image_labels.model import Label, Labels, Rejected
from image_labels.search.printable import is_plain
from image_labels.tables.store import Store
from support.command import run, run_on_terminal
from support.fakes import LABELS_TABLE, TABLE
from support.seed import put_photo, send_dead_letter

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

pytestmark = pytest.mark.usefixtures("deployment")

# Control characters, five kinds of line ends, bidirectional and zero-width characters, and the text of an escape.
HOSTILE = "images/a\x1b[2J\x07\tb\nc\rd\x85e\u2028f\u2029\x0bg\u202egpj.exe\u2066\u200f\u061c\u200b\\n\\x1b.jpg"
SHOWN = r"images/a\x1b[2J\x07\tb\nc\rd\u0085e\u2028f\u2029\x0bg\u202egpj.exe\u2066\u200f\u061c\u200b\\n\\x1b.jpg"
LABEL = "Dog\u202e\x1b[31m\n"


@pytest.fixture
def hostile(dynamodb: DynamoDBClient, queues: dict[str, str]) -> None:
    """A labelled photo, a rejected photo, and a dead letter with such characters."""
    store = Store(dynamodb, TABLE, LABELS_TABLE)
    put_photo(store, HOSTILE, Labels((Label(LABEL, 99.0, ("Animal",)),), "3.0"))
    put_photo(store, HOSTILE + "2", Rejected("InvalidImageFormatException: \u202e\x1b[2J\nerror: all is lost"))
    text = HOSTILE.translate(dict.fromkeys(map(ord, "\x1b\x07\x0b")))  # SQS rejects these characters
    send_dead_letter(
        queues["dead-letters"], **{name: f"{name} \u202e\u2028\t{text}" for name in ("Photo", "Cause", "NextStep")}
    )


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
    ["redrive", "--dry-run"],
    ["redrive", "--cause", "\x1b[2J\u202e", "--yes"],
    ["redrive", "--all"],
]


@pytest.mark.parametrize("arguments", COMMANDS)
def test_output_has_no_control_characters(hostile: None, arguments: list[str]) -> None:
    for result, separator in ((run_on_terminal(*arguments), ""), (run(*arguments), "\t")):
        assert result.exit_code in (0, 1, 2)
        printed = result.stdout + result.stderr
        assert printed
        for line in printed.split("\n"):
            assert is_plain(line.replace(separator, "")), repr(line)
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


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("arguments", [["show", "\udcff"], ["find", "dog", "--prefix", "\udcff"], ["labels", "\udcff"]])
def test_argument_that_is_not_utf8_is_refused(arguments: list[str]) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert r"\udcff is not valid UTF-8" in result.stderr
