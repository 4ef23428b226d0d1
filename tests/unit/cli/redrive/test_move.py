"""Failures and interruptions of a move: a dead letter is never in neither queue."""

from __future__ import annotations

import inspect
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from image_labels_cli.feeding.room import Room
from image_labels_cli.redrive import move, queues
from image_labels_cli.redrive.move import Mover, survey
from image_labels_cli.redrive.queues import Pass
from image_labels_cli.stop import Stop
from support.command import run
from support.messages import aws_with, bodies, event, hidden, show_all, sqs_client
from support.seed import send_dead_letter

pytestmark = pytest.mark.usefixtures("deployment", "queues")

COUNT = 12
Call = Callable[..., Any]


@pytest.fixture(autouse=True)
def no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "WAIT_SECONDS", 0)


def fill(urls: dict[str, str], count: int = COUNT) -> set[str]:
    """Put dead letters into the queue, and remove all other messages. Returns their bodies."""
    for url in urls.values():
        sqs_client().purge_queue(QueueUrl=url)
    sent = {event(f"images/{n}.jpg") for n in range(count)}
    for body in sent:
        send_dead_letter(urls["dead-letters"], body, Cause="PutItem: 500", NextStep="wait")
    return sent


def places(sent: set[str]) -> tuple[set[str], set[str]]:
    """The messages in the queue of photos, and in both queues. Fails if one is in neither, or twice in one."""
    photos, dead = bodies("photos"), bodies("dead-letters")
    assert photos.keys() | dead.keys() == sent
    assert {*photos.values(), *dead.values()} <= {1}
    return set(photos), photos.keys() & dead.keys()


def refusing(operation: str, code: str, which: Callable[[dict[str, Any]], bool], status: int = 400) -> Call:
    """A batch operation that refuses the entries that `which` accepts, and carries out the others."""
    original = getattr(sqs_client(), operation)

    def call(QueueUrl: str, Entries: list[dict[str, Any]]) -> Any:  # noqa: N803 - boto3's names
        refused = [entry for entry in Entries if which(entry)]
        others = [entry for entry in Entries if entry not in refused]
        answer = original(QueueUrl=QueueUrl, Entries=others) if others else {}
        failed = [{"Id": entry["Id"], "SenderFault": False, "Code": code, "Message": "no"} for entry in refused]
        return answer | {"Failed": failed}

    return call


def test_message_that_sqs_refuses_stays_and_the_others_are_sent(queues: dict[str, str]) -> None:
    sent = fill(queues)
    refused = {event(f"images/{n}.jpg") for n in (3, 7)}
    send = refusing("send_message_batch", "InternalError", lambda entry: entry["MessageBody"] in refused)
    result = run("redrive", "--all", make_aws=aws_with(send_message_batch=send))
    assert (result.exit_code, places(sent)) == (3, (sent - refused, set()))
    assert "SQS refused 2 dead letters: SendMessageBatch: InternalError: no" in result.stderr
    assert "sent\t10" in result.stdout
    assert hidden("dead-letters") == 0


def test_message_that_is_not_deleted_is_reported_and_not_sent_twice(queues: dict[str, str]) -> None:
    sent = fill(queues)
    calls: list[str] = []

    def is_first(entry: dict[str, Any]) -> bool:
        calls.append(entry["ReceiptHandle"])
        return bool(entry["ReceiptHandle"] == calls[0])

    delete = refusing("delete_message_batch", "InternalError", is_first)
    result = run("redrive", "--all", make_aws=aws_with(delete_message_batch=delete))
    photos, both = places(sent)
    assert (result.exit_code, photos, len(both)) == (0, sent, 1)
    assert "in_both\t1" in result.stdout
    assert hidden("dead-letters") == 0


def test_delete_is_tried_again(queues: dict[str, str]) -> None:
    sent = fill(queues)
    calls: list[str] = []

    def is_new(entry: dict[str, Any]) -> bool:
        calls.append(entry["ReceiptHandle"])
        return calls.count(entry["ReceiptHandle"]) == 1

    delete = refusing("delete_message_batch", "InternalError", is_new)
    assert run("redrive", "--all", make_aws=aws_with(delete_message_batch=delete)).exit_code == 0
    assert places(sent) == (sent, set())


@pytest.mark.parametrize("code", ["AWS.SimpleQueueService.BatchRequestTooLong", "InvalidMessageContents"])
def test_message_that_sqs_does_not_accept_does_not_keep_the_others(queues: dict[str, str], code: str) -> None:
    sent = fill(queues)
    bad = event("images/4.jpg")
    original = sqs_client().send_message_batch

    def send(**request: Any) -> Any:
        if any(entry["MessageBody"] == bad for entry in request["Entries"]):
            raise ClientError({"Error": {"Code": code, "Message": "too large"}}, "SendMessageBatch")
        return original(**request)

    result = run("redrive", "--all", make_aws=aws_with(send_message_batch=send))
    assert (result.exit_code, places(sent)) == (3, (sent - {bad}, set()))
    assert f"SQS refused 1 dead letter: SendMessageBatch: {code}: too large" in result.stderr
    assert "unconfirmed\t0" in result.stdout


