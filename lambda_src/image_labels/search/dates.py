"""Upload dates of a search. Times have the form of image_labels.model.iso_time, so they are compared as texts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Dates:
    """Upload times from `since`, inclusive, to `until`, exclusive. "" is no bound. False without any bound."""

    since: str = ""
    until: str = ""

    def __bool__(self) -> bool:
        return bool(self.since or self.until)

    def include(self, uploaded: str) -> bool:
        """Whether a photo of this time is found. With a bound, none is found whose time is "", which is unknown."""
        return not self or bool(uploaded and self.since <= uploaded and (not self.until or uploaded < self.until))


ALWAYS = Dates()
