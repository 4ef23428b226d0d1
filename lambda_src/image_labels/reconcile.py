"""Makes the tables agree with the bucket, one key at a time.

An event only names a key. The current object decides, so late, lost, duplicated and reordered events all end
in the same state.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from image_labels.calls import Unreadable
from image_labels.failures import TryAgain
from image_labels.model import Labels, Rejected
from image_labels.selection import from_stored
from image_labels.tables.items import Rows
from image_labels.tables.store import Conflict

if TYPE_CHECKING:
    from image_labels.detectors.finding import AnyDetector, Detector, Finding
    from image_labels.detectors.unclaimed import Unclaimed
    from image_labels.model import Photo
    from image_labels.ports import IndexedFaces, ItemStore, LabelSource, PhotoSource, UnwantedPhotos
    from image_labels.selection import Wanted
    from image_labels.tables.items import Item
    from image_labels.unwanted.decision import Unwanted

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


class Cost:
    """The calls of Rekognition that were answered for a key, and are therefore billed.

    `by_detector` has those of each detector, by the API's name in boto3.
    Not a dataclass, because making one takes a millisecond of the cold start.
    """

    def __init__(self) -> None:
        self.rekognition_calls = 0
        self.by_detector: dict[str, int] = {}

    def add(self, api: str) -> None:
        """Count a call of a detector's API."""
        self.rekognition_calls += 1
        self.by_detector[api] = self.by_detector.get(api, 0) + 1


class Result(NamedTuple):
    """The outcome; how many labels were stored, or the reason of a rejection or of waiting."""

    outcome: Outcome
    labels: int = 0
    reason: str = ""


class Known:
    """What is known about a photo so far: its labels or its rejection, and the findings of detectors by their names.

    `unsaved` says whether Rekognition has answered something that is not stored yet. `failure` ended the questions.
    `indexed` has the faces that were added to the face collection, and that no item claims yet.
    Not a dataclass, because making one takes a millisecond of the cold start.
    """

    def __init__(self, photo: Photo) -> None:
        self.photo = photo
        self.content: Labels | Rejected | None = None
        self.findings: dict[str, Finding] = {}
        self.unsaved = False
        self.indexed: Unclaimed | None = None
        self.failure: Exception | None = None


