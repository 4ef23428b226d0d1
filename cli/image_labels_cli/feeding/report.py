"""The result of a run, and what it leaves to a person."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from image_labels_cli import output
from image_labels_cli.feeding.follower import Outcome

if TYPE_CHECKING:
    from image_labels_cli.feeding.run import Result


def as_json(result: Result) -> dict[str, Any]:
    return {
        "sent": result.sent,
        "done_before": result.done_before,
        **{str(outcome): result.outcomes[outcome] for outcome in Outcome},
        "refused": result.refused,
        "refusal": result.refusal,
        "unknown": result.unknown,
        "not_sent": result.not_sent,
        "halt": result.halt,
        "stopped": result.stopped,
    }


def lines(result: Result) -> Iterator[list[str]]:
    for name, value in as_json(result).items():
        if value is not None:
            yield [name, str(value)]


def write(result: Result) -> None:
    """The result for a person."""
    for count, text in (
        (result.outcomes[Outcome.LABELLED], "labelled"),
        (result.outcomes[Outcome.REJECTED], "rejected: Rekognition does not accept them"),
        (result.outcomes[Outcome.REMOVED], "removed: their photos are gone"),
        (result.done_before, "done before it was their turn"),
        (result.outcomes[Outcome.FAILED], "failed: they are in the dead-letter queue"),
        (result.outcomes[Outcome.OTHER_SETTINGS], "labelled with other settings"),
        (result.refused, "refused by SQS"),
        (result.unknown, "sent, and not done yet"),
        (result.not_sent, "not sent"),
    ):
        if count:
            output.write_text(f"{count:>13,}  {text}")
    if result.stopped:
        output.write_text(f"Stopped: {result.sent:,} sent, {result.done:,} done. The other sent ones are in the queue.")


def problems(result: Result, redrive: str, again: str) -> list[str]:
    """What a person has to do, one line each; none if all is done. `redrive` and `again` are commands."""
    found = []
    if count := result.outcomes[Outcome.OTHER_SETTINGS]:
        found.append(
            f"stopped, because the function labelled {_photos(count)} with other settings than --min-confidence and "
            "--max-labels: run `terraform apply`, and use its outputs"
        )
    elif result.halt:
        found.append(f"stopped, because {result.halt}: see the causes with {redrive} --dry-run")
    if count := result.outcomes[Outcome.FAILED]:
        found.append(f"{_photos(count)} failed: fix the causes, then {redrive}")
    if result.refused:
        found.append(f"SQS refused {_photos(result.refused)} ({result.refusal}): {again}")
    if result.unknown and not result.halt:
        found.append(f"{_photos(result.unknown)} had no outcome, although the queues are empty: {again}")
    return found


def _photos(count: int) -> str:
    return f"{count:,} photo{'' if count == 1 else 's'}"
