"""Output of `image-labels redrive`: the causes, the progress and the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from image_labels_cli import output
from image_labels_cli.layout import key, number
from image_labels_cli.redrive.queues import HIDDEN_SECONDS

if TYPE_CHECKING:
    from image_labels_cli.redrive.causes import Group
    from image_labels_cli.redrive.move import Moved, Survey

HIDDEN = f"hidden for up to {HIDDEN_SECONDS // 60} minutes: SQS did not make them visible again."
NO_EVENT = "none: the message is no event"


def letters(count: int) -> str:
    return f"{count:,} dead letter{'' if count == 1 else 's'}"


def letters_are(count: int) -> str:
    return f"{letters(count)} {'is' if count == 1 else 'are'}"


def write_causes(found: Survey, groups: Sequence[Group]) -> None:
    """The groups with their numbers, as a table or as lines."""
    rows = [
        [str(number), str(group.count), group.cause, group.photo or NO_EVENT, group.next_step]
        for number, group in enumerate(groups, 1)
    ]
    if not output.is_terminal():
        output.write_lines(["cause", *row] for row in rows)
        return
    more = "" if found.complete else " (the queue has more)"
    output.write_text(f"{letters(found.count)} by cause, approximately{more}:")
    output.write_table((number("#"), number("Count"), "Cause", key("First photo"), "Next step"), rows)


def write_result(moved: Moved, follow: str) -> None:
    """What is where now. `follow` is the command that shows the photos' progress."""
    if not output.is_terminal():
        output.write_lines([name, str(value)] for name, value in _as_json(moved).items() if value is not None)
        return
    output.write_text(f"{letters(moved.sent)} sent back to the queue of photos")
    for count, text in (
        (moved.in_both, "of them may still be in the dead-letter queue, too. This does no harm."),
        (moved.unconfirmed, "may be in both queues: SQS did not confirm the request. This does no harm."),
        (moved.refused, "refused by SQS: they stay in the dead-letter queue."),
        (moved.unreadable, "not sent: the message is no event, so the function would return it."),
        (moved.newer, "not sent: they failed meanwhile. Fix the cause, then run this again."),
        (moved.not_released, HIDDEN),
    ):
        if count:
            output.write_text(f"{count:,} {text}")
    if moved.stopped:
        output.write_text("Stopped. The other dead letters are visible again.")
    if moved.sent:
        output.write_text(f"Follow the photos: {follow}")


def write_json(found: Survey, groups: Sequence[Group], chosen: Sequence[Group], moved: Moved | None) -> None:
    """All of the above; `result` is null if nothing was to be sent."""
    output.write_json(
        {
            "dead_letters": found.count,
            "complete": found.complete,
            "groups": [
                {
                    "number": number,
                    "count": group.count,
                    "cause": group.cause,
                    "example": group.example,
                    "first_photo": group.photo,
                    "next_step": group.next_step,
                    "readable": group.readable,
                    "chosen": group in chosen,
                }
                for number, group in enumerate(groups, 1)
            ],
            "result": None if moved is None else _as_json(moved),
        }
    )


def _as_json(moved: Moved) -> dict[str, Any]:
    return asdict(moved)
