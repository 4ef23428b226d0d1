"""Face collections, which belong to an account and a Region.

They are part of LocalStack's state, as the resources of its own providers are: in memory, and saved only if LocalStack
saves its state.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from localstack.services.stores import AccountRegionBundle, BaseStore, LocalAttribute
from localstack.utils.aws.arns import get_partition

from image_labels_emulator.rekognition.errors import RekognitionError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# All reads and changes of collections. They take microseconds; what looks at pixels is done outside.
LOCK = threading.RLock()


@dataclass(frozen=True, slots=True)
class IndexedFace:
    """A face of a collection. `number` grows with each face of a store; `box` and `confidence` are as in answers."""

    number: int
    face_id: str
    image_id: str
    external_image_id: str | None
    box: dict[str, float]
    confidence: float
    embedding: NDArray[np.float32]


@dataclass(slots=True)
class Collection:
    """A collection. `number` grows with each collection of a store; `faces` are by ID, in the order of indexing."""

    number: int
    id: str
    arn: str
    created: datetime
    tags: dict[str, str] = field(default_factory=dict)
    faces: dict[str, IndexedFace] = field(default_factory=dict)


class RekognitionStore(BaseStore):
    """The collections of an account and Region by ID, and the number that the last collection or face was given."""

    collections: dict[str, Collection] = LocalAttribute(default=dict)  # type: ignore[assignment]
    last_number: int = LocalAttribute(default=0)  # type: ignore[assignment]

    def next_number(self) -> int:
        self.last_number += 1
        return self.last_number

    def find(self, collection_id: str, message: str | None = None) -> Collection:
        """Raises RekognitionError: ResourceNotFoundException."""
        if collection_id not in self.collections:
            message = message or f"The collection id: {collection_id} does not exist"
            raise RekognitionError("ResourceNotFoundException", message)
        return self.collections[collection_id]

    def create(self, account: str, region: str, collection_id: str) -> Collection:
        """Add an empty collection, whose ID must be free."""
        arn = f"arn:{get_partition(region)}:rekognition:{region}:{account}:collection/{collection_id}"
        found = Collection(self.next_number(), collection_id, arn, datetime.now(UTC))
        self.collections[collection_id] = found
        return found


# Not validated, because botocore's list of Regions lacks some that have Rekognition.
stores: AccountRegionBundle[RekognitionStore] = AccountRegionBundle("rekognition", RekognitionStore, validate=False)
