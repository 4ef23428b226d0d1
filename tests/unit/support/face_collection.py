"""Rekognition's faces, and one collection, in memory: each call takes effect in one moment, or not at all.

They behave as the API reference says. IndexFaces stores the faces of an image once per ExternalImageId. DeleteFaces
takes IDs of faces that are not there. A search finds all faces of the same person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, cast

from botocore.exceptions import ClientError

Attributes = dict[str, Any]
COLLECTION = "image-labels-faces"
# A name that starts with this is of a face that the quality filter leaves out.
BLURRED = "Blurred"


@dataclass(frozen=True)
class Stored:
    """A face of the collection."""

    face_id: str
    person: str
    image: str
    external_image_id: str


@dataclass
class FaceCollection:
    """A fake of a Rekognition client. `people` gives an image's name and the people in it, largest face first.

    `network` is called around every call. `billing` is called before an image is sent, and its result when it is
    billed. `throttles` is the number of next calls that are refused. `calls` are the names of the calls that took
    effect. `page_size` is the number of faces of an answer of ListFaces.
    """

    people: Callable[[Attributes], tuple[str, tuple[str, ...]]]
    network: Callable[[Callable[[], Any]], Any] = lambda call: call()
    on_index: Callable[[str], None] = lambda _external_image_id: None
    billing: Callable[[], Callable[[], None]] = lambda: lambda: None
    faces: dict[str, Stored] = field(default_factory=dict)
    throttles: int = 0
    calls: list[str] = field(default_factory=list)
    page_size: int = 2
    numbers: Iterator[int] = field(default_factory=count)

    def detect_faces(self, *, Image: Attributes, **_: Any) -> Attributes:  # noqa: N803 - boto3's names
        def detect() -> Attributes:
            return {"FaceDetails": [_detail(n, person) for n, person in enumerate(self.people(Image)[1])]}

        return self._call("DetectFaces", detect)

    def index_faces(
        self,
        *,
        CollectionId: str,  # noqa: N803
        Image: Attributes,  # noqa: N803
        ExternalImageId: str,  # noqa: N803
        MaxFaces: int = 100,  # noqa: N803
        QualityFilter: str = "AUTO",  # noqa: N803
        **_: Any,
    ) -> Attributes:
        bill = self.billing()

        def index() -> Attributes:
            _check(CollectionId)
            image, people = self.people(Image)
            bill()
            self.on_index(ExternalImageId)
            good = [each for each in people if QualityFilter == "NONE" or not each.startswith(BLURRED)]
            records, unindexed = [], []
            for n, person in enumerate(people):
                if person not in good:
                    unindexed.append({"FaceDetail": _detail(n, person), "Reasons": ["LOW_SHARPNESS"]})
                elif good.index(person) >= MaxFaces:
                    unindexed.append({"FaceDetail": _detail(n, person), "Reasons": ["EXCEEDS_MAX_FACES"]})
                else:
                    face = self._stored(person, image, ExternalImageId)
                    records.append({"FaceDetail": _detail(n, person), "Face": _face(face, n)})
            return {"FaceRecords": records, "UnindexedFaces": unindexed, "FaceModelVersion": "7.0"}

        return self._call("IndexFaces", index)

    def delete_faces(self, *, CollectionId: str, FaceIds: list[str]) -> Attributes:  # noqa: N803
        def delete() -> Attributes:
            _check(CollectionId)
            assert 1 <= len(FaceIds) <= 4096
            return {"DeletedFaces": [face_id for face_id in FaceIds if self.faces.pop(face_id, None)]}

        return self._call("DeleteFaces", delete)

    def list_faces(self, *, CollectionId: str, NextToken: str = "", **_: Any) -> Attributes:  # noqa: N803
        def page() -> Attributes:
            _check(CollectionId)
            # A face that is added or deleted meanwhile does not move the others: the token is a face, not a place.
            after = [
                face for face in sorted(self.faces.values(), key=lambda each: each.face_id) if face.face_id > NextToken
            ]
            found, more = after[: self.page_size], after[self.page_size :]
            answer: Attributes = {"Faces": [_face(face) for face in found]}
            return answer | ({"NextToken": found[-1].face_id} if more else {})

        answer: Attributes = self._call("ListFaces", page)
        return answer

    def search_faces(self, *, CollectionId: str, FaceId: str, FaceMatchThreshold: float = 80, **_: Any) -> Attributes:  # noqa: N803
        def search() -> Attributes:
            _check(CollectionId)
            if FaceId not in self.faces:
                raise refusal("InvalidParameterException", "faceId was not found in the collection.", "SearchFaces")
            return self._matches(self.faces[FaceId].person, FaceMatchThreshold, without=FaceId)

        return self._call("SearchFaces", search)

    def search_faces_by_image(
        self,
        *,
        CollectionId: str,  # noqa: N803
        Image: Attributes,  # noqa: N803
        FaceMatchThreshold: float = 80,  # noqa: N803
        **_: Any,
    ) -> Attributes:
        def search() -> Attributes:
            _check(CollectionId)
            people = self.people(Image)[1]
            if not people:
                message = "There are no faces in the image. Should be at least 1."
                raise refusal("InvalidParameterException", message, "SearchFacesByImage")
            return self._matches(people[0], FaceMatchThreshold)

        return self._call("SearchFacesByImage", search)

    def people_stored(self) -> list[str]:
        """The names of all faces of the collection, in alphabetical order."""
        return sorted(face.person for face in self.faces.values())

    def _call(self, operation: str, effect: Callable[[], Attributes]) -> Attributes:
        def in_one_moment() -> Attributes:
            if self.throttles:
                self.throttles -= 1
                raise refusal("ThrottlingException", "", operation)
            answer = effect()
            self.calls.append(operation)
            return answer

        return cast("Attributes", self.network(in_one_moment))

    def _stored(self, person: str, image: str, external_image_id: str) -> Stored:
        for face in self.faces.values():
            if (face.person, face.image, face.external_image_id) == (person, image, external_image_id):
                return face
        face = Stored(f"{next(self.numbers):08x}-0000-4000-8000-000000000000", person, image, external_image_id)
        self.faces[face.face_id] = face
        return face

    def _matches(self, person: str, threshold: float, without: str = "") -> Attributes:
        """The faces of the person, each a little less similar than the one before, which was indexed earlier."""
        found = [face for face in self.faces.values() if face.person == person and face.face_id != without]
        matches = [{"Similarity": 99.9 - n, "Face": _face(face)} for n, face in enumerate(found)]
        return {"FaceMatches": [match for match in matches if cast("float", match["Similarity"]) >= threshold]}


def refusal(code: str, message: str, operation: str) -> ClientError:
    """An error that says that nothing has been done."""
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    return ClientError(cast("Any", response), operation)


def _check(collection_id: str) -> None:
    if collection_id != COLLECTION:
        raise refusal("ResourceNotFoundException", f"The collection id: {collection_id} does not exist", "IndexFaces")


def _box(number: int) -> Attributes:
    """Each face is a little smaller than the one before."""
    return {"Left": 0.05 * number, "Top": 0.1, "Width": 0.4 - 0.01 * number, "Height": 0.5}


def _detail(number: int, person: str) -> Attributes:
    return {
        "BoundingBox": _box(number),
        "Confidence": 99.0,
        "Pose": {"Roll": 1.0, "Yaw": 2.0, "Pitch": 3.0},
        "Quality": {"Brightness": 80.0, "Sharpness": 90.0},
        "Landmarks": [{"Type": "eyeLeft", "X": 0.1, "Y": 0.2}],
        "Smile": {"Value": person != "Bob", "Confidence": 97.5},
        "AgeRange": {"Low": 20, "High": 30},
        "Emotions": [{"Type": "HAPPY", "Confidence": 90.0}, {"Type": "CALM", "Confidence": 10.0}],
    }


def _face(face: Stored, number: int = 0) -> Attributes:
    return {
        "FaceId": face.face_id,
        "ExternalImageId": face.external_image_id,
        "ImageId": "00000000-0000-5000-8000-000000000000",
        "BoundingBox": _box(number),
        "Confidence": 99.0,
    }