class Reconciler:
    """Reconciles the item of a key with the object of that key. Safe to use from several threads.

    `detectors` are asked in this order about each photo that DetectLabels takes. `faces` indexes the faces of the photo
    last, when its item has everything else. `guard` finds unwanted photos.
    """

    def __init__(
        self,
        photos: PhotoSource,
        labels: LabelSource,
        items: ItemStore,
        wanted: Wanted,
        detectors: Sequence[Detector] = (),
        faces: IndexedFaces | None = None,
        guard: UnwantedPhotos | None = None,
    ) -> None:
        self._photos = photos
        self._labels = labels
        self._items = items
        self._wanted = wanted
        self._detectors = detectors
        self._faces = faces
        self._all: Sequence[AnyDetector] = (*detectors, *([faces.detector] if faces else []))
        self._guard = guard

    def reconcile(
        self,
        key: str,
        abandoned: Callable[[], bool] = lambda: False,
        cost: Cost | None = None,
        labelled_before: str = "",
        late: Callable[[], bool] = lambda: False,
    ) -> Result:
        """Write until item and object agree. Raises a Failure, or botocore's errors; what was written stays consistent.

        Billed calls are added to `cost`, also if it raises.

        `abandoned` says whether the invocation has returned the key to its sender. Then Rekognition is not called and
        nothing is written, because no later check would correct a late write.

        `late` says whether the invocation will soon end. Then no detector is called, so that what DetectLabels has
        answered is stored in time.

        Answers from before the time `labelled_before` (see model.iso_time) are replaced by new ones of Rekognition.
        Labels and findings of other settings are replaced without a call, if the stored answer has all that is wanted.
        So is the time of an object that was uploaded again with the same content.

        If a detector fails, the other answers are stored before its failure is raised, with settings that name only
        what is there. The next attempt then asks only for what is missing.

        What is to be done with an unwanted photo is stored before it is done, and again afterwards.

        The item is read before the object. In the other order, if another worker labels a new object between the two
        reads, item and object would seem to disagree, and labels of the older object would overwrite the newer ones.
        """
        result = Result(Outcome.UNCHANGED)
        cost = cost or Cost()
        known: Known | None = None
        written: Photo | None = None
        given_up: set[int] = set()  # revisions of items whose unwanted photos have been replaced
        for _ in range(MAX_ROUNDS):
            item = self._items.get(key)
            photo = self._photos.head(key)
            # What was written here is new enough, even if this machine's clock is behind.
            before = "" if written is not None and written == photo else labelled_before
            try:
                if self._faces is not None and known is not None and known.indexed is not None:
                    item = self._faces.give_up(known.indexed, item)
                    known.indexed = None
                agree = self._agree(item, photo, before)
                act = self._is_pending(item) and item is not None and item.revision not in given_up
                if agree and not act and (item is None or self._is_settled(item)):
                    return result
                if abandoned():
                    raise TryAgain("the invocation ended before the photo was done")
                if self._faces is not None and item is not None:
                    self._faces.wait_for_others(item)
                if agree and item is not None and item.rows is not Rows.COMPLETE:
                    self._items.index(item)
                elif act and item is not None:
                    if not self._act(item, abandoned):
                        given_up.update(() if agree else [item.revision])
                    elif item.unwanted is not None and item.unwanted.removes:
                        result = Result(Outcome.REMOVED)
                elif agree and item is not None and self._faces is not None:
                    self._faces.settle(item)
                elif photo is not None:
                    if known is None or known.photo != photo:  # after a conflict, the previous answers are used
                        known = Known(photo)
                    content = self._ask(known, item, before, abandoned, late, cost)
                    if content is None or abandoned():
                        continue
                    if item is not None and self._lacks_only_faces(item, known, content, before):
                        if item.rows is not Rows.COMPLETE:
                            self._items.index(item)  # not written again: workers would hinder each other for ever
                            continue
                        indexed = self._index_faces(known, item, content, late, abandoned, cost)
                        if indexed is None:
                            continue
                        content, item = indexed
                    self._store(known, content, item)
                    result = _result_of(content)
                    written = photo
                elif item is not None:
                    if self._faces is not None:
                        item = self._faces.withdraw(item)
                    self._items.delete(item)
                    result = Result(Outcome.REMOVED)
            except Conflict:
                continue
        raise TryAgain(f"the object or its item changed {MAX_ROUNDS} times while it was being labelled")

    def _agree(self, item: Item | None, photo: Photo | None, before: str) -> bool:
        if item is None or photo is None:
            return photo is None and (item is None or item.removed)
        if not self._is_current(item, photo, before) or item.settings != self._settings_without():
            return False
        # Its time alone is not worth a call of Rekognition.
        return item.uploaded == photo.modified or self._stored(item, before) is None

    def _is_settled(self, item: Item) -> bool:
        """Whether an item that agrees with its object needs no further write."""
        unclaimed = item.unclaimed and (self._faces is not None or not item.removed)
        return item.rows is Rows.COMPLETE and not unclaimed

    def _is_pending(self, item: Item | None) -> bool:
        """Whether the item has a decision under the current settings that is not done yet.

        The faces may be missing, because those of a photo that is removed need not be indexed.
        """
        if self._guard is None or item is None or item.unwanted is None or item.unwanted.done:
            return False
        without_faces = self._settings_without([self._faces.detector] if self._faces is not None else ())
        return item.settings in (self._settings_without(), without_faces)

    def _act(self, item: Item, abandoned: Callable[[], bool]) -> bool:
        """Do what is decided about an unwanted photo, and store that it is done; whether there was a photo left."""
        done = None if self._guard is None else self._guard.act(item, abandoned)
        if done is None:
            return False
        if done.removes:
            if self._faces is not None:
                item = self._faces.withdraw(item)
            self._items.remove(item, done)
        else:
            self._items.record(item, done)
        return True

    def _decision(self, photo: Photo, content: Labels, missing: bool, item: Item | None) -> Unwanted | None:
        """What is stored about an unwanted photo. Nothing is decided before all answers are there, except the faces."""
        before = item.unwanted if item is not None and not item.removed and _is_of(item, photo) else None
        if self._guard is not None and not missing:
            return self._guard.decide(photo, content, before)
        return before if before is not None and before.done and not before.dry_run else None

    def _is_current(self, item: Item, photo: Photo, before: str) -> bool:
        """Whether all that the item has is about exactly this object, not from before this time, and still there."""
        new_enough = item.labelled_at >= before and all(finding.at >= before for finding in item.findings)
        return not item.removed and _is_of(item, photo) and new_enough and not _has_lost_faces(item)

    def _settings_without(self, missing: Sequence[AnyDetector] = ()) -> str:
        """The settings of an item with all that is wanted, except what these detectors find."""
        return self._wanted.text + "".join(each.settings for each in self._all if each not in missing)

    def _ask(
        self,
        known: Known,
        item: Item | None,
        before: str,
        abandoned: Callable[[], bool],
        late: Callable[[], bool],
        cost: Cost,
    ) -> Labels | Rejected | None:
        """Ask for what neither the item nor `known` has, until a detector fails.

        None if the photo was replaced or deleted before Rekognition could read it. Raises if DetectLabels fails.
        """
        stored = item if item is not None and _is_of(item, known.photo) else None
        try:
            if known.content is None:
                known.content = self._stored(stored, before)
            if known.content is None:
                known.content = self._detect(known.photo, abandoned)
                known.unsaved = True
                cost.rekognition_calls += 1
            if isinstance(known.content, Labels):
                self._ask_detectors(known, stored, before, lambda: late() or abandoned(), cost)
        except Unreadable:
            if self._photos.head(known.photo.key) == known.photo:
                raise
            return None
        if isinstance(known.content, Rejected):
            return known.content
        found = tuple(known.findings.values())
        # Not kept in `known`: another worker may have deleted the faces of an item that was read before.
        if self._faces is not None and (faces := _finding_of(self._faces.detector, stored, before)):
            found += (self._faces.detector.choose(faces),)
        return replace(known.content, findings=found) if found else known.content

    def _ask_detectors(
        self, known: Known, item: Item | None, before: str, too_late: Callable[[], bool], cost: Cost
    ) -> None:
        """Add the findings to `known`, and the failure of a detector. Raises Unreadable if the object has changed."""
        for detector in self._detectors:
            if detector.name in known.findings:
                continue
            finding = _finding_of(detector, item, before)
            if finding is None and known.failure is None:
                try:
                    finding = detector.detect(known.photo, too_late)
                except Exception as error:
                    if isinstance(error, Unreadable) and self._photos.head(known.photo.key) != known.photo:
                        raise
                    known.failure = error
                else:
                    known.unsaved = True
                    cost.add(detector.api)
            if finding is not None:
                known.findings[detector.name] = detector.choose(finding)

    def _store(self, known: Known, content: Labels | Rejected, item: Item | None) -> None:
        """Store what is known. Raises the failure that has kept a detector from its answer, after that."""
        asked = self._all if isinstance(content, Labels) else ()
        found = {finding.detector for finding in content.findings} if isinstance(content, Labels) else set()
        missing = [each for each in asked if each.name not in found]
        failed = [each for each in missing if self._faces is None or each is not self._faces.detector]
        if known.unsaved or not failed:
            decision = None
            if isinstance(content, Labels):
                decision = self._decision(known.photo, content, bool(failed), item)
                content = replace(content, unwanted=decision)
            if self._guard is not None and item is not None:
                self._guard.withdraw(item, known.photo, decision)
            unclaimed = None if self._faces is None else self._faces.left(known.indexed, item, content)
            self._items.put(known.photo, content, self._settings_without(missing), item, unclaimed)
            known.unsaved, known.indexed = False, None
            if self._guard is not None:
                self._guard.recorded(known.photo, decision, None if item is None else item.unwanted)
        if failed and known.failure is not None:
            raise known.failure

    def _lacks_only_faces(self, item: Item, known: Known, content: Labels | Rejected, before: str) -> bool:
        """Whether the item has all that is known, and the faces are still to be indexed."""
        if self._faces is None or isinstance(content, Rejected) or known.unsaved or known.failure is not None:
            return False
        detector = self._faces.detector
        has_faces = any(finding.detector == detector.name for finding in content.findings)
        has_the_rest = item.settings == self._settings_without([detector])
        return not has_faces and has_the_rest and self._is_current(item, known.photo, before)

    def _index_faces(
        self,
        known: Known,
        item: Item,
        content: Labels | Rejected,
        late: Callable[[], bool],
        abandoned: Callable[[], bool],
        cost: Cost,
    ) -> tuple[Labels, Item] | None:
        """Index the faces. Returns the content with the faces, and the item as it is now.

        None if the object was replaced or deleted in the meantime.
        """
        assert self._faces is not None and isinstance(content, Labels)  # noqa: S101, PT018 - for the type checker
        try:
            finding, known.indexed, item = self._faces.index(
                known.photo, item, lambda: late() or abandoned(), abandoned
            )
        except Unreadable:
            if self._photos.head(known.photo.key) == known.photo:
                raise
            return None
        cost.add(self._faces.detector.api)
        return replace(content, findings=(*content.findings, self._faces.detector.choose(finding))), item

    def _stored(self, item: Item | None, before: str) -> Labels | Rejected | None:
        """What the stored answer for this photo says under the settings; None if Rekognition must be asked."""
        if item is None or item.removed or item.labelled_at < before:
            return None
        return from_stored(item.answer, self._wanted)

    def _detect(self, photo: Photo, abandoned: Callable[[], bool]) -> Labels | Rejected:
        answer = self._labels.detect(photo, abandoned)
        return self._wanted.choose(answer) if isinstance(answer, Labels) else answer


def _is_of(item: Item, photo: Photo) -> bool:
    """Whether the item is about exactly this object."""
    labelled = (item.bucket, item.etag, item.version_id)
    return labelled == (photo.bucket, photo.etag, photo.version_id)


def _has_lost_faces(item: Item) -> bool:
    """Whether faces of the item are about to be deleted from the collection, or are deleted already."""
    if item.unclaimed is None:
        return False
    return any(face_id in item.unclaimed.face_ids for finding in item.findings for face_id in finding.face_ids())


def _finding_of(detector: AnyDetector, item: Item | None, before: str) -> Finding | None:
    """The stored finding of the detector, if it has all that is wanted."""
    found = (
        ()
        if item is None or _has_lost_faces(item)
        else (each for each in item.findings if each.detector == detector.name)
    )
    return next((each for each in found if each.at >= before and detector.covers(each)), None)


def _result_of(content: Labels | Rejected) -> Result:
    if isinstance(content, Rejected):
        return Result(Outcome.REJECTED, reason=content.reason)
    return Result(Outcome.LABELLED, labels=len(content.labels))
