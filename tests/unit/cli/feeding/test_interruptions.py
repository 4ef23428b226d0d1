"""Ctrl-C and failures at any point of a backfill: a second run completes it, and sends nothing that is done."""

from __future__ import annotations

import os
import re
import signal
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote_plus

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from image_labels_cli.feeding.room import AHEAD_SECONDS
from image_labels_cli.patience import GIVE_UP_SECONDS
from support.command import run, run_on_terminal
from support.feeding_world import World, keys

if TYPE_CHECKING:
    from typer.testing import Result

COUNT, GHOSTS = 30, 5


def backfill(world: World) -> Result:
    return run("backfill", "--yes", make_aws=world.make_aws)


def prepare(world: World) -> None:
    """Photos that were never labelled, some that are labelled, and ghosts."""
    world.__init__(rate=5)  # type: ignore[misc]
    world.upload(*keys(COUNT), *keys(5, "images/old/"))
    world.label(*keys(5, "images/old/"), *keys(GHOSTS, "images/ghost/"))


def sigint() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def interrupt() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("how", [sigint, interrupt], ids=["ctrl-c", "second ctrl-c"])
def test_second_run_completes_a_backfill_interrupted_at_any_request(
    world: World, how: Callable[[], None], after: bool
) -> None:
    handler = signal.getsignal(signal.SIGINT)
    partly = 0
    for at in range(1000):
        prepare(world)

        def strike(_name: str, at: int = at) -> None:
            if len(world.requests) == at + 1:
                how()

        world.after, world.before = (strike, lambda _: None) if after else (lambda _: None, strike)
        result = backfill(world)
        assert signal.getsignal(signal.SIGINT) is handler
        if len(world.requests) <= at:
            break
        if result.exit_code == 130 and "stopped\tTrue" in result.stdout:
            partly += 1
        world.before = world.after = lambda _: None
        done_by_first = world.objects.keys() - world.differing()
        sent_by_first = Counter(world.sent)
        assert backfill(world).exit_code == 0
        assert not world.differing()
        assert not (world.sent - sent_by_first).keys() & done_by_first
        assert max(world.calls.values()) == 1
    assert result.exit_code == 0
    assert partly > 20


def test_interrupted_backfill_says_what_is_where(world: World) -> None:
    prepare(world)
    world.each_second = lambda: sigint() if world.now == 5.0 - 0.25 else None
    result = run("backfill", "--yes", make_aws=world.make_aws)
    lines = dict(line.split("\t") for line in result.stdout.splitlines() if line.count("\t") == 1)
    assert result.exit_code == 130
    sent, labelled, unknown = (int(lines[name]) for name in ("sent", "labelled", "unknown"))
    assert sent == world.sent.total() == labelled + unknown
    assert int(lines["not_sent"]) == COUNT + GHOSTS - sent
    assert 0 < labelled < sent


def test_interrupted_backfill_says_on_a_terminal_how_to_continue(world: World) -> None:
    prepare(world)
    world.each_second = lambda: sigint() if world.now == 5.0 - 0.25 else None
    result = run_on_terminal("backfill", "--yes", columns=80, make_aws=world.make_aws)
    assert result.exit_code == 130
    found = re.search(r"^Stopped: (\d+) sent, (\d+) done\.", result.stdout, re.MULTILINE)
    assert found
    assert int(found[1]) == world.sent.total()
    assert 0 < int(found[2]) <= world.sent.total() - len(world.in_queue)
    assert "to continue: image-labels backfill" in result.stderr
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_bar_says_that_photos_are_waiting_if_the_function_does_not_work(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "80"}.items():
        monkeypatch.setenv(name, value)
    prepare(world)
    world.upload(*keys(200))
    world.rate = 0
    world.each_second = lambda: sigint() if world.now == 600.0 - 0.25 else None
    result = backfill(world)
    assert result.exit_code == 130
    assert world.sent.total() <= 5 * (AHEAD_SECONDS + world.lag)
    shown = re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", result.stderr)
    assert f"waiting photos: {world.sent.total()}" in shown


def error(code: str, status: int) -> ClientError:
    content: Any = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(content, "Operation")


