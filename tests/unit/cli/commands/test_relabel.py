"""`image-labels relabel`: which photos it sends again, at which cost, and how it continues."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest
from image_labels.model import iso_time
from support.command import run, run_on_terminal
from support.feeding_world import EPOCH, SETTINGS, World, deploy, keys
from support.foreign import LAB

if TYPE_CHECKING:
    from typer.testing import Result

pytestmark = pytest.mark.usefixtures("deployment")

ASKED_55 = {"S": "max_labels=10;min_confidence=55.0"}
OTHER = {"S": "max_labels=10;min_confidence=90.0"}
TWO_LABELS = {"SS": ["Dog", "Sky"]}


@pytest.fixture
def world(deployment: None, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    deploy(monkeypatch, world)
    return world


def labelled(world: World, *names: str, **attributes: Any) -> None:
    world.upload(*names)
    world.label(*names, **{"Labels": TWO_LABELS} | attributes)


@pytest.fixture
def mixed(world: World) -> World:
    """Photos of each kind. Those under images/from/ have an answer with all that is wanted."""
    world.model = "3.10"
    labelled(world, "images/new.jpg")
    labelled(world, "images/from/lowered.jpg", Settings=OTHER, Asked=ASKED_55)
    labelled(world, "images/from/rejected.jpg", Settings=OTHER, Status={"S": "REJECTED"}, LabelModelVersion=None)
    labelled(world, "images/less.jpg", Settings=OTHER)
    labelled(world, "images/cut.jpg", Settings=OTHER, Asked=ASKED_55, DetectionsCut={"BOOL": True})
    labelled(world, "images/model.jpg", LabelModelVersion={"S": "3.9"})
    labelled(world, "images/rejected.jpg", Status={"S": "REJECTED"}, LabelModelVersion=None)
    labelled(world, "images/rows.jpg", Settings=OTHER, Rows=None)
    world.label("images/removed.jpg", Settings=OTHER, Status={"S": "REMOVED"}, Rows={"N": "0"})
    world.items["images/foreign.jpg"] = LAB | {"PK": {"S": "images/foreign.jpg"}}
    world.rejected = lambda key: "rejected" in key
    world.now = 1000.0
    return world


def relabel(world: World, *arguments: str, exit_code: int = 0) -> Any:
    result = run("relabel", "--json", *arguments, make_aws=world.make_aws)
    assert result.exit_code == exit_code, result.output
    return json.loads(result.stdout)


def in_a_pipe(world: World, *arguments: str) -> Result:
    return run("relabel", *arguments, make_aws=world.make_aws)


FROM_ANSWER = {"images/from/lowered.jpg", "images/from/rejected.jpg"}
NEED_A_CALL = {"images/less.jpg", "images/cut.jpg"}


def test_stale_photos_are_those_of_other_settings_or_of_an_older_model(mixed: World) -> None:
    answer = relabel(mixed, "--stale", "--yes")
    assert mixed.sent.keys() == FROM_ANSWER | NEED_A_CALL | {"images/model.jpg"}
    assert mixed.calls.keys() == NEED_A_CALL | {"images/model.jpg"}
    assert answer["reasons"] == {
        "matches": 0,
        "rejected": 0,
        "other_settings": 4,
        "older_model": 1,
        "undated": 0,
    }
    assert (answer["chosen"]["rekognition_calls"], answer["chosen"]["from_stored_answers"]) == (3, 2)
    assert (answer["result"]["labelled"], answer["result"]["rejected"]) == (4, 1)
    assert mixed.items["images/model.jpg"]["LabelModelVersion"] == {"S": "3.10"}
    again = relabel(mixed, "--stale", "--yes")
    assert (again["chosen"]["photos"], again["result"]) == (0, None)


def test_settings_are_applied_offline_without_a_call(mixed: World) -> None:
    answer = relabel(mixed, "--offline", "--yes")
    assert mixed.sent.keys() == FROM_ANSWER
    assert not mixed.calls
    assert {mixed.items[key]["Settings"]["S"] for key in FROM_ANSWER} == {SETTINGS}
    assert answer["chosen"]["rekognition_calls"] == 0
    assert answer["chosen"]["dollars"] == 0
    assert answer["need_rekognition"] == 2


def test_text_that_is_switched_on_needs_one_call_for_each_photo(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    labelled(world, *keys(20))
    labelled(world, "images/less.jpg", Settings=OTHER)
    labelled(world, "images/rejected.jpg", Status={"S": "REJECTED"}, LabelModelVersion=None)
    monkeypatch.setenv("IMAGE_LABELS_TEXT_MIN_CONFIDENCE", "75")
    answer = relabel(world, "--stale", "--dry-run")
    assert answer["settings"] == f"{SETTINGS};text=min_confidence=75.0"
    chosen = answer["chosen"]
    assert (chosen["photos"], chosen["photos_to_rekognition"], chosen["rekognition_calls"]) == (22, 21, 22)
    offline = relabel(world, "--offline", "--dry-run")
    assert (offline["chosen"]["photos"], offline["need_rekognition"]) == (1, 21)


def test_items_of_an_earlier_version_are_written_again_without_a_call(world: World) -> None:
    """They have no time of the upload. An item without the whole answer would need a call, and stays as it is."""
    world.rejected = lambda key: "rejected" in key
    labelled(world, "images/old.jpg", "images/rejected.jpg", Uploaded=None)
    labelled(world, "images/cut.jpg", Uploaded=None, DetectionsCut={"BOOL": True})
    labelled(world, "images/new.jpg")
    answer = relabel(world, "--offline", "--yes")
    assert (answer["reasons"]["undated"], answer["chosen"]["rekognition_calls"]) == (2, 0)
    assert world.sent.keys() == {"images/old.jpg", "images/rejected.jpg"}
    assert not world.calls
    assert ["Uploaded" in world.items[key] for key in sorted(world.items)] == [False, True, True, True]


def test_rejected_photos_are_sent_to_rekognition_again(mixed: World) -> None:
    mixed.rejected = lambda _key: False  # Rekognition takes them now
    answer = relabel(mixed, "--rejected", "--yes")
    rejected = {"images/from/rejected.jpg", "images/rejected.jpg"}
    assert mixed.calls.keys() == rejected
    assert answer["result"]["labelled"] == 2
    assert {mixed.items[key]["Status"]["S"] for key in rejected} == {"LABELLED"}


def test_photos_that_match_are_sent_to_rekognition_again(mixed: World) -> None:
    mixed.labels = {"images/new.jpg": ["Dog"], "images/model.jpg": ["Dog", "Cat"], "images/less.jpg": ["Cat"]}
    assert "dogs: no such label; searched for dog\n" in in_a_pipe(mixed, "dogs", "--dry-run").stderr
    answer = relabel(mixed, "dog", "--yes")
    assert mixed.calls.keys() == {"images/new.jpg", "images/model.jpg"}
    assert answer["reasons"]["matches"] == 2
    assert answer["result"]["labelled"] == 2
    assert {mixed.items[key]["LabelledAt"]["S"] >= iso_time(EPOCH + 1000) for key in mixed.calls} == {True}


def test_unknown_label_is_reported(mixed: World) -> None:
    result = in_a_pipe(mixed, "dgo", "--yes")
    assert (result.exit_code, mixed.sent.total()) == (1, 0)
    assert 'no photo has the label "dgo"' in result.stderr


def test_prefix_and_limit_select_photos(world: World) -> None:
    labelled(world, *keys(30, "images/a/"), *keys(30, "images/b/"), Settings=OTHER)
    answer = relabel(world, "--stale", "--prefix", "images/b/", "--limit", "12", "--yes")
    assert set(world.sent) == set(keys(12, "images/b/"))
    assert (answer["reasons"]["other_settings"], answer["chosen"]["photos"]) == (30, 12)


def test_dry_run_sends_nothing(mixed: World) -> None:
    chosen = relabel(mixed, "--stale", "--dry-run")["chosen"]
    assert not mixed.sent
    assert (chosen["photos"], chosen["rekognition_dollars"]) == (5, 0.003)


def test_interrupted_command_names_the_one_that_continues(world: World) -> None:
    labelled(world, *keys(1000))
    world.labels = {key: ["Dog"] for key in keys(1000)}
    world.now = 1000.0
    world.each_second = lambda: os.kill(os.getpid(), signal.SIGINT) if world.now == 1005 - 0.25 else None
    result = in_a_pipe(world, "dog", "--yes")
    assert result.exit_code == 130
    time = iso_time(EPOCH + 1000)
    assert f"to continue: image-labels relabel dog --labelled-before {time}" in result.stderr
    world.each_second = lambda: None
    first = world.calls.total()
    assert 0 < first < 1000
    answer = relabel(world, "dog", "--labelled-before", time, "--yes")
    assert set(world.calls.values()) == {1}
    assert world.calls.total() == 1000
    assert answer["chosen"]["photos"] <= 1000 - first + 50


def test_offline_is_faster_than_the_quota(world: World) -> None:
    labelled(world, *keys(5000), Settings=OTHER, Asked=ASKED_55)
    world.rate = 1000
    relabel(world, "--offline", "--yes")
    assert world.now < 5000 / 50 / 3
    assert not world.calls


def test_command_asks_on_a_terminal(mixed: World) -> None:
    no = run_on_terminal("relabel", "--stale", typed="n\n", make_aws=mixed.make_aws)
    assert (no.exit_code, mixed.sent.total()) == (1, 0)
    assert "Send 5 photos to the function? [y/N]" in no.stderr


def test_output_on_a_terminal_has_80_columns(mixed: World) -> None:
    result = run_on_terminal("relabel", "--stale", "--yes", columns=80, make_aws=mixed.make_aws)
    assert result.exit_code == 0, result.output
    assert max(map(len, result.stdout.splitlines())) <= 80
    for line in (
        "            4  labelled under other settings",
        "            1  labelled by an older model of Rekognition",
        "Photos: 5: 3 to Rekognition",
        "          2 from the stored answer of Rekognition, without a call",
    ):
        assert line in result.stdout.splitlines(), result.stdout


def test_preview_of_one_photo_has_no_plural(mixed: World) -> None:
    mixed.labels = {"images/less.jpg": ["Cat"]}
    result = run_on_terminal("relabel", "cat", "--dry-run", make_aws=mixed.make_aws)
    assert "            1  matching the expression" in result.stdout.splitlines(), result.output
    assert "1 photos" not in result.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "give either an expression, --stale, --rejected or --offline"),
        (["dog", "--stale"], "give either"),
        (["--stale", "--offline"], "give either"),
        (["--stale", "--labelled-before", "yesterday"], "--labelled-before must be a time"),
        (["--stale", "--json"], "add --yes or --dry-run"),
        (["dog AND", "--yes"], "dog AND"),
        (["NOT dog", "--yes"], "NOT"),
    ],
)
def test_wrong_usage_is_refused_before_anything_is_read(world: World, arguments: list[str], words: str) -> None:
    result = in_a_pipe(world, *arguments)
    assert (result.exit_code, world.requests) == (2, [])
    assert words in result.stderr