def test_large_messages_are_sent_one_by_one(queues: dict[str, str]) -> None:
    large = {event("x" * 100_000 + str(n)) for n in range(4)}
    for body in large:
        send_dead_letter(queues["dead-letters"], body, Cause="too long")
    assert run("redrive", "--all", "--include-unreadable").exit_code == 0
    assert (set(bodies("photos")), set(bodies("dead-letters"))) == (large, set())


def error(code: str, status: int) -> ClientError:
    metadata: Any = {"HTTPStatusCode": status}
    return ClientError({"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": metadata}, "SendMessageBatch")


@pytest.mark.parametrize(
    ("failure", "unconfirmed"),
    [
        (error("AccessDenied", 403), 0),
        (error("InternalError", 500), 10),
        (ConnectTimeoutError(endpoint_url="https://sqs"), 10),
    ],
    ids=["denied", "error inside SQS", "no answer"],
)
def test_failed_request_ends_the_move_and_the_result_is_printed(
    queues: dict[str, str], failure: Exception, unconfirmed: int
) -> None:
    sent = fill(queues)

    def send(**_: object) -> None:
        raise failure

    result = run("redrive", "--all", make_aws=aws_with(send_message_batch=send))
    assert (result.exit_code, places(sent), hidden("dead-letters")) == (3, (set(), set()), 0)
    assert f"unconfirmed\t{unconfirmed}\n" in result.stdout
    assert "sent\t0" in result.stdout


def test_messages_that_sqs_does_not_make_visible_are_reported(queues: dict[str, str]) -> None:
    sent = fill(queues)
    bad: list[str] = []

    def is_first(entry: dict[str, Any]) -> bool:
        bad.append(entry["ReceiptHandle"])
        return bool(entry["ReceiptHandle"] == bad[0])

    release = refusing("change_message_visibility_batch", "InternalError", is_first)
    result = run("redrive", "--all", make_aws=aws_with(change_message_visibility_batch=release))
    assert result.exit_code == 0
    assert "1 dead letter is hidden for up to 30 minutes" in result.stderr
    assert (len(places(sent)[0]), hidden("dead-letters")) == (COUNT - 1, 1)


def test_failed_release_ends_the_command_before_anything_is_sent(queues: dict[str, str]) -> None:
    fill(queues)
    requests: list[object] = []

    def release(**request: object) -> None:
        requests.append(request)
        raise error("AccessDenied", 403)

    result = run("redrive", "--all", make_aws=aws_with(change_message_visibility_batch=release))
    assert (result.exit_code, len(requests), not bodies("photos")) == (3, 1, True)
    assert "access denied" in result.stderr


REQUESTS = (
    "get_queue_attributes",
    "receive_message",
    "change_message_visibility_batch",
    "send_message_batch",
    "delete_message_batch",
)


def interrupting(at: int, how: Callable[[], None], *, after: bool) -> tuple[dict[str, Call], list[str]]:
    """All requests that the command makes, and their names. `how` is called before or after request number `at`."""
    made: list[str] = []

    def replace(name: str) -> Call:
        original = getattr(sqs_client(), name)

        def call(**request: Any) -> Any:
            made.append(name)
            is_it = len(made) - 1 == at
            if is_it and not after:
                how()
            answer = original(**request)
            if is_it and after:
                how()
            return answer

        return call

    return {name: replace(name) for name in REQUESTS}, made


def interrupt() -> None:
    raise KeyboardInterrupt


def ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_ctrl_c_at_any_request_stops_cleanly(queues: dict[str, str], after: bool) -> None:
    handler = signal.getsignal(signal.SIGINT)
    partly = 0
    for at in range(100):
        sent = fill(queues)
        methods, made = interrupting(at, ctrl_c, after=after)
        result = run("redrive", "--all", make_aws=aws_with(**methods))
        assert signal.getsignal(signal.SIGINT) is handler
        photos, both = places(sent)
        # SQS has answered each request, so no message is in both queues or hidden.
        assert both == set(), made
        if len(made) <= at:
            break
        # Before the passes, Ctrl-C works as in other commands.
        assert result.exit_code == 130 or photos == sent, (at, made, result.output)
        assert at == 0 or hidden("dead-letters") == 0, made
        if photos and photos != sent:
            partly += 1
            assert f"sent\t{len(photos)}\n" in result.stdout
            assert "stopped\tTrue" in result.stdout
    assert photos == sent
    assert at > 10
    assert partly


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_interruption_of_any_request_loses_nothing(queues: dict[str, str], after: bool) -> None:
    """A second Ctrl-C does not wait for the answer."""
    for at in range(100):
        sent = fill(queues)
        methods, made = interrupting(at, interrupt, after=after)
        result = run("redrive", "--all", make_aws=aws_with(**methods))
        photos, both = places(sent)
        if len(made) <= at:
            break
        assert result.exit_code == 130
        assert len(both) <= 10
        if "send_message_batch" in made[: at + 1]:
            assert "sent\t" in result.stdout
        # The next run continues: it sends all others.
        show_all("dead-letters")
        left = set(bodies("dead-letters"))
        assert run("redrive", "--all").exit_code == (0 if left else 1)
        assert set(bodies("photos")) == sent
        assert not bodies("dead-letters")
    assert (photos, both, at > 10) == (sent, set(), True)


def test_interruption_at_any_line_loses_nothing(queues: dict[str, str]) -> None:
    files = {inspect.getsourcefile(module) for module in (move, sys.modules[Pass.__module__])}
    for at in range(2000):
        sent = fill(queues, count=2)
        mover = new_mover(queues)
        with interrupted_at_line(at, files) as lines:
            try:
                try:
                    mover.move(Room(sqs_client(), queues["photos"], 5.0), Stop(), lambda _: None, lambda _: None)
                finally:
                    mover.release()
            except KeyboardInterrupt:
                pass
        photos, both = places(sent)
        assert photos >= both
        if len(lines) <= at:
            break
    assert (photos, both, at > 50) == (sent, set(), True)


def new_mover(urls: dict[str, str]) -> Mover:
    first = Pass(sqs_client(), urls["dead-letters"])
    found = survey(first, Stop(), lambda _: None)
    first.release()
    return Mover(
        sqs_client(),
        Pass(sqs_client(), urls["dead-letters"]),
        urls["photos"],
        chosen=lambda _: True,
        include_unreadable=False,
        newest=found.newest,
        limit=None,
    )


class interrupted_at_line:  # noqa: N801 - used as a function
    """Raises KeyboardInterrupt once, before line number `at` of those that run in these files."""

    def __init__(self, at: int, files: set[str | None]) -> None:
        self._at = at
        self._files = files
        self._lines: list[int] = []

    def __enter__(self) -> list[int]:
        self._before = sys.gettrace()
        sys.settrace(self._trace)
        return self._lines

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)

    def _trace(self, frame: FrameType, event: str, _: object) -> Any:
        if frame.f_code.co_filename not in self._files:
            return None
        if event == "line":
            self._lines.append(frame.f_lineno)
            if len(self._lines) - 1 == self._at:
                raise KeyboardInterrupt
        return self._trace


def test_dead_letter_that_comes_back_is_not_sent_again(queues: dict[str, str]) -> None:
    """The function returns a message that still fails within seconds."""
    sent = fill(queues)
    original = sqs_client().send_message_batch

    def send(**request: Any) -> Any:
        assert sum(bodies("photos").values()) < 5 * COUNT, "endless"
        answer = original(**request)
        for entry in request["Entries"]:
            send_dead_letter(queues["dead-letters"], entry["MessageBody"], Cause="PutItem: 500")
        return answer

    result = run("redrive", "--all", make_aws=aws_with(send_message_batch=send))
    assert result.exit_code == 0
    assert places(sent) == (sent, sent)
    assert f"newer\t{COUNT}" in result.stdout
    assert hidden("dead-letters") == 0


def test_survey_ends_before_it_would_count_twice(queues: dict[str, str]) -> None:
    fill(queues, count=35)
    times = iter(range(0, 100_000, 1000))
    queue = Pass(sqs_client(), queues["dead-letters"])
    found = survey(queue, Stop(), lambda _: None, clock=lambda: float(next(times)))
    queue.release()
    assert (found.count, found.complete, hidden("dead-letters")) == (20, False, 0)


def test_queue_at_its_limit_of_hidden_messages_is_at_its_end(queues: dict[str, str]) -> None:
    sent = fill(queues)
    original = sqs_client().receive_message
    received: list[str] = []

    def receive(**request: Any) -> Any:
        if len(received) >= 10:
            received.clear()
            raise ClientError({"Error": {"Code": "AWS.SimpleQueueService.OverLimit", "Message": ""}}, "ReceiveMessage")
        answer = original(**request)
        received.extend(message["Body"] for message in answer.get("Messages", []))
        return answer

    result = run("redrive", "--all", make_aws=aws_with(receive_message=receive))
    assert result.exit_code == 0
    assert places(sent)[1] == set()
