"""`image-labels status`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import boto3
import pytest
from image_labels.events import read
from image_labels.model import Rejected
from image_labels_cli.commands import status
from image_labels_cli.times import Time
from support import event_files
from support.command import run, run_on_terminal
from support.seed import put_photo, put_unwanted, send_dead_letter

if TYPE_CHECKING:
    from image_labels.tables.store import Store

pytestmark = pytest.mark.usefixtures("deployment")


@pytest.fixture
def trouble(store: Store, queues: dict[str, str]) -> None:
    """A waiting photo, a dead letter, and three rejected photos."""
    boto3.client("sqs").send_message(QueueUrl=queues["photos"], MessageBody="{}")
    send_dead_letter(queues["dead-letters"], Photo="s3://b/x.jpg", Cause="DetectLabels: 500", NextStep="send it back")
    for n in range(3):
        put_photo(store, f"images/notes-{n}.jpg", Rejected("InvalidImageFormatException: no JPEG"))


def test_status_in_a_pipe_names_each_line_in_its_first_cell(trouble: None) -> None:
    result = run("status", "--limit", "2")
    assert result.exit_code == 0
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert lines[:5] == [
        ["waiting", "1"],
        ["in_flight", "0"],
        ["dead_letters", "1"],
        ["dead_letter", "s3://b/x.jpg", "DetectLabels: 500", "send it back"],
        ["rejected", "3"],
    ]
    assert [(line[0], line[2]) for line in lines[5:]] == [
        ("rejected_photo", "InvalidImageFormatException: no JPEG")
    ] * 2
    assert "read units" in result.stderr


def test_status_json_has_all_counts_and_causes(trouble: None) -> None:
    answer = json.loads(run("status", "--json").stdout)
    assert answer["queue"] == {"waiting": 1, "in_flight": 0}
    (letter,) = answer["dead_letters"]["letters"]
    assert (letter["photo"], letter["cause"], letter["failed_at"]) == ("s3://b/x.jpg", "DetectLabels: 500", None)
    assert answer["rejected"]["count"] == 3
    assert len(answer["rejected"]["photos"]) == 3


def test_status_counts_unwanted_photos_by_what_was_done(store: Store, queues: dict[str, str]) -> None:
    put_unwanted(store, "images/1.jpg", done=True)
    put_unwanted(store, "images/2.jpg", done=True)
    put_unwanted(store, "images/3.jpg", done=False)
    put_photo(store, "images/notes.jpg", Rejected("InvalidImageFormatException: no JPEG"))
    answer = json.loads(run("status", "--json").stdout)["rejected"]
    assert (answer["count"], answer["unwanted"]) == (1, {"pending quarantine": 1, "quarantine": 2})
    assert "unwanted\tquarantine\t2\n" in run("status").stdout
    assert "\n2 unwanted photos: quarantine\n" in run_on_terminal("status").stdout


def test_status_counts_photos_over_the_daily_limit(waiting_queue: str) -> None:
    lines = run("status", "--no-rejected").stdout.splitlines()
    assert lines == ["waiting\t0", "in_flight\t0", "over_daily_limit\t3", "dead_letters\t0"]
    answer = json.loads(run("status", "--no-rejected", "--json").stdout)
    assert answer["over_daily_limit"] == {"waiting": 2, "in_flight": 1}
    assert "\n3 waiting (daily limit)\n" in run_on_terminal("status", "--no-rejected").stdout
    boto3.client("sqs").purge_queue(QueueUrl=waiting_queue)
    assert "daily limit" not in run_on_terminal("status", "--no-rejected").stdout


def test_status_accepts_the_waiting_queue_as_a_flag(waiting_queue: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IMAGE_LABELS_WAITING_QUEUE_URL")
    assert "over_daily_limit\t3" in run("status", "--no-rejected", "--waiting-queue-url", waiting_queue).stdout


def test_status_without_a_waiting_queue_has_no_daily_limit(queues: dict[str, str]) -> None:
    assert "over_daily_limit" not in run("status", "--no-rejected").stdout
    assert json.loads(run("status", "--no-rejected", "--json").stdout)["over_daily_limit"] is None
    assert "daily limit" not in run_on_terminal("status", "--no-rejected").stdout


def test_status_leaves_dead_letters_in_the_queue(trouble: None) -> None:
    assert [run("status").stdout.count("dead_letter\t") for _ in range(3)] == [1, 1, 1]


def test_status_without_rejected_photos_needs_no_table(queues: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IMAGE_LABELS_IMAGES_TABLE")
    result = run("status", "--no-rejected", "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    assert json.loads(result.stdout)["rejected"] is None


@pytest.mark.parametrize("event", ["eventbridge_created", "s3_created"])
def test_dead_letter_with_an_unchanged_event_names_its_photo(queues: dict[str, str], event: str) -> None:
    """SQS and EventBridge move the event unchanged."""
    body = event_files.body(event)
    photo = read(json.loads(body)).tasks[0].objects[0]
    boto3.client("sqs").send_message(QueueUrl=queues["dead-letters"], MessageBody=body)
    (line,) = [line for line in run("status", "--no-rejected").stdout.splitlines() if line.startswith("dead_letter\t")]
    assert line.split("\t")[1:3] == [
        f"s3://{photo.bucket}/{photo.key}",
        "unknown: SQS moved the message and records no reason",
    ]


def test_dead_letter_of_eventbridge_has_its_error(queues: dict[str, str]) -> None:
    send_dead_letter(
        queues["dead-letters"],
        RULE_ARN="arn:aws:events:eu-west-1:111122223333:rule/photos",
        ERROR_CODE="NO_PERMISSIONS",
        ERROR_MESSAGE="User is not authorized to perform sqs:SendMessage",
    )
    letter = run("status", "--no-rejected").stdout.splitlines()[-1]
    assert letter.split("\t") == [
        "dead_letter",
        "",
        "EventBridge could not deliver it: NO_PERMISSIONS: User is not authorized to perform sqs:SendMessage",
        "correct the policies of the queue and the KMS key, then run `image-labels redrive`",
    ]


@pytest.mark.parametrize(
    ("body", "next_step"),
    [(event_files.body("s3_created"), "run `image-labels redrive`"), ("{}", "find the sender of the message")],
    ids=["event", "no event"],
)
def test_dead_letter_that_sqs_moved_has_no_cause(queues: dict[str, str], body: str, next_step: str) -> None:
    boto3.client("sqs").send_message(QueueUrl=queues["dead-letters"], MessageBody=body)
    shown = run_on_terminal("status", "--no-rejected").stdout
    assert "SQS moved the message and records no reason" in shown
    assert next_step in shown


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that the command has slept; time stands still otherwise."""
    slept: list[float] = []
    clock = Time(clock=lambda: sum(slept), sleep=slept.append, now=lambda: sum(slept))
    monkeypatch.setattr(status, "TIME", clock)
    return slept


