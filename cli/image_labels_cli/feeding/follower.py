"""What happened to a photo that was sent, as far as its item in the images table shows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from image_labels_cli.feeding.selection import Photo, revision_of

if TYPE_CHECKING:
    from image_labels_cli.inventory.items import KnownItem


class Outcome(StrEnum):
    """The end of a photo. The values are names in the output of the commands."""

    LABELLED = "labelled"
    REJECTED = "rejected"
    REMOVED = "removed"  # the photo is gone, and so is its item, unless the photo was unwanted
    FAILED = "failed"  # it is in the dead-letter queue
    OTHER_SETTINGS = "other_settings"  # the function has other settings than this command


# The function has done what the command wants.
SETTLED = frozenset({Outcome.LABELLED, Outcome.REJECTED, Outcome.REMOVED})


@dataclass(frozen=True)
class Rule:
    """When a photo is done: its item is of this bucket and of these settings, and its labels are new enough."""

    bucket: str
    settings: str

    def outcome(self, photo: Photo, item: KnownItem | None) -> Outcome | None:
        """The outcome; None if it is not known yet. The object may have changed: see Inspection."""
        if item is None:
            return Outcome.REMOVED if photo.revision else None
        if item.foreign or item.pending or not item.complete or item.bucket != self.bucket:
            return None
        written_since = item.revision != photo.revision
        if item.settings != self.settings:
            return Outcome.OTHER_SETTINGS if written_since else None
        if item.labelled_at < photo.labelled_before:
            return None
        if item.whole and not item.dated and not written_since:
            return None  # the function writes the items of earlier versions again
        # If it was written since, it may be of an object that has replaced the one that was chosen.
        if written_since or item.etag == photo.etag:
            return Outcome.REMOVED if item.removed else Outcome(item.status.lower())
        return None


def as_now(photo: Photo, item: KnownItem | None) -> Photo:
    """The photo with the present revision of its item."""
    return replace(photo, revision=revision_of(item))
