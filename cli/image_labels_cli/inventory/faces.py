"""The face collection, compared with the items: faces without a photo, and photos whose faces are gone.

Photos change during an audit. The collection is therefore listed before the table is read, and after it. A face without
a photo is in both lists, and a face that is gone in neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from image_labels.detectors.face_index import MAX_FACE_IDS

from image_labels_cli.patience import at_once

if TYPE_CHECKING:
    from mypy_boto3_rekognition import RekognitionClient

    from image_labels_cli.inventory.items import KnownItem


@dataclass
class FaceReport:
    """The number of faces of the collection, and up to `limit` IDs and keys of each difference.

    `without_photo` are IDs of faces that no item names. `lost` are keys of photos whose faces are not all there.
    """

    collection_id: str
    faces: int = 0
    without_photo_count: int = 0
    lost_count: int = 0
    without_photo: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


class FaceAudit:
    """Compares one collection with the items. Call `begin`, `add` for each item of the table, and then `report`.

    It keeps the IDs of all faces in memory. `call` makes each request.
    """

    def __init__(
        self,
        client: RekognitionClient,
        collection_id: str,
        *,
        call: Callable[[Callable[[], Any]], Any] = at_once,
    ) -> None:
        self._client = client
        self._collection_id = collection_id
        self._call = call
        self._before: dict[str, str] = {}
        self._named: set[str] = set()  # IDs of faces, and of calls whose faces have not been named yet

    def begin(self) -> None:
        """List the collection. Raises botocore's errors."""
        self._before = self._list()

    def add(self, item: KnownItem) -> None:
        """An item of the table, whether or not its photo is part of the audit."""
        self._named.update(item.face_ids.split(), item.unclaimed.split())

    def report(self, items: Iterable[KnownItem], limit: int) -> FaceReport:
        """The differences. The items are those that photos are listed of. Raises botocore's errors."""
        after = self._list()
        found = FaceReport(self._collection_id, len(after))
        for face_id, call in after.items():
            if face_id in self._before and not {face_id, call} & self._named:
                found.without_photo_count += 1
                if len(found.without_photo) < limit:
                    found.without_photo.append(face_id)
        for item in items:
            if any(face_id not in after and face_id not in self._before for face_id in item.face_ids.split()):
                found.lost_count += 1
                if len(found.lost) < limit:
                    found.lost.append(item.key)
        return found

    def _list(self) -> dict[str, str]:
        """The ExternalImageId of each face, by the face's ID."""
        found: dict[str, str] = {}
        more: dict[str, Any] = {}
        while True:
            request: dict[str, Any] = {"CollectionId": self._collection_id, "MaxResults": MAX_FACE_IDS} | more
            page = self._call(partial(self._client.list_faces, **request))
            found |= {face["FaceId"]: face.get("ExternalImageId", "") for face in page["Faces"]}
            if not page.get("NextToken"):
                return found
            more = {"NextToken": page["NextToken"]}
