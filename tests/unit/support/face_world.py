"""The face collection of the histories (world.py), and what must be in it at the end.

Two workers may index the same photo, workers may die between any two calls, and photos may be replaced and deleted
meanwhile. At the end each face in the collection belongs to the item of a photo, and each face of an item is there.

One case is left to `image-labels audit`: a worker dies with faces that no item names, because another worker took the
photo over before they were in the collection (image_labels.detectors.face_claims).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from greenlet import greenlet
from image_labels.detectors.faces import Faces, FacesAsked, face_row_key
from image_labels.tables.items import findings_of
from support.face_collection import COLLECTION, FaceCollection

if TYPE_CHECKING:
    from image_labels.model import Photo

Attributes = dict[str, Any]


def people_in(etag: str) -> tuple[str, ...]:
    """None, one or two: contents have people in common."""
    return (("Ada", "Bob"), ("Ada",), (), ("Bob", "Cyd"), ("Cyd",))[int(etag) % 5]


class FaceWorld:
    """The collection. `read` gives the ETag of the image of a request. `max_faces` is a setting."""

    def __init__(
        self,
        read: Callable[[Attributes], str],
        network: Callable[[Callable[[], Any]], Any],
        images: Callable[[], Mapping[str, Attributes]],
        billing: Callable[[], Callable[[], None]],
    ) -> None:
        def people(image: Attributes) -> tuple[str, tuple[str, ...]]:
            return read(image), people_in(read(image))

        self.collection = FaceCollection(people, network, self._indexed, billing)
        self.max_faces = 5
        self.faulted: set[greenlet] = set()  # workers that died, or one of whose calls failed
        self._images = images
        self._marked: dict[str, str] = {}  # the revision with which each call was announced
        self._taken_over: dict[str, greenlet] = {}  # the worker of each call that was not announced any more

    @property
    def asked(self) -> FacesAsked:
        return FacesAsked.of((), self.max_faces, COLLECTION, "AUTO")

    def watch(self, images: Mapping[str, Attributes]) -> None:
        """Called after each write of an item."""
        for item in images.values():
            for call in item.get("UnclaimedFaces", {}).get("M", {}).get("Calls", {}).get("L", ()):
                self._marked.setdefault(call["S"], item["Revision"]["N"])

    def _indexed(self, call: str) -> None:
        assert call in self._marked, "faces are indexed before the item announces it"
        if self._marked[call] not in {
            item["Revision"].get("N") for item in self._images().values() if "Revision" in item
        }:
            self._taken_over[call] = greenlet.getcurrent()

    def differences(self, rows: Mapping[tuple[str, ...], Attributes], objects: Mapping[str, Photo]) -> list[str]:
        """How the collection and its rows differ from the items, and the items from the photos."""
        found: list[str] = []
        claimed: dict[str, str] = {}
        stored = self.collection.faces
        for key, item in self._images().items():
            if "UnclaimedFaces" in item:
                found.append(f"{key!r} still has unclaimed faces: {item['UnclaimedFaces']}")
            faces = next((each for each in findings_of(item) if isinstance(each, Faces)), None)
            if faces is None or key not in objects:
                continue  # a rejected photo, or one that is reported anyway
            there = tuple(stored[face_id].person for face_id in faces.face_ids() if face_id in stored)
            expected = people_in(objects[key].etag)[: self.max_faces]
            if there != expected:
                found.append(f"the collection has {there} of {key!r} instead of {expected}")
            claimed |= dict.fromkeys(faces.face_ids(), key)
        for face in stored.values():
            lost = self._taken_over.get(face.external_image_id) in self.faulted
            if face.face_id not in claimed and not lost:
                found.append(f"the collection has a face without a photo: {face}")
        expected_rows = {face_row_key(face_id): key for face_id, key in claimed.items()}
        actual_rows = {place: row["PK"]["S"] for place, row in rows.items() if place[0].startswith("*face ")}
        if actual_rows != expected_rows:
            found.append(f"the rows of faces are {actual_rows} instead of {expected_rows}")
        return found
