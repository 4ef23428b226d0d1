"""`image-labels find`."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from image_labels.model import Label
from image_labels.search.finder import MAX_PAGE
from support.command import run, run_on_terminal
from support.fakes import BUCKET
from support.seed import Photos, labels, write_photos
from support.shells import words_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

pytestmark = pytest.mark.usefixtures("deployment")

LONG = "images/" + "/".join(["very-long-directory-name"] * 36) + "/photo.jpg"
STRANGE = "images/tab\there, line\nthere, \x1b[31mred [bold]ü 🐕.jpg"
# Eight dogs, and two photos without one.
PHOTOS: Photos = {
    LONG: (Label("Dog", 98.765, parents=("Pet",)), *labels(beach=81)),
    STRANGE: (Label("Dog", 98.5, parents=("Pet",)), *labels(beach=81)),
    **{f"images/{n}.jpg": (Label("Dog", 90 - n, parents=("Pet",)),) for n in range(6)},
    "images/sofa.jpg": labels(sofa=99),
    "images/bench.jpg": labels(bench=99),
}


@pytest.fixture
def photos(dynamodb: DynamoDBClient) -> None:
    write_photos(dynamodb, PHOTOS)


def test_find_in_a_pipe_prints_one_line_for_each_photo(photos: None) -> None:
    result = run("find", "dog AND (pet OR sofa) AND NOT tree", "--prefix", "images/")
    assert result.exit_code == 0
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert lines[0] == [LONG, "98.765", "dog=98.765, pet=98.765"]
    assert lines[1][0] == "images/tab\\there, line\\nthere, \\x1b[31mred [bold]ü 🐕.jpg"
    assert len(lines) == 8


def test_find_prints_the_command_for_the_next_page_to_stderr(photos: None) -> None:
    first = run("find", "dog AND NOT cat", "--limit", "5", "--region=eu-central-1")
    command = r"image-labels --region eu-central-1 find --limit 5 --token (\S+) 'dog AND NOT cat'"
    [token] = re.findall(command, first.stderr)
    second = run("find", "--limit", "5", "--token", token, "dog AND NOT cat")
    assert len(second.stdout.splitlines()) == 3
    assert second.stderr == ""


def test_find_all_reads_all_pages(dynamodb: DynamoDBClient) -> None:
    many = {f"images/{n:04}.jpg": labels(dog=90) for n in range(MAX_PAGE + 1)}
    write_photos(dynamodb, many)
    found = json.loads(run("find", "dog", "--all", "--json").stdout)
    assert [photo["key"] for photo in found["photos"]] == list(many)
    assert found["next_token"] is None
    assert found["requests"] > 1


def test_find_json_has_unchanged_keys(photos: None) -> None:
    found = json.loads(run("find", "dog>=95", "--limit", "2", "--json").stdout)
    assert found["photos"][1] == {
        "key": STRANGE,
        "confidence": 98.5,
        "matched": {"dog": 98.5},
        "terms": {"dog": 98.5, "pet": 98.5, "beach": 81.0},
        "bucket": BUCKET,
        "s3_uri": f"s3://{BUCKET}/{STRANGE}",
        "uploaded": None,
    }
    assert found["suggestions"] == {}
    assert json.loads(run("find", "dog", "--limit", "2", "--json").stdout)["next_token"]


def test_find_on_a_terminal_is_a_table(photos: None) -> None:
    shown = run_on_terminal("find", "dog OR pet", "--prefix", "images/0", columns=60).stdout
    assert shown.splitlines()[1:4:2] == [
        "┃ Photo        ┃    % ┃ Matched            ┃",
        "│ images/0.jpg │ 90.0 │ dog 90.0, pet 90.0 │",
    ]


def test_key_that_is_longer_than_the_terminal_is_one_line(photos: None) -> None:
    shown = run_on_terminal("find", "dog", "--limit", "1", columns=60).stdout
    assert shown == f"{LONG}\n  %        98.8\n  Matched  dog\n"


def test_find_scan_reports_its_cost(photos: None) -> None:
    result = run("find", "NOT dog", "--scan", "--prefix", "images/s")
    assert (result.exit_code, result.stdout) == (0, "images/sofa.jpg\t0\t\n")
    assert re.search(r"read the whole table: [\d.]+ read units in 3 requests, ", result.stderr)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("dgo dog", 'no photo has the label "dgo"; did you mean dog?'),
        ("dgo", 'no photo has the label "dgo"; did you mean dog?'),
        ("be", 'no photo has the label "be"; did you mean beach or bench?'),
        ("xyzzy", 'no photo has the label "xyzzy": `image-labels labels`'),
        ("dog AND sofa", "no photo matches"),
    ],
)
def test_find_without_a_result_prints_suggestions(photos: None, expression: str, message: str) -> None:
    result = run("find", expression)
    assert (result.exit_code, result.stdout) == (1, "")
    assert message in result.stderr
    as_json = run("find", expression, "--json")
    assert as_json.exit_code == 1
    assert json.loads(as_json.stdout)["photos"] == []


@pytest.mark.parametrize(
    ("arguments", "message", "keys"),
    [
        (["dogs"], "dogs: no such label; searched for dog\n", 8),
        (["beach", "dogs"], "beach dogs: no such label; searched for beach AND dog\n", 2),
        (["beach dogs", "--prefix", "images/t"], "beach dogs: no such label; searched for beach AND dog\n", 1),
        (["*e*", "NOT", "dog"], "", 1),
        (
            ["sofas OR benches"],
            "sofas: no such label; searched for sofa\nbenches: no such label; searched for bench\n",
            2,
        ),
    ],
)
def test_find_says_what_it_takes_words_for(photos: None, arguments: list[str], message: str, keys: int) -> None:
    result = run("find", *arguments)
    assert len(result.stdout.splitlines()) == keys
    assert result.stderr == message


def test_find_prints_the_next_page_of_what_it_searched_for(photos: None, dynamodb: DynamoDBClient) -> None:
    first = run("find", "beaches dog OR sofas", "--limit", "2")
    words = words_of(first.stderr.split("there may be more: image-labels ")[1])
    assert words[-1] == "beach AND dog OR sofa"
    write_photos(dynamodb, {"images/new.jpg": labels(sofas=1)})  # a label that the first page did not know
    assert len(run(*words).stdout.splitlines()) == 1
    assert json.loads(run("find", "beaches", "dog", "--json").stdout)["searched"] == "beach AND dog"


@pytest.mark.usefixtures("aws")
def test_find_marks_the_mistake_in_an_expression() -> None:
    result = run("find", "dog AND")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-2:] == ["dog AND", "       ^"]
    not_alone = run("find", "NOT dog")
    assert not_alone.exit_code == 2
    assert "--scan" in not_alone.stderr


@pytest.mark.usefixtures("dynamodb")
@pytest.mark.parametrize(
    "arguments",
    [
        ["dog", "--token", "of another"],
        ["dog", "--token", "5", "--all"],
        ["dog", "--limit", "5", "--scan"],
        ["dog", "--limit", "0"],
        ["dog", "--limit", "1001"],
        [],
    ],
)
def test_find_refuses_wrong_usage(arguments: list[str]) -> None:
    result = run("find", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr
