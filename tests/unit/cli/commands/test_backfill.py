"""`image-labels backfill`: what it sends, follows and reports. tests/unit/cli/feeding has failures and Ctrl-C."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from support.command import run, run_on_terminal
from support.feeding_world import DEAD, QUEUE, SETTINGS, WAITING, World, deploy, keys
from support.foreign import LAB

if TYPE_CHECKING:
    from typer.testing import Result

pytestmark = pytest.mark.usefixtures("deployment")

OVER_15_MB = 16_000_000


@pytest.fixture
def world(deployment: None, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    deploy(monkeypatch, world)
    return world


@pytest.fixture
def differing(world: World) -> World:
    """Photos in every state, and one each of those that are sent."""
    world.upload("images/labelled.jpg", "images/missing.jpg", "images/stale.jpg", "images/foreign.jpg")
    world.upload("images/large.jpg", size=OVER_15_MB)
    world.upload("images/replaced.jpg", etag="new")
    world.upload("images/rows.jpg", "images/outside.gif", "other/photo.jpg")
    world.label("images/labelled.jpg", "images/ghost.jpg", "images/replaced.jpg", "images/outside.gif")
    world.label("images/stale.jpg", Settings={"S": "max_labels=10;min_confidence=70.0"})
    world.label("images/rows.jpg", Rows=None)
    world.items["images/foreign.jpg"] = LAB | {"PK": {"S": "images/foreign.jpg"}}
    world.rejected = lambda key: key == "images/large.jpg"
    return world


SENT = {f"images/{name}.jpg" for name in ("foreign", "ghost", "large", "missing", "replaced", "rows", "stale")}


def backfill(world: World, *arguments: str, exit_code: int = 0) -> Any:
    result = run("backfill", "--json", *arguments, make_aws=world.make_aws)
    assert result.exit_code == exit_code, result.output
    return json.loads(result.stdout)


def in_a_pipe(world: World, *arguments: str) -> Result:
    return run("backfill", *arguments, make_aws=world.make_aws)


def test_what_differs_is_sent_once_and_followed_until_it_is_done(differing: World) -> None:
    answer = backfill(differing, "--yes")
    assert set(differing.sent) == SENT
    assert set(differing.sent.values()) == {1}
    assert differing.differing() == {"images/outside.gif", "other/photo.jpg"} - {"images/outside.gif"}
    assert {name: answer[name] for name in ("labelled", "missing", "stale", "foreign", "ghosts", "in_progress")} == {
        "labelled": 1,
        "missing": 2,
        "stale": 3,
        "foreign": 1,
        "ghosts": 1,
        "in_progress": 0,
    }
    assert answer["result"] == {
        "sent": 7,
        "done_before": 0,
        "labelled": 5,
        "rejected": 1,
        "removed": 1,
        "failed": 0,
        "other_settings": 0,
        "refused": 0,
        "refusal": None,
        "unknown": 0,
        "not_sent": 0,
        "halt": None,
        "stopped": False,
    }


def test_preview_has_the_cost_of_photos_that_are_sent_to_rekognition(differing: World) -> None:
    chosen = backfill(differing, "--dry-run")["chosen"]
    assert not differing.sent
    assert chosen == {
        "photos": 7,
        "photos_to_rekognition": 3,
        "rekognition_calls": 3,
        "too_large": 1,
        "items_to_remove": 1,
        "from_stored_answers": 2,
        "dollars": 0.003132,
        "rekognition_dollars": 0.003,
        "seconds": 0.14,
        "days": None,
    }


def test_second_run_has_nothing_to_do(differing: World) -> None:
    backfill(differing, "--yes")
    result = in_a_pipe(differing, "--yes")
    assert result.exit_code == 0
    assert "missing\t0" in result.stdout
    assert "Nothing to do" in run_on_terminal("backfill", make_aws=differing.make_aws).stdout
    assert set(differing.sent.values()) == {1}


def test_prefix_and_limit_select_photos(world: World) -> None:
    world.upload(*keys(30, "images/a/"), *keys(30, "images/b/"))
    answer = backfill(world, "images/b/", "--yes", "--limit", "12")
    assert set(world.sent) == set(keys(12, "images/b/"))
    assert (answer["missing"], answer["chosen"]["photos"], answer["result"]["labelled"]) == (30, 12, 12)
    assert backfill(world, "--dry-run")["missing"] == 48


def test_recent_photos_are_left_alone(world: World) -> None:
    world.upload("images/new.jpg")
    answer = backfill(world, "--yes", "--grace", str(14 * 24 * 3600))
    assert answer["missing"] == 1  # uploaded in 2020
    assert answer["in_progress"] == 0


def test_photo_that_is_labelled_meanwhile_is_not_sent(world: World) -> None:
    """By its own event, after the listing."""
    world.upload(*keys(200))
    world.after = lambda name: world.label(*keys(200)) if name == "ListObjectsV2" else None
    answer = backfill(world, "--yes")
    assert (answer["result"]["done_before"], answer["result"]["sent"], world.sent.total()) == (200, 0, 0)


def test_photo_that_is_replaced_or_deleted_meanwhile_is_done(world: World) -> None:
    world.rate = 5
    world.upload(*keys(20))
    gone, replaced = list(keys(20))[10:12]

    def change() -> None:
        world.objects.pop(gone, None)
        world.upload(replaced, etag="another")

    world.each_second = change
    answer = backfill(world, "--yes")
    assert (answer["result"]["labelled"], answer["result"]["removed"]) == (19, 1)
    assert world.now < 200


@pytest.mark.parametrize("at", [1, 12])
def test_ghost_whose_photo_comes_back_is_done(world: World, at: int) -> None:
    world.rate = 1
    world.label(*keys(10))
    world.each_second = lambda: world.upload(list(keys(10))[9]) if world.now < at else None
    assert backfill(world, "--yes")["result"]["unknown"] == 0
    assert not world.differing()


def test_rejected_and_failed_photos_are_counted_and_a_failed_one_is_exit_code_1(world: World) -> None:
    world.upload(*keys(40))
    world.failing = lambda key: key.endswith("7.jpg")
    world.rejected = lambda key: key.endswith("3.jpg")
    result = in_a_pipe(world, "--yes")
    assert result.exit_code == 1
    assert "4 photos failed: fix the causes, then image-labels redrive" in result.stderr
    lines = dict(line.split("\t") for line in result.stdout.splitlines() if line.count("\t") == 1)
    counts = {name: lines[name] for name in ("labelled", "rejected", "failed", "unknown")}
    assert counts == {"labelled": "32", "rejected": "4", "failed": "4", "unknown": "0"}
    assert [message.visible_at <= world.now for message in world.queues[DEAD]] == [True] * 4


def test_earlier_dead_letter_of_a_photo_is_no_failure(world: World) -> None:
    """The photo failed last week. Its cause is fixed, and the backfill labels it."""
    world.rate = 1
    world.upload(*keys(10))
    for key in keys(10):
        world.event(key)
    world.queues[DEAD].extend(world.queues[QUEUE])
    world.queues[QUEUE].clear()
    world.now = 3600.0
    assert backfill(world, "--yes")["result"]["labelled"] == 10
    assert len(world.dead) == 10


def test_sending_ends_if_the_function_fails_at_most_photos(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGE_LABELS_REKOGNITION_TPS", "10")
    world.rate = 10
    world.upload(*keys(6_000))
    world.failing = lambda _key: True
    result = in_a_pipe(world, "--yes")
    assert result.exit_code == 1
    assert "stopped, because too many photos fail: see the causes with image-labels redrive --dry-run" in result.stderr
    assert len(world.sent) < 4_000


def test_function_with_other_settings_ends_the_backfill_at_once(world: World) -> None:
    """Each further photo would be paid for and be stale."""
    world.upload(*keys(20_000))
    world.settings = "max_labels=10;min_confidence=70.0"
    result = in_a_pipe(world, "--yes")
    assert result.exit_code == 1
    assert "with other settings than --min-confidence and --max-labels: run `terraform apply`" in result.stderr
    assert len(world.sent) < 1000


def test_photo_without_an_outcome_is_reported_when_the_queues_are_empty(world: World) -> None:
    """Another program takes its message."""
    world.upload(*keys(20))
    lost = next(keys(20))

    def take() -> None:
        for message in list(world.queues[QUEUE]):
            if message.key == lost:
                world.queues[QUEUE].remove(message)

    world.after = lambda name: take() if name == "SendMessageBatch" else None
    result = in_a_pipe(world, "--yes", "images/")
    assert result.exit_code == 1
    assert "1 photo had no outcome, although the queues are empty: image-labels backfill images/" in result.stderr
    assert world.now < 200


class TestDailyLimit:
    """Photos over the daily limit wait in a queue, and no more are sent until it is empty."""

    @pytest.fixture
    def limited(self, world: World, monkeypatch: pytest.MonkeyPatch) -> World:
        monkeypatch.setenv("IMAGE_LABELS_DAILY_IMAGE_LIMIT", "1000")
        world.daily = 1000
        world.upload(*keys(2500))
        world.each_second = lambda: world.next_day() if int(world.now) % 600 == 599 else None
        return world

    def test_all_are_done_after_days_and_few_wait_at_a_time(self, limited: World) -> None:
        waiting: list[int] = []
        limited.before = lambda _name: waiting.append(len(limited.queues[WAITING]))
        answer = backfill(limited, "--yes")
        assert answer["result"]["labelled"] == 2500
        assert limited.now > 1200
        assert max(waiting) <= 50 * 20  # 20 s of the quota: not all that are left
        assert set(limited.sent.values()) == {1}

    def test_days_are_previewed(self, limited: World) -> None:
        assert backfill(limited, "--dry-run")["chosen"]["days"] == 3
        shown = run_on_terminal("backfill", "--dry-run", make_aws=limited.make_aws).stdout
        assert "on at least 3 days, with 1,000 images per day" in shown

    def test_unknown_limit_has_no_days(self, limited: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("IMAGE_LABELS_DAILY_IMAGE_LIMIT")
        assert backfill(limited, "--dry-run")["chosen"]["days"] is None

    def test_invalid_limit_is_refused(self, limited: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("IMAGE_LABELS_DAILY_IMAGE_LIMIT", "many")
        result = in_a_pipe(limited, "--dry-run")
        assert (result.exit_code, result.stdout) == (2, "")
        assert "--daily-image-limit must be a whole number above 0: many" in result.stderr


def test_upload_during_a_backfill_is_labelled_within_seconds(world: World) -> None:
    world.upload(*keys(20_000))
    uploads: dict[str, float] = {}

    def upload() -> None:
        if int(world.now) % 30 == 0:
            key = f"images/new {int(world.now)}.jpg"
            uploads[key] = world.now
            world.upload(key)
            world.event(key)

    world.each_second = upload
    backfill(world, "--yes")
    assert len(uploads) > 10
    waits = [world.done_at[key] - at for key, at in uploads.items()]
    assert max(waits) <= 10
    assert world.now == pytest.approx(20_000 / 50, rel=0.05)


def test_backfill_keeps_the_function_busy(world: World) -> None:
    world.upload(*keys(10_000))
    backfill(world, "--yes")
    assert world.now == pytest.approx(200, rel=0.05)


def test_command_asks_on_a_terminal(world: World) -> None:
    world.upload(*keys(3))
    no = run_on_terminal("backfill", typed="n\n", make_aws=world.make_aws)
    assert (no.exit_code, world.sent.total()) == (1, 0)
    assert "Send 3 photos to the function? [y/N]" in no.stderr
    assert "nothing was sent" in no.stderr
    assert run_on_terminal("backfill", typed="", make_aws=world.make_aws).exit_code == 130
    assert run_on_terminal("backfill", typed="y\n", make_aws=world.make_aws).exit_code == 0
    assert world.sent.total() == 3


@pytest.mark.parametrize("arguments", [[], ["--json"], ["--limit", "0", "--yes"], ["thumbnails/", "--yes"]])
def test_wrong_usage_is_refused_before_anything_is_read(world: World, arguments: list[str]) -> None:
    result = in_a_pipe(world, *arguments)
    assert (result.exit_code, world.requests) == (2, [])


def test_output_on_a_terminal_has_80_columns(differing: World) -> None:
    differing.upload(*keys(1200))
    result = run_on_terminal("backfill", "--yes", columns=80, make_aws=differing.make_aws)
    assert result.exit_code == 0, result.output
    assert max(map(len, result.stdout.splitlines())) <= 80
    for line in (
        "        1,202  missing         objects without an item",
        "Photos: 1,207: 1,203 to Rekognition",
        "          2 from the stored answer of Rekognition, without a call",
        "          1 over 15 MB, rejected without a call",
        "          1 without an object, whose item is removed",
        "Cost:   $1.26 in us-east-1: Rekognition $1.20, other services $0.05",
        "Time:   25 s at 50 photos per second",
        "        1,205  labelled",
        "            1  removed: their photos are gone",
    ):
        assert line in result.stdout.splitlines(), result.stdout


def test_progress_is_shown_on_a_terminal(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "80"}.items():
        monkeypatch.setenv(name, value)
    world.daily = 600
    world.upload(*keys(1000))
    world.rejected = lambda key: key.endswith("99.jpg")
    world.each_second = lambda: world.next_day() if int(world.now) % 600 == 599 else None
    result = in_a_pipe(world, "--yes")
    shown = re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", result.stderr).replace("\r", "\n")
    assert re.search(r"daily limit: \d+ waiting .* \d+/1,000 ", shown)
    assert re.search(r"\d rejected .* \d+/1,000 ", shown)
    assert "items read" not in in_a_pipe(World(), "--dry-run").stdout


def test_help_names_the_command() -> None:
    assert "image-labels backfill " in run("--help").stdout
    assert "Ctrl-C stops it" in run("backfill", "--help").stdout


def test_settings_of_the_deployment_are_those_that_the_audit_expects(world: World) -> None:
    assert backfill(world, "--dry-run")["settings"] == SETTINGS


def test_label_policy_needs_the_table_that_has_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IMAGE_LABELS_LABELS_TABLE", raising=False)
    result = in_a_pipe(world, "--yes", "--label-policy-id", "p")
    assert result.exit_code == 2
    assert "--label-policy-id needs --labels-table" in result.stderr
