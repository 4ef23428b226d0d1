"""Keeps the face collection in agreement with the items: each face in it belongs to one item, which claims it.

A face is in the collection before the item can claim it, and must be deleted from it before the item is. A worker may
die at any point in between. The item therefore says first what is in the collection and belongs to no photo
(model.Unclaimed): the call that is about to index faces, and faces that are about to be deleted. The next worker finds
the faces of the call by its ExternalImageId and deletes them, before it indexes the photo with another ID.

Until the call is done, the photo is its worker's: others try again later. If the worker dies, they wait for as long as
an invocation can take. A worker that is frozen for longer loses the photo: its write fails, because each mark changes
the revision of the item, and it deletes the faces that it has indexed. If it dies before that, too, faces are left that
no item names. `image-labels audit` finds them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from image_labels.detectors.face_index import IndexCall
from image_labels.detectors.unclaimed import Unclaimed
from image_labels.failures import TryAgain
from image_labels.model import Labels

if TYPE_CHECKING:
    from image_labels.detectors.face_index import FaceIndex
    from image_labels.detectors.finding import Finding
    from image_labels.model import Photo, Rejected
    from image_labels.tables.items import Item


NOTHING = Unclaimed()


class Marks(Protocol):
    """The used part of image_labels.tables.store.Store."""

    def mark_unclaimed(self, item: Item, unclaimed: Unclaimed) -> Item: ...


class FaceClaims:
    """Indexes and deletes the faces of photos. All methods raise what `detector` and `items` raise, as Conflict.

    `seconds` is how long an invocation of the function takes at most. `now` gives seconds since the epoch.
    """

    def __init__(
        self, detector: FaceIndex, items: Marks, *, seconds: float, now: Callable[[], float] = time.time
    ) -> None:
        self.detector = detector
        self._items = items
        self._seconds = seconds
        self._now = now

    def wait_for_others(self, item: Item) -> None:
        """Raises TryAgain if another worker may be indexing the faces of the photo."""
        if item.unclaimed is not None and item.unclaimed.until > self._now():
            raise TryAgain("another worker is indexing the faces of the photo")

    def left(self, indexed: Unclaimed | None, item: Item | None, content: Labels | Rejected) -> Unclaimed:
        """What belongs to no photo when the content takes the place of the item. `indexed` are faces of this worker.

        Those that were just indexed take the place of all others that were in the collection.
        """
        findings = content.findings if isinstance(content, Labels) else ()
        kept = {face_id for finding in findings for face_id in finding.face_ids()}
        if indexed is not None:
            return Unclaimed(indexed.face_ids).without(kept)
        return NOTHING if item is None else (_unclaimed(item) | Unclaimed(_claimed(item))).without(kept)

    def index(
        self, photo: Photo, item: Item, too_late: Callable[[], bool], abandoned: Callable[[], bool]
    ) -> tuple[Finding, Unclaimed, Item]:
        """Index the faces of the photo. Returns them, what the item does not claim yet, and the item as it is now.

        `too_late` says whether the call is not to be made any more, and `abandoned` whether nothing may be written.
        """
        marked, others = item, _unclaimed(item)

        def begin() -> None:
            nonlocal marked, others
            if marked is item:
                own = Unclaimed(calls=(call.id,), until=self._now() + self._seconds)
                marked = self._items.mark_unclaimed(item, others | own)
            if others:
                self.detector.delete(others)
                others = NOTHING

        call = IndexCall(self.detector.new_call(photo), begin)
        try:
            finding = self.detector.index(photo, call, too_late)
            if abandoned():
                self.detector.delete(Unclaimed(finding.face_ids()))
                call.may_have_stored = False
                raise TryAgain("the invocation ended before the photo was done")
        except Exception:
            if marked is not item:  # the next worker need not wait, nor look for the faces if there are none
                left = others | Unclaimed(calls=(call.id,)) if call.may_have_stored else others
                with suppress(Exception):
                    self._items.mark_unclaimed(marked, left)
            raise
        return finding, Unclaimed(finding.face_ids(), (call.id,)), marked

    def give_up(self, indexed: Unclaimed, item: Item | None) -> Item | None:
        """Let faces go that were indexed and not stored, because another worker was first. `item` is as it is now."""
        if item is not None:
            indexed = indexed.without(_claimed(item))
        try:
            self.detector.delete(Unclaimed(indexed.face_ids))
        except Exception:
            if item is not None and indexed.face_ids:
                with suppress(Exception):
                    self._items.mark_unclaimed(item, _unclaimed(item) | Unclaimed(indexed.face_ids))
            raise
        (call,) = indexed.calls
        if item is not None and call in _unclaimed(item).calls:
            item = self._items.mark_unclaimed(item, _unclaimed(item).without(call=call))
        return item

    def settle(self, item: Item) -> None:
        """Delete the faces that the item does not claim."""
        self.detector.delete(_unclaimed(item))
        self._items.mark_unclaimed(item, NOTHING)

    def withdraw(self, item: Item) -> Item:
        """Delete all faces of an item that is about to be deleted. Returns the item as it is now.

        If the worker dies before the item is deleted, and the object is uploaded again as it was, the item would agree
        with it, without its faces. So it does not claim them from here on.
        """
        unclaimed = replace(_unclaimed(item) | Unclaimed(_claimed(item)), until=0.0)
        if not unclaimed:
            return item
        if unclaimed != item.unclaimed:  # not marked again: workers would hinder each other for ever
            item = self._items.mark_unclaimed(item, unclaimed)
        self.detector.delete(unclaimed)
        return item


def _claimed(item: Item) -> tuple[str, ...]:
    return tuple(face_id for finding in item.findings for face_id in finding.face_ids())


def _unclaimed(item: Item) -> Unclaimed:
    return item.unclaimed or NOTHING
