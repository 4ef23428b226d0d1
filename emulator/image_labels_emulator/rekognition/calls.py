"""A call of an operation, and what its answer needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from image_labels_emulator.rekognition import image, validation
from image_labels_emulator.rekognition.s3_photos import Fetched
from image_labels_emulator.rekognition.store import RekognitionStore, stores

if TYPE_CHECKING:
    from image_labels_emulator.rekognition.image import Photo
    from image_labels_emulator.rekognition.inference import Inference
    from image_labels_emulator.rekognition.validation import S3Photo


@dataclass(frozen=True, slots=True)
class Call:
    """One call: whose it is, its request, which `validation.check` has passed, and what reads and looks at images.

    `read` reads an object of S3 in the caller's account and Region.
    """

    account: str
    region: str
    request: Mapping[str, Any]
    read: Callable[[S3Photo], Fetched]
    inference: Inference

    @property
    def store(self) -> RekognitionStore:
        """The collections of the caller's account and Region. Use it under `store.LOCK`."""
        return stores[self.account][self.region]

    def image(self, name: str = "Image") -> tuple[Photo, Fetched]:
        """The decoded image that the request names, and its file; an image sent as bytes has no metadata.

        Raises RekognitionError: see `validation.image`, `s3_photos.fetch` and `image.load`.
        """
        place = validation.image(self.request[name])
        fetched = Fetched(place, {}) if isinstance(place, bytes) else self.read(place)
        return image.load(fetched.data), fetched
