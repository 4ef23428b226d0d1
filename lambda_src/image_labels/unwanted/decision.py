"""What is decided about an unwanted photo: the types that pass between the modules."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """What is done with unwanted photos. The values are those of the Terraform module."""

    TAG = "tag"
    QUARANTINE = "quarantine"
    DELETE = "delete"


@dataclass(frozen=True)
class Match:
    """A label that makes a photo unwanted. `kind` is "label", or "moderation" for DetectModerationLabels' own."""

    name: str
    confidence: float
    kind: str


@dataclass(frozen=True)
class Unwanted:
    """What was decided about an unwanted photo, and whether it is done.

    `at` is the time of the decision until it is done, and then the time of the action. `to` is the URI of the copy in
    the quarantine. `gone` says that the photo was gone already when the function went to act.
    """

    action: Action
    matches: tuple[Match, ...]
    at: str
    done: bool = False
    dry_run: bool = False
    to: str = ""
    gone: bool = False

    @property
    def removes(self) -> bool:
        """Whether the photo is not in its place any more once it is done."""
        return self.action is not Action.TAG
