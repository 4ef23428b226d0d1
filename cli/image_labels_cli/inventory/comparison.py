"""The difference between bucket and tables, key by key, as the function would see it at the photo's next event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import chain
from typing import TYPE_CHECKING

from image_labels_cli.inventory.items import MAX_KEYS

if TYPE_CHECKING:
    from image_labels_cli.inventory.bucket import Object
    from image_labels_cli.inventory.items import KnownItem
    from image_labels_cli.inventory.keys import KeyFilter
    from image_labels_cli.inventory.table import Table


class OrderError(Exception):
    """The listing of the bucket is not in the order of the keys, so it cannot be compared."""


class State(StrEnum):
    """The state of a key. The values are names in the output of `image-labels audit`."""

    LABELLED = "labelled"
    REJECTED = "rejected"
    REMOVED = "removed"  # an unwanted photo that the function has deleted or moved to quarantine
    IN_PROGRESS = "in_progress"  # uploaded a moment ago: its event may be on its way
    MISSING = "missing"  # an object without an item
    STALE = "stale"  # an item of another object, of other settings, or with incomplete rows
    FOREIGN = "foreign"  # an item that another program wrote or changed
    GHOST = "ghosts"  # an item without an object
    OUTSIDE = "outside_filter"  # an item that the module's filter does not match: it gets no events


MEANINGS = {
    State.LABELLED: "",
    State.REJECTED: "Rekognition does not accept them",
    State.REMOVED: "unwanted: deleted or in quarantine",
    State.IN_PROGRESS: "uploaded a moment ago, not labelled yet",
    State.MISSING: "objects without an item",
    State.STALE: "items of another object or other settings",
    State.FOREIGN: "items that another program wrote or changed",
    State.GHOST: "items without an object",
    State.OUTSIDE: "items that the module's filter does not match",
}
# The states in which bucket and tables differ.
DIFFERENCES = (State.MISSING, State.STALE, State.FOREIGN, State.GHOST)


@dataclass(frozen=True, slots=True)
class Compared:
    """A key with its object and its item, one of which may be None. `reason` says why it is stale."""

    key: str
    state: State
    reason: str = ""
    object: Object | None = None
    item: KnownItem | None = None


@dataclass(frozen=True)
class Expected:
    """What the items should say. Objects uploaded at `in_progress_from` or later may still have no item of theirs."""

    keys: KeyFilter
    bucket: str
    settings: str
    in_progress_from: datetime

    def compare(self, objects: Iterable[Object], table: Table) -> Iterator[Compared]:
        """The keys of the objects and of the table's items, in about their order. Objects to ignore are left out.

        The table must have been read before the objects are listed. Items whose objects are gone are looked up again,
        because photos may be deleted between the two. Raises OrderError.
        """
        gone: list[Compared] = []
        for key, found, item in _merged(objects, table):
            if found is not None:
                if compared := self._compared(key, found, item):
                    yield compared
                continue
            if item is not None and item.removed:
                yield Compared(key, State.REMOVED, item=item)
                continue
            gone.append(Compared(key, State.GHOST, item=item))
            if len(gone) == MAX_KEYS:
                yield from _ghosts(gone, table)
                gone = []
        yield from _ghosts(gone, table)

    def _compared(self, key: str, found: Object, item: KnownItem | None) -> Compared | None:
        if not self.keys.matches(key):
            return Compared(key, State.OUTSIDE, object=found, item=item) if item else None
        state, reason = self._state(found, item)
        return Compared(key, state, reason, found, item)

    def _state(self, found: Object, item: KnownItem | None) -> tuple[State, str]:
        event_may_come = found.last_modified >= self.in_progress_from
        if item is None:
            return (State.IN_PROGRESS if event_may_come else State.MISSING), ""
        unfinished = item.removed or item.pending or not item.complete
        if event_may_come and (item.foreign or item.etag != found.etag or unfinished):
            return State.IN_PROGRESS, ""
        if item.foreign:
            return State.FOREIGN, ""
        if item.removed:
            return State.STALE, "uploaded again after it was removed as unwanted"
        if item.etag != found.etag:
            return State.STALE, "the object was replaced"
        if item.bucket != self.bucket:
            return State.STALE, f"labelled in the bucket {item.bucket}"
        if item.settings != self.settings:
            return State.STALE, f"labelled with {item.settings}"
        if item.unclaimed:
            return State.STALE, "some faces are to be deleted from the face collection"
        if item.pending:
            return State.STALE, "unwanted, and not yet tagged, moved or deleted"
        if not item.complete:
            return State.STALE, "some of its rows in the labels table may be missing"
        return (State.LABELLED if item.status == "LABELLED" else State.REJECTED), ""


def _merged(
    objects: Iterable[Object], items: Iterable[KnownItem]
) -> Iterator[tuple[str, Object | None, KnownItem | None]]:
    """Objects and items by key. Python orders strings by code point, which is the order of their UTF-8."""
    items = iter(items)
    item = next(items, None)
    previous = ""
    for found in chain(objects, (None,)):
        if found is not None and found.key <= previous:
            raise OrderError(f"the bucket lists {found.key!r} after {previous!r}")
        while item is not None and (found is None or item.key < found.key):
            yield item.key, None, item
            item = next(items, None)
        if found is None:
            return
        previous = found.key
        if item is not None and item.key == found.key:
            yield found.key, found, item
            item = next(items, None)
        else:
            yield found.key, found, None


def _ghosts(gone: list[Compared], table: Table) -> Iterator[Compared]:
    """Those whose items still exist."""
    existing = table.existing([each.key for each in gone]) if gone else ()
    return (each for each in gone if each.key in existing)
