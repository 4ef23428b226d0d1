"""Fakes of the services that behave as the services do, as far as the reconciler needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from image_labels.model import Label, Labels, Photo, Rejected, iso_time
from image_labels.tables.items import Item, Rows
from image_labels.tables.store import Conflict

if TYPE_CHECKING:
    from image_labels.detectors.unclaimed import Unclaimed
    from image_labels.unwanted.decision import Unwanted

BUCKET = "photos-bucket"
TABLE = "image-labels-images"
LABELS_TABLE = "image-labels-labels"
UPLOADED = "2026-11-17T08:00:00.000+00:00"


@dataclass
class FakePhotos:
    """A bucket; `on_head` runs before each answer, for concurrent changes."""

    objects: dict[str, Photo] = field(default_factory=dict)
    heads: int = 0
    on_head: Callable[[int], None] = lambda _n: None

    def upload(self, key: str, etag: str, version_id: str | None = None, modified: str = UPLOADED) -> Photo:
        self.objects[key] = Photo(BUCKET, key, etag, version_id, 1000, modified)
        return self.objects[key]

    def delete(self, key: str) -> None:
        self.objects.pop(key, None)

    def head(self, key: str) -> Photo | None:
        self.heads += 1
        self.on_head(self.heads)
        return self.objects.get(key)


@dataclass
class FakeLabels:
    """Gives each photo a label named after its ETag, and `others`, unless `raising` or `rejecting` has the ETag.

    `asked_for` has the criteria of the request, "" for those of the settings.
    """

    raising: dict[str, Exception] = field(default_factory=dict)
    rejecting: dict[str, Rejected] = field(default_factory=dict)
    asked: list[Photo] = field(default_factory=list)
    others: tuple[Label, ...] = ()
    asked_for: str = ""
    on_detect: Callable[[int], None] = lambda _n: None

    def detect(self, photo: Photo, abandoned: Callable[[], bool] = lambda: False) -> Labels | Rejected:  # noqa: ARG002
        self.asked.append(photo)
        self.on_detect(len(self.asked))
        if error := self.raising.get(photo.etag):
            raise error
        if rejected := self.rejecting.get(photo.etag):
            return rejected
        return Labels((Label(f"label of {photo.etag}", 99.0), *self.others), "3.0", asked=self.asked_for)


@dataclass
class FakeItems:
    """A table with conditional writes; `contents` holds what was stored, and `now` is the time of the next write."""

    items: dict[str, Item] = field(default_factory=dict)
    contents: dict[str, Labels | Rejected] = field(default_factory=dict)
    indexed: list[str] = field(default_factory=list)
    reads: int = 0
    writes: int = 0
    now: float = 0.0

    def get(self, key: str) -> Item | None:
        self.reads += 1
        return self.items.get(key)

    def put(
        self,
        photo: Photo,
        content: Labels | Rejected,
        settings: str,
        replacing: Item | None,
        unclaimed: Unclaimed | None = None,
    ) -> None:
        if self.items.get(photo.key) != replacing:
            raise Conflict
        self.writes += 1
        at = content.at or iso_time(self.now)
        answer = content._replace(at=at) if isinstance(content, Rejected) else replace(content, at=at)
        if isinstance(answer, Labels):
            asked = answer.asked or settings
            answer = replace(answer, labels=answer.labels + answer.others, others=(), asked=asked)
        self.items[photo.key] = Item(
            photo.key,
            photo.bucket,
            photo.etag,
            photo.version_id,
            settings,
            revision=1000 + self.writes,
            labelled_at=at,
            answer=answer,
            uploaded=photo.modified,
            unclaimed=unclaimed or None,
            unwanted=answer.unwanted if isinstance(answer, Labels) else None,
            findings=tuple(replace(each, at=each.at or at) for each in getattr(content, "findings", ())),
        )
        self.contents[photo.key] = content

    def delete(self, item: Item) -> None:
        if self.items.get(item.key) != item:
            raise Conflict
        self.writes += 1
        del self.items[item.key]
        del self.contents[item.key]

    def mark_unclaimed(self, item: Item, unclaimed: Unclaimed) -> Item:
        if self.items.get(item.key) != item:
            raise Conflict
        self.touch(item.key)
        self.items[item.key] = self.items[item.key]._replace(unclaimed=unclaimed or None)
        return self.items[item.key]

    def record(self, item: Item, decision: Unwanted) -> None:
        self._replace(item, item._replace(unwanted=decision))

    def remove(self, item: Item, decision: Unwanted) -> None:
        self._replace(item, item._replace(unwanted=decision, removed=True, answer=None))
        del self.contents[item.key]

    def _replace(self, item: Item, new: Item) -> None:
        if self.items.get(item.key) != item:
            raise Conflict
        self.writes += 1
        self.items[item.key] = new._replace(revision=1000 + self.writes)

    def index(self, item: Item) -> None:
        self.indexed.append(item.key)
        self.items[item.key] = item._replace(rows=Rows.COMPLETE)

    def touch(self, key: str) -> None:
        """Another worker writes the item again: same content, another revision."""
        self.writes += 1
        self.items[key] = self.items[key]._replace(revision=1000 + self.writes)
