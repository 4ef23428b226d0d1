"""Faces of a photo, in the members of the API.

A test can dictate faces (`dictated_faces`). Otherwise only what the pixels show is told. `Pose` has the roll, which the
line through the eyes gives, but neither yaw nor pitch. The attributes that need another model (age, emotions, gender,
glasses and so on) are absent, because there is none with a clear licence. Brightness and sharpness are those of
IMAGE_PROPERTIES, for the box of the face.

Left and right are as seen in the picture: in the published answers, `eyeLeft` has the smaller X of an upright face, and
the roll is positive if `eyeRight` is lower (Developer Guide, "Detecting faces in an image").
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from image_labels_emulator.rekognition import dictated_faces
from image_labels_emulator.rekognition.properties import quality

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from image_labels_emulator.rekognition.calls import Call
    from image_labels_emulator.rekognition.image import Photo
    from image_labels_emulator.rekognition.s3_photos import Fetched
    from image_labels_emulator.vision.faces import Face

MAX_FACES = 100  # of an image: API reference, "DetectFaces"
# A smaller face is not detected (Developer Guide, "Guidelines and quotas"): 40 x 40 pixels in an image of 1920 x 1080,
# and proportionally more in a larger one.
_MIN_SIDE, _FULL_WIDTH, _FULL_HEIGHT = 40, 1920, 1080
_LANDMARKS = ("eyeLeft", "eyeRight", "nose", "mouthLeft", "mouthRight")


@dataclass(frozen=True, slots=True)
class Detected:
    """A face in a photo. `width` and `height` are those of its box in pixels of the photo.

    `dictated` is the embedding of a face that a test dictates, None for one that the model finds.
    """

    photo: Photo
    face: Face
    width: float
    height: float
    brightness: float
    sharpness: float
    dictated: NDArray[np.float32] | None = None

    @property
    def confidence(self) -> float:
        """In percent."""
        return self.face.score * 100

    @property
    def box(self) -> dict[str, float]:
        """A BoundingBox."""
        return {
            "Width": self.face.width,
            "Height": self.face.height,
            "Left": self.face.left,
            "Top": self.face.top,
        }

    def embedding(self, call: Call) -> NDArray[np.float32]:
        """A vector: the nearer two of them, the likelier the same person."""
        return call.inference.embed(self.photo.pixels, self.face) if self.dictated is None else self.dictated

    def details(self) -> dict[str, Any]:
        """The default attributes of a FaceDetail or ComparedFace."""
        landmarks = zip(_LANDMARKS, self.face.landmarks, strict=True)
        return {
            "BoundingBox": self.box,
            "Landmarks": [{"Type": name, "X": x, "Y": y} for name, (x, y) in landmarks],
            "Pose": {"Roll": self._roll()},
            "Quality": {"Brightness": self.brightness, "Sharpness": self.sharpness},
            "Confidence": self.confidence,
        }

    def _roll(self) -> float:
        (left_x, left_y), (right_x, right_y) = self.face.landmarks[:2]
        across, down = (right_x - left_x) * self.photo.width, (right_y - left_y) * self.photo.height
        return math.degrees(math.atan2(down, across))


def detect(call: Call, photo: Photo, file: Fetched) -> list[Detected]:
    """The largest faces of a photo, largest first."""
    if dictated_faces.METADATA_KEY in file.metadata:
        dictated = dictated_faces.from_metadata(file.metadata[dictated_faces.METADATA_KEY])
        return [_measured(photo, face, embedding) for face, embedding in dictated[:MAX_FACES]]
    return [
        found
        for face in call.inference.find_faces(photo.pixels)[:MAX_FACES]
        if _is_large_enough(found := _measured(photo, face))
    ]


def _measured(photo: Photo, face: Face, dictated: NDArray[np.float32] | None = None) -> Detected:
    measured = quality(_cut(photo.pixels, face))
    return Detected(
        photo,
        face,
        width=face.width * photo.width,
        height=face.height * photo.height,
        brightness=measured["Brightness"],
        sharpness=measured["Sharpness"],
        dictated=dictated,
    )


def _is_large_enough(found: Detected) -> bool:
    least = _MIN_SIDE * max(1.0, found.photo.width / _FULL_WIDTH, found.photo.height / _FULL_HEIGHT)
    return min(found.width, found.height) >= least


def _cut(pixels: NDArray[np.uint8], face: Face) -> NDArray[np.uint8]:
    """The pixels in the box of a face, at least one."""
    rows, columns = pixels.shape[:2]
    top, left = (min(max(0, int(at * size)), size - 1) for at, size in ((face.top, rows), (face.left, columns)))
    bottom, right = top + max(1, int(face.height * rows)), left + max(1, int(face.width * columns))
    return pixels[top:bottom, left:right]
