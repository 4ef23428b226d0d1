"""Makes the tables agree with the bucket, one key at a time.

An event only names a key. The current object decides, so late, lost, duplicated and reordered events all end
in the same state.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from image_labels.failures import TryAgain
from image_labels.model import Labels, Rejected
from image_labels.rekognition import Unreadable
from image_labels.selection import from_stored
from image_labels.tables.items import Rows
from image_labels.tables.store import Conflict

if TYPE_CHECKING:
    from image_labels.model import Photo
    from image_labels.selection import Wanted
    from image_labels.tables.items import Item

# A photo takes two rounds: one that writes, and one that checks that nothing has changed since. Each further round
# means that the object or the item was changed. After this many rounds SQS redelivers the key later.
MAX_ROUNDS = 6


class Outcome(StrEnum):
    """The outcome for a key. The worker sets WAITING, once the photo is in the queue of waiting photos."""

    LABELLED = "labelled"
    REJECTED = "rejected"
    REMOVED = "removed"
    UNCHANGED = "unchanged"
    WAITING = "waiting"


@dataclass
class Cost:
    """The calls of Rekognition that were answered for a key, and are therefore billed."""

    rekognition_calls: int = 0


@dataclass(frozen=True)
class Result:
    """The outcome; how many labels were stored, or the reason of a rejection or of waiting."""

    outcome: Outcome
    labels: int = 0
    reason: str = ""


class PhotoSource(Protocol):
    """The bucket: see image_labels.photos.Photos."""

    def head(self, key: str) -> Photo | None: ...


class LabelSource(Protocol):
    """Rekognition: see image_labels.rekognition.Labeller."""

    def detect(self, photo: Photo, abandoned: Callable[[], bool]) -> Labels | Rejected: ...


class ItemStore(Protocol):
    """The tables: see image_labels.tables.store.Store."""

    def get(self, key: str) -> Item | None: ...

    def put(self, photo: Photo, content: Labels | Rejected, settings: str, replacing: Item | None) -> None: ...

    def delete(self, item: Item) -> None: ...

    def index(self, item: Item) -> None: ...


class Reconciler:
    """Reconciles the item of a key with the object of that key. Safe to use from several threads."""

    def __init__(self, photos: PhotoSource, labels: LabelSource, items: ItemStore, wanted: Wanted) -> None:
        self._photos = photos
        self._labels = labels
        self._items = items
        self._wanted = wanted

    def reconcile(
        self,
        key: str,
        abandoned: Callable[[], bool] = lambda: False,
        cost: Cost | None = None,
        labelled_before: str = "",
    ) -> Result:
        """Write until item and object agree. Raises a Failure, or botocore's errors; what was written stays consistent.

        Billed calls are added to `cost`, also if it raises.

        `abandoned` says whether the invocation has returned the key to its sender. Then Rekognition is not called and
        nothing is written, because no later check would correct a late write.

        Labels from before the time `labelled_before` (see model.iso_time) are replaced by a new answer of Rekognition.
        Labels of other settings are replaced without a call, if the stored answer has all that is wanted. The time
        of an object that was uploaded again with the same content is replaced without a call, too.

        The item is read before the object. In the other order, if another worker labels a new object between the two
        reads, item and object would seem to disagree, and labels of the older object would overwrite the newer ones.
        """
        result = Result(Outcome.UNCHANGED)
        cost = cost or Cost()
        answered: tuple[Photo, Labels | Rejected] | None = None
        written: Photo | None = None
        for _ in range(MAX_ROUNDS):
            item = self._items.get(key)
            photo = self._photos.head(key)
            # What was written here is new enough, even if this machine's clock is behind.
            before = "" if written is not None and written == photo else labelled_before
            agree = self._agree(item, photo, before)
            if agree and (item is None or item.rows is Rows.COMPLETE):
                return result
            if abandoned():
                raise TryAgain("the invocation ended before the photo was done")
            try:
                if agree and item is not None:
                    self._items.index(item)  # its rows are not complete yet
                elif photo is not None:
                    if answered is None or answered[0] != photo:  # after a conflict, the previous answer is used
                        content = self._stored(item, photo, before)
                        if content is None:
                            content = self._detect(photo, abandoned)
                            if content is None:
                                continue
                            cost.rekognition_calls += 1
                        answered = (photo, content)
                        if abandoned():
                            continue
                    self._items.put(photo, answered[1], self._wanted.text, replacing=item)
                    result = _result_of(answered[1])
                    written = photo
                elif item is not None:
                    self._items.delete(item)
                    result = Result(Outcome.REMOVED)
            except Conflict:
                continue
        raise TryAgain(f"the object or its item changed {MAX_ROUNDS} times while it was being labelled")

    def _agree(self, item: Item | None, photo: Photo | None, labelled_before: str) -> bool:
        if item is None or photo is None:
            return item is None and photo is None
        if not _is_of(item, photo, labelled_before) or item.settings != self._wanted.text:
            return False
        # Its time alone is not worth a call of Rekognition.
        return item.uploaded == photo.modified or self._stored(item, photo, labelled_before) is None

    def _stored(self, item: Item | None, photo: Photo, labelled_before: str) -> Labels | Rejected | None:
        """What the stored answer for this photo says under the settings; None if Rekognition must be asked."""
        if item is None or not _is_of(item, photo, labelled_before):
            return None
        return from_stored(item.answer, self._wanted)

    def _detect(self, photo: Photo, abandoned: Callable[[], bool]) -> Labels | Rejected | None:
        """The labels or the rejection; None if the photo was replaced or deleted before Rekognition could read it."""
        try:
            answer = self._labels.detect(photo, abandoned)
        except Unreadable:
            if self._photos.head(photo.key) == photo:
                raise
            return None
        return self._wanted.choose(answer) if isinstance(answer, Labels) else answer


def _is_of(item: Item, photo: Photo, labelled_before: str) -> bool:
    """Whether the item has labels of exactly this object that are not from before this time."""
    labelled = (item.bucket, item.etag, item.version_id)
    return labelled == (photo.bucket, photo.etag, photo.version_id) and item.labelled_at >= labelled_before


def _result_of(content: Labels | Rejected) -> Result:
    if isinstance(content, Rejected):
        return Result(Outcome.REJECTED, reason=content.reason)
    return Result(Outcome.LABELLED, labels=len(content.labels))