def test_check_fails_if_there_are_dead_letters(queues: dict[str, str], clock: list[float]) -> None:
    result = run("status", "--check")
    assert (result.exit_code, result.stderr) == (0, "")
    send_dead_letter(queues["dead-letters"], Photo="s3://b/x.jpg", Cause="DetectLabels: 500")
    result = run("status", "--check")
    assert result.exit_code == 1
    assert "1 photo in the dead-letter queue" in result.stderr
    assert json.loads(run("status", "--check", "--json").stdout)["rejected"] is None  # the table is not read
    assert clock == []


def test_check_fails_if_the_function_takes_no_photo(queues: dict[str, str], clock: list[float]) -> None:
    sqs = boto3.client("sqs")
    for _ in range(2):
        sqs.send_message(QueueUrl=queues["photos"], MessageBody="{}")
    result = run("status", "--check")
    assert result.exit_code == 1
    assert "the function takes none of 2 photos in the queue" in result.stderr
    assert sum(clock) == 60
    sqs.receive_message(QueueUrl=queues["photos"])  # one is in flight
    assert run("status", "--check").exit_code == 0


def test_watch_shows_rate_and_time_left_until_the_queue_is_empty(
    queues: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sqs = boto3.client("sqs")
    for _ in range(4):
        sqs.send_message(QueueUrl=queues["photos"], MessageBody="{}")
    send_dead_letter(queues["dead-letters"])
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        for message in sqs.receive_message(QueueUrl=queues["photos"], MaxNumberOfMessages=2).get("Messages", []):
            sqs.delete_message(QueueUrl=queues["photos"], ReceiptHandle=message["ReceiptHandle"])

    monkeypatch.setattr(status, "TIME", Time(clock=lambda: sum(slept), sleep=sleep))
    lines = [line.split("\t") for line in run("status", "--watch").stdout.splitlines()]
    assert lines[:2] == [["watch", "4", "0", "0", "1", "", ""], ["watch", "2", "0", "0", "1", "0.4", "5.0"]]
    assert [line[1] for line in lines] == ["4", "2", "0", "0"]
    terminal = run_on_terminal("status", "--watch").stdout
    assert terminal.splitlines()[-1] == "0 waiting, 0 in progress; 1 dead letter"
    assert run("status", "--watch", "--json").exit_code == 2
