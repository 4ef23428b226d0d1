"""`image-labels redrive`: what it lists, sends and leaves. tests/unit/cli/redrive has failures and interruptions."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from image_labels_cli.feeding.room import Room
from image_labels_cli.redrive import queues as redrive_queues
from support import event_files
from support.command import run, run_on_terminal
from support.messages import bodies, event, hidden, sqs_client
from support.seed import send_dead_letter

pytestmark = pytest.mark.usefixtures("deployment", "queues")

THROTTLED = "DetectLabels: ThrottlingException: id "
DENIED = "HeadObject: 403: Forbidden"
UNREADABLE = "the message's body is not JSON: Expecting value: line 1 column 1 (char 0)"


@pytest.fixture(autouse=True)
def no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redrive_queues, "WAIT_SECONDS", 0)


@pytest.fixture
def dead(queues: dict[str, str]) -> str:
    """Three photos that Rekognition throttled, two that S3 denied, and a message that is no event."""
    url = queues["dead-letters"]
    for n in range(3):
        key = f"images/t{n}.jpg"
        send_dead_letter(url, event(key), Photo=f"s3://b/{key}", Cause=f"{THROTTLED}{n}", NextStep="wait", Attempts="5")
    for n in range(2):
        send_dead_letter(
            url, event(f"images/d{n}.jpg"), Photo=f"s3://b/images/d{n}.jpg", Cause=DENIED, NextStep="allow"
        )
    send_dead_letter(url, "not JSON", Cause=UNREADABLE, NextStep="delete it")
    return url


def keys(name: str) -> list[str]:
    """The keys of the photos in a queue, "" for a message that is no event."""
    return sorted(
        json.loads(body)["Records"][0]["s3"]["object"]["key"] if body.startswith("{") else ""
        for body in bodies(name).elements()
    )


ALL = ["images/d0.jpg", "images/d1.jpg", "images/t0.jpg", "images/t1.jpg", "images/t2.jpg"]


def test_dry_run_lists_the_causes_and_leaves_all_messages_visible(dead: str) -> None:
    result = run("redrive", "--dry-run")
    assert result.exit_code == 0
    assert [line.split("\t") for line in result.stdout.splitlines()] == [
        ["cause", "1", "3", f"{THROTTLED}…", "s3://b/images/t0.jpg", "wait"],
        ["cause", "2", "2", DENIED, "s3://b/images/d0.jpg", "allow"],
        [
            "cause",
            "3",
            "1",
            "the message's body is not JSON: Expecting value: line … column … (char …)",
            "none: the message is no event",
            "delete it",
        ],
    ]
    assert (keys("dead-letters"), hidden("dead-letters"), keys("photos")) == (["", *ALL], 0, [])


def test_all_are_sent_unchanged_and_unreadable_messages_stay(dead: str) -> None:
    before = bodies("dead-letters")
    result = run("redrive", "--all")
    assert result.exit_code == 0
    assert (keys("photos"), keys("dead-letters"), hidden("dead-letters")) == (ALL, [""], 0)
    assert before == bodies("photos") + bodies("dead-letters")
    lines = dict(line.split("\t") for line in result.stdout.splitlines() if not line.startswith("cause"))
    assert (lines["sent"], lines["unreadable"], lines["in_both"]) == ("5", "1", "0")
    received = sqs_client().receive_message(
        QueueUrl=dead.replace("dead-letters", "photos"), MessageAttributeNames=["All"], MaxNumberOfMessages=10
    )
    assert all("MessageAttributes" not in message for message in received["Messages"])


def test_unreadable_messages_are_sent_on_request(dead: str) -> None:
    assert run("redrive", "--yes", "--include-unreadable").exit_code == 0
    assert (keys("photos"), keys("dead-letters")) == (["", *ALL], [])


@pytest.mark.parametrize("cause", ["1", "throttling", THROTTLED + "0"])
def test_only_the_named_cause_is_sent(dead: str, cause: str) -> None:
    assert run("redrive", "--cause", cause, "--yes").exit_code == 0
    assert keys("photos") == ["images/t0.jpg", "images/t1.jpg", "images/t2.jpg"]
    assert (keys("dead-letters"), hidden("dead-letters")) == (["", "images/d0.jpg", "images/d1.jpg"], 0)


def test_limit_ends_the_move(dead: str) -> None:
    result = run("redrive", "--all", "--limit", "2")
    assert (result.exit_code, len(keys("photos")), len(keys("dead-letters"))) == (0, 2, 4)
    assert hidden("dead-letters") == 0
    assert "sent\t2" in result.stdout


def test_hundreds_of_dead_letters_are_moved(queues: dict[str, str]) -> None:
    for n in range(120):
        send_dead_letter(queues["dead-letters"], event(f"{n}.jpg"), Photo=f"s3://b/{n}.jpg", Cause=f"{THROTTLED}{n}")
    assert run("redrive", "--all", "--rekognition-tps", "50").exit_code == 0
    assert (len(keys("photos")), keys("dead-letters")) == (120, [])


def test_message_that_sqs_or_eventbridge_moved_is_sent(queues: dict[str, str]) -> None:
    by_sqs, by_eventbridge = event("images/killed.jpg"), event_files.body("eventbridge_created")
    send_dead_letter(queues["dead-letters"], by_sqs)
    send_dead_letter(
        queues["dead-letters"],
        by_eventbridge,
        RULE_ARN="arn:aws:events:eu-west-1:111122223333:rule/photos",
        TARGET_ARN="arn:aws:sqs:eu-west-1:111122223333:photos",
        ERROR_CODE="NO_PERMISSIONS",
        ERROR_MESSAGE="User is not authorized",
        EXHAUSTED_RETRY_CONDITION="MaximumRetryAttempts",
        RETRY_ATTEMPTS="0",
    )
    answer = json.loads(run("redrive", "--all", "--json").stdout)
    assert {group["cause"] for group in answer["groups"]} == {
        "EventBridge could not deliver it: NO_PERMISSIONS: User is not authorized",
        "unknown: SQS moved the message and records no reason",
    }
    assert "s3://b/images/killed.jpg" in {group["first_photo"] for group in answer["groups"]}
    assert bodies("photos") == Counter([by_sqs, by_eventbridge])
    assert not bodies("dead-letters")


def test_json_has_the_causes_and_the_result(dead: str) -> None:
    answer = json.loads(run("redrive", "--cause", "2", "--yes", "--json").stdout)
    assert (answer["dead_letters"], answer["complete"]) == (6, True)
    assert [(g["number"], g["count"], g["readable"], g["chosen"]) for g in answer["groups"]] == [
        (1, 3, True, False),
        (2, 2, True, True),
        (3, 1, False, False),
    ]
    assert (answer["groups"][0]["cause"], answer["groups"][1]["example"]) == (f"{THROTTLED}…", DENIED)
    assert answer["result"] == {
        "sent": 2,
        "in_both": 0,
        "unconfirmed": 0,
        "refused": 0,
        "refusal": None,
        "unreadable": 0,
        "newer": 0,
        "not_released": 0,
        "stopped": False,
    }
    assert json.loads(run("redrive", "--dry-run", "--json").stdout)["result"] is None


@pytest.mark.parametrize(
    ("arguments", "typed", "sent"),
    [
        ([], "2\ny\n", ["images/d0.jpg", "images/d1.jpg"]),
        ([], "forbidden, 9\n1,2\ny\n", ALL),
        ([], "all\ny\n", ALL),
        ([], "\n", []),
        ([], "all\nn\n", []),
        (["--cause", "2"], "y\n", ["images/d0.jpg", "images/d1.jpg"]),
        (["--cause", "2"], "n\n", []),
    ],
)
def test_command_asks_on_a_terminal(dead: str, arguments: list[str], typed: str, sent: list[str]) -> None:
    result = run_on_terminal("redrive", *arguments, typed=typed)
    assert (result.exit_code, keys("photos")) == (0 if sent else 1, sent)
    assert ("image-labels status" in result.stdout) == bool(sent)
    if not sent:
        assert "nothing was sent" in result.stderr
    assert hidden("dead-letters") == 0


def test_question_names_the_number(dead: str) -> None:
    assert "Send 2 of 3 dead letters back?" in run_on_terminal("redrive", "--cause=1", "--limit=2", typed="n\n").stderr


def test_end_of_input_is_an_interruption(dead: str) -> None:
    assert run_on_terminal("redrive", typed="").exit_code == 130
    assert keys("photos") == []


def test_output_fits_80_columns(dead: str) -> None:
    result = run_on_terminal("redrive", "--all", columns=80)
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert "5 dead letters sent back to the queue of photos" in result.stdout
    assert "1 not sent: the message is no event" in result.stdout


@pytest.mark.parametrize(
    "arguments", [["--all", "--cause", "1"], [], ["--json"], ["--limit", "0"], ["--all", "--rekognition-tps", "none"]]
)
def test_wrong_usage_is_refused_before_anything_is_sent(dead: str, arguments: list[str]) -> None:
    result = run("redrive", *arguments)
    assert result.exit_code == 2
    assert (keys("photos"), hidden("dead-letters")) == ([], 0)


@pytest.mark.parametrize("arguments", [["--dry-run"], ["--all"]])
def test_empty_queue_is_nothing_found(arguments: list[str]) -> None:
    result = run("redrive", *arguments)
    assert result.exit_code == 1
    assert "no visible message" in result.stderr


def test_hidden_messages_are_mentioned(dead: str) -> None:
    sqs_client().receive_message(QueueUrl=dead, MaxNumberOfMessages=2, VisibilityTimeout=60)
    assert "2 dead letters are hidden" in run("redrive", "--dry-run").stderr


def test_unknown_cause_is_nothing_found(dead: str) -> None:
    result = run("redrive", "--cause", "no such \x1b[2J", "--yes")
    assert result.exit_code == 1
    assert r"no dead letter has the cause no such \x1b[2J" in result.stderr


def test_only_unreadable_messages_are_nothing_to_send(dead: str) -> None:
    result = run("redrive", "--cause", "not JSON", "--yes")
    assert (result.exit_code, keys("photos")) == (1, [])
    assert "--include-unreadable" in result.stderr


def test_test_event_of_s3_is_an_event(queues: dict[str, str]) -> None:
    body = event_files.body("s3_test_event")
    send_dead_letter(queues["dead-letters"], body)
    assert run("redrive", "--all").exit_code == 0
    assert bodies("photos") == Counter([body])


def test_status_names_the_command(dead: str) -> None:
    for result in (run("status", "--no-rejected"), run_on_terminal("status", "--no-rejected")):
        assert "image-labels redrive" in result.stderr


def test_pace_comes_from_the_environment(dead: str, monkeypatch: pytest.MonkeyPatch) -> None:
    paces: list[Any] = []
    original = Room.__init__

    def init(self: Room, client: Any, url: str, pace: float) -> None:
        paces.append(pace)
        original(self, client, url, pace)

    monkeypatch.setattr(Room, "__init__", init)
    monkeypatch.setenv("IMAGE_LABELS_REKOGNITION_TPS", "12.5")
    run("redrive", "--all", "--limit", "1")
    monkeypatch.delenv("IMAGE_LABELS_REKOGNITION_TPS")
    run("redrive", "--all", "--limit", "1")
    assert paces == [12.5, 5.0]
