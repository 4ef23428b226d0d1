"""What a selection costs, and how long it takes, before it is sent."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from image_labels_cli import cost

if TYPE_CHECKING:
    from image_labels_cli.feeding.selection import Selection

_MONTH = 30 * 24 * 3600


@dataclass(frozen=True)
class Preview:
    """The cost in dollars and the time in seconds. `pace` is in photos per second, `daily_limit` in images per day.

    `calls` are those of all APIs for the photos that are sent to Rekognition: AWS bills each as an image.

    Rekognition's price is that of us-east-1, and falls with the images of a month, so it is too high if the account has
    sent others in the same month. The time is that at the whole quota.
    """

    offered: int
    photos: int
    sent_to_rekognition: int
    calls: int
    too_large: int
    without_object: int
    from_answer: int
    pace: float
    daily_limit: int | None

    @classmethod
    def of(cls, selection: Selection, pace: float, daily_limit: int | None) -> Preview:
        return cls(
            selection.offered,
            selection.taken,
            selection.sent_to_rekognition,
            selection.calls,
            selection.too_large,
            selection.without_object,
            selection.from_answer,
            pace,
            daily_limit,
        )

    @property
    def rekognition_dollars(self) -> float:
        per_month = self.pace * _MONTH * max(1, self.calls / max(1, self.sent_to_rekognition))
        if self.daily_limit is not None:
            per_month = min(per_month, self.daily_limit * 30.0)
        return cost.of_rekognition(self.calls, per_month)

    @property
    def other_dollars(self) -> float:
        return cost.of_other_services(self.sent_to_rekognition)

    @property
    def seconds(self) -> float:
        return self.photos / self.pace

    @property
    def days(self) -> int | None:
        """The fewest days, in UTC, if there is a daily limit."""
        return None if self.daily_limit is None else math.ceil(self.calls / self.daily_limit)

    def as_json(self) -> dict[str, Any]:
        return {
            "photos": self.photos,
            "photos_to_rekognition": self.sent_to_rekognition,
            "rekognition_calls": self.calls,
            "too_large": self.too_large,
            "items_to_remove": self.without_object,
            "from_stored_answers": self.from_answer,
            "dollars": round(self.rekognition_dollars + self.other_dollars, 6),
            "rekognition_dollars": round(self.rekognition_dollars, 6),
            "seconds": round(self.seconds, 3),
            "days": self.days,
        }

    def lines(self) -> list[str]:
        """The same for a person."""
        first = f", the first of {self.offered:,}" if self.photos < self.offered else ""
        several = f", {self.calls:,} calls" if self.calls != self.sent_to_rekognition else ""
        lines = [f"Photos: {self.photos:,}{first}: {self.sent_to_rekognition:,} to Rekognition{several}"]
        if self.too_large:
            lines.append(f"{self.too_large:>11,} over 15 MB, rejected without a call")
        if self.from_answer:
            lines.append(f"{self.from_answer:>11,} from the stored answer of Rekognition, without a call")
        if self.without_object:
            lines.append(f"{self.without_object:>11,} without an object, whose item is removed")
        lines.append(
            f"Cost:   {dollars(self.rekognition_dollars + self.other_dollars)} in us-east-1: Rekognition "
            f"{dollars(self.rekognition_dollars)}, other services {dollars(self.other_dollars)}"
        )
        lines.append(f"Time:   {duration(self.seconds)} at {self.pace:g} photos per second")
        if self.daily_limit is not None and self.days is not None and self.days > 1:
            lines.append(f"        on at least {self.days:,} days, with {self.daily_limit:,} images per day")
        return lines


def dollars(amount: float) -> str:
    return f"${amount:,.2f}" if amount >= 0.005 or not amount else "<$0.01"


def duration(seconds: float) -> str:
    """For example 3 d 4 h, 5 h 12 min, 7 min or 30 s."""
    if seconds < 90:
        return f"{math.ceil(seconds)} s"
    minutes = math.ceil(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min"
    return f"{hours // 24:,} d {hours % 24} h"