PASSING = {
    "throttled": error("ThrottlingException", 400),
    "error inside AWS": error("InternalError", 500),
    "no network": EndpointConnectionError(endpoint_url="https://aws"),
}
OPERATIONS = ("ListObjectsV2", "Scan", "BatchGetItem", "GetQueueAttributes", "SendMessageBatch")


@pytest.mark.parametrize("failure", PASSING.values(), ids=PASSING)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_backfill_outlasts_ten_minutes_of_failures(world: World, operation: str, failure: Exception) -> None:
    prepare(world)
    world.label(*keys(150, "images/more/"))  # the listing and the Scan have several pages
    world.upload(*keys(150, "images/more/"))
    begun: list[float] = []

    def fail(name: str) -> None:
        if name == operation and world.requests.count(name) > 1:
            begun[:] = begun or [world.now]
            if world.now < begun[0] + 600:
                raise failure

    world.before = fail
    result = backfill(world)
    assert result.exit_code == 0, result.output
    assert begun
    assert world.now > 600
    assert not world.differing()


def test_lost_answer_of_a_request_sends_photos_twice_and_labels_them_once(world: World) -> None:
    prepare(world)
    lost: list[str] = []

    def lose(name: str) -> None:
        if name == "SendMessageBatch" and len(lost) < 2:
            lost.append(name)
            raise PASSING["no network"]

    world.after = lose
    assert backfill(world).exit_code == 0
    assert not world.differing()
    assert world.calls.total() == COUNT


def test_backfill_gives_up_after_half_an_hour(world: World) -> None:
    prepare(world)

    def fail(name: str) -> None:
        if name == "SendMessageBatch" and world.sent:
            raise PASSING["no network"]

    world.before = fail
    result = backfill(world)
    assert result.exit_code == 3
    assert "AWS does not answer" in result.stderr
    assert world.now == pytest.approx(GIVE_UP_SECONDS, abs=120)
    assert f"sent\t{world.sent.total()}\n" in result.stdout
    assert "To continue: image-labels backfill" in result.stderr
    world.before = lambda _: None
    assert backfill(world).exit_code == 0
    assert not world.differing()


@pytest.mark.parametrize("failure", PASSING.values(), ids=PASSING)
def test_failure_of_the_first_request_ends_the_command(world: World, failure: Exception) -> None:
    """The Region or the proxy is probably wrong."""

    def fail(_name: str) -> None:
        raise failure

    world.before = fail
    assert (backfill(world).exit_code, world.now, len(world.requests)) == (3, 0, 1)


@pytest.mark.parametrize("operation", [*OPERATIONS, "ReceiveMessage", "ChangeMessageVisibilityBatch"])
def test_missing_permission_is_named_at_once(world: World, operation: str) -> None:
    prepare(world)
    world.failing = lambda key: key.endswith("7.jpg")

    def deny(name: str) -> None:
        if name == operation:
            raise error("AccessDeniedException", 400)

    world.before = deny
    result = backfill(world)
    assert result.exit_code == 3
    assert "access denied" in result.stderr


@pytest.mark.parametrize("times", [2, 1000])
def test_message_that_sqs_refuses_is_sent_again_or_reported(world: World, times: int) -> None:
    prepare(world)
    bad = next(keys(1))
    encoded = quote_plus(bad)
    refusals = [bad] * times
    original = world.send_message_batch

    def send(*, QueueUrl: str, Entries: Any) -> Any:  # noqa: N803 - boto3's names
        refused = [entry for entry in Entries if encoded in entry["MessageBody"] and refusals and refusals.pop()]
        answer = original(QueueUrl=QueueUrl, Entries=[entry for entry in Entries if entry not in refused])
        return answer | {"Failed": [{"Id": entry["Id"], "Code": "InternalError", "Message": "no"} for entry in refused]}

    cast("Any", world).send_message_batch = send
    result = backfill(world)
    if times == 2:
        assert (result.exit_code, world.differing()) == (0, set())
        return
    assert (result.exit_code, world.differing()) == (1, {bad})
    assert "SQS refused 1 photo (SendMessageBatch: InternalError: no): image-labels backfill" in result.stderr
