"""What the reconciler needs of the bucket, of Rekognition, of the tables and of the rules for unwanted photos.

Imported only by the type checker, because making protocols lengthens the cold start.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from image_labels.detectors.finding import AnyDetector, Finding
    from image_labels.detectors.unclaimed import Unclaimed
    from image_labels.model import Labels, Photo, Rejected
    from image_labels.tables.items import Item
    from image_labels.unwanted.decision import Unwanted


class PhotoSource(Protocol):
    """The bucket: see image_labels.photos.Photos."""

    def head(self, key: str) -> Photo | None: ...


class LabelSource(Protocol):
    """Rekognition: see image_labels.rekognition.Labeller."""

    def detect(self, photo: Photo, abandoned: Callable[[], bool]) -> Labels | Rejected: ...


class ItemStore(Protocol):
    """The tables: see image_labels.tables.store.Store."""

    def get(self, key: str) -> Item | None: ...

    def put(
        self,
        photo: Photo,
        content: Labels | Rejected,
        settings: str,
        replacing: Item | None,
        unclaimed: Unclaimed | None,
    ) -> None: ...

    def delete(self, item: Item) -> None: ...

    def record(self, item: Item, decision: Unwanted) -> None: ...

    def remove(self, item: Item, decision: Unwanted) -> None: ...

    def index(self, item: Item) -> None: ...


class IndexedFaces(Protocol):
    """The face collection: see image_labels.detectors.face_claims.FaceClaims."""

    @property
    def detector(self) -> AnyDetector: ...

    def wait_for_others(self, item: Item) -> None: ...

    def index(
        self, photo: Photo, item: Item, too_late: Callable[[], bool], abandoned: Callable[[], bool]
    ) -> tuple[Finding, Unclaimed, Item]: ...

    def left(self, indexed: Unclaimed | None, item: Item | None, content: Labels | Rejected) -> Unclaimed: ...

    def give_up(self, indexed: Unclaimed, item: Item | None) -> Item | None: ...

    def settle(self, item: Item) -> None: ...

    def withdraw(self, item: Item) -> Item: ...


class UnwantedPhotos(Protocol):
    """The rules for unwanted photos and their actions: see image_labels.unwanted.guard.Guard."""

    def decide(self, photo: Photo, content: Labels, before: Unwanted | None) -> Unwanted | None: ...

    def recorded(self, photo: Photo, decision: Unwanted | None, before: Unwanted | None) -> None: ...

    def act(self, item: Item, abandoned: Callable[[], bool]) -> Unwanted | None: ...

    def withdraw(self, item: Item, photo: Photo, decision: Unwanted | None) -> None: ...
