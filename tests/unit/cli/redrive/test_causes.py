"""Groups of dead letters by cause."""

from __future__ import annotations

import pytest
from image_labels.events import EventError, read
from image_labels_cli.dead_letters import DeadLetter
from image_labels_cli.redrive.causes import MAX_GROUPS, OTHER, Causes, general, pick

S3_403 = "User: arn:aws:sts::111122223333:assumed-role/r-2/f is not authorized to perform: s3:GetObject on resource: "
TABLE = "arn:aws:dynamodb:eu-west-1:111122223333:table/image-labels-2-images"


def letter(cause: str | None, photo: str | None = None, *, readable: bool = True) -> DeadLetter:
    return DeadLetter(photo, cause, None, None, None, readable=readable)


@pytest.mark.parametrize(
    ("causes", "shown"),
    [
        (
            ["PutItem: 500: no (Request ID: ABC1, Host ID: x/y=)", "PutItem: 500: no (Request ID: DEF2, Host ID: z)"],
            "PutItem: 500: no (Request ID: …, Host ID: …)",
        ),
        (
            ["x 1f2e3d4c-1234-4abc-8def-0123456789ab", "x aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"],
            "x …",
        ),
        (["Q: SlowDown: 4442587FB7D0A2F9", "Q: SlowDown: 79A59DF900B949E5"], "Q: SlowDown: …"),
        (["changed 5 times in 3.2s", "changed 12 times in 10s"], "changed … times in …"),
        (["at 2026-11-28T04:30:11Z and 2026-11-27", "at 2026-01-01T00:00:00+00:00 and 2025-01-01"], "at … and …"),
        (["the key 'a/b 1.jpg' is", "the key 'c\"d.png' is"], "the key '…' is"),
        (
            [
                "no answer: https://b.s3.eu-west-1.amazonaws.com/a.jpg",
                "no answer: https://b.s3.eu-west-1.amazonaws.com/b/c",
            ],
            "no answer: https://b.s3.eu-west-1.amazonaws.com/…",
        ),
        ([f"{S3_403}arn:aws:s3:::b/images/{n}.jpg" for n in (1, 2)], f"{S3_403}arn:aws:s3:::b/…"),
    ],
)
def test_causes_that_differ_in_keys_ids_times_and_numbers_are_one_group(causes: list[str], shown: str) -> None:
    assert [general(cause) for cause in causes] == [shown, shown]


def test_key_of_the_photo_does_not_split_a_group() -> None:
    keys = ["images/a b.jpg", "images/it's.jpg", "images/Käse.jpg"]
    causes = {general(f"no {key} ({key!r}, s3://b/{key})", f"s3://b/{key}") for key in keys}
    assert causes in ({"no … ('…', …)"}, {"no … ('…', …)", 'no … ("…", …)'})


@pytest.mark.parametrize(
    "cause",
    [
        "DetectLabels: 429: too many",
        "HeadObject: 403: Forbidden",
        f"GetItem: AccessDeniedException: no dynamodb:GetItem on resource: {TABLE}",
        "this message has the type 'SubscriptionConfirmation': it names no photo",
        "the message's body is empty, and the object's owner isn't known",
        "unexpected KeyError: 'Detections'",
    ],
)
def test_cause_keeps_what_tells_it_from_others(cause: str) -> None:
    assert general(cause) == cause


def test_errors_of_unreadable_messages_form_few_groups() -> None:
    causes = set()
    for n in range(40):
        for body in ("x" * n, '{"a": ' * n, '{"Records": [{"eventSource": "aws:s3", "s3": ' + f'"{n}"' + "}]}"):
            task = read({"Records": [{"eventSource": "aws:sqs", "messageId": "m", "body": body}]}).tasks[0]
            causes.add(general(task.error))
    assert 1 < len(causes) <= 5
    with pytest.raises(EventError):
        read("x")


def test_groups_are_numbered_by_size_and_keep_the_first_photo() -> None:
    causes = Causes()
    for n in range(3):
        causes.add(letter(f"PutItem: 500: id {n}", f"s3://b/images/{n}.jpg"))
    causes.add(letter("HeadObject: 403", "s3://b/x.jpg"))
    causes.add(letter(None))
    first, *others = causes.ranked()
    assert (first.cause, first.count, first.photo, first.example) == (
        "PutItem: 500: id …",
        3,
        "s3://b/images/0.jpg",
        "PutItem: 500: id 0",
    )
    assert [(group.cause, group.count) for group in others] == [
        ("HeadObject: 403", 1),
        ("unknown: SQS moved the message and records no reason", 1),
    ]


def test_unreadable_messages_are_a_group_even_with_the_same_cause() -> None:
    causes = Causes()
    causes.add(letter(None))
    causes.add(letter(None, readable=False))
    assert [group.readable for group in causes.ranked()] == [True, False]


def test_number_of_groups_is_bounded() -> None:
    causes = Causes()
    letters = [letter("cause " + "x" * n) for n in range(MAX_GROUPS + 50)]
    for each in letters:
        causes.add(each)
    groups = causes.ranked()
    assert (groups[0].cause, groups[0].count, len(groups)) == (OTHER, 50, MAX_GROUPS + 1)
    assert causes.find(letters[-1]) is groups[0]


def test_groups_are_picked_by_number_and_text() -> None:
    causes = Causes()
    for cause in ("DetectLabels: 500", "DetectLabels: 500", "GetItem: AccessDenied"):
        causes.add(letter(cause))
    groups = causes.ranked()
    assert pick(groups, ["2"]) == ([groups[1]], [])
    assert pick(groups, ["detectlabels", "1"]) == ([groups[0]], [])
    assert pick(groups, ["500"]) == ([groups[0]], [])
    assert pick(groups, ["2", "nothing", "", "0"]) == ([groups[1], groups[0]], ["nothing", ""])
