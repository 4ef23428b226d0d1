"""DetectFaces: the faces in a photo, and what Rekognition guesses about each.

https://docs.aws.amazon.com/rekognition/latest/APIReference/API_DetectFaces.html

image_labels.detectors.face_index calls IndexFaces instead, whose answer has the same faces.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

from image_labels.calls import box, percent, readable, s3_object
from image_labels.detectors.finding import Finding
from image_labels.model import Rejected
from image_labels.tables.terms import DIGITS

if TYPE_CHECKING:
    from mypy_boto3_rekognition import RekognitionClient

    from image_labels.calls import Caller
    from image_labels.model import Photo

NAME = "faces"
# The members of a FaceDetail, by the value of the request's Attributes that asks for each.
ATTRIBUTES = {
    "AGE_RANGE": "AgeRange",
    "BEARD": "Beard",
    "EMOTIONS": "Emotions",
    "EYE_DIRECTION": "EyeDirection",
    "EYEGLASSES": "Eyeglasses",
    "EYES_OPEN": "EyesOpen",
    "FACE_OCCLUDED": "FaceOccluded",
    "GENDER": "Gender",
    "MOUTH_OPEN": "MouthOpen",
    "MUSTACHE": "Mustache",
    "SMILE": "Smile",
    "SUNGLASSES": "Sunglasses",
}
# Those that are in each answer. Landmarks are left out: they are 30 places that nothing here uses.
DEFAULT_MEMBERS = ("Pose", "Quality")
ALL, DEFAULT = "ALL", "DEFAULT"
# Of image_labels.tables.findings.MAX_FINDING_BYTES, which 200 faces without attributes do not fill by half.
MAX_ATTRIBUTES_BYTES = 20_000


@dataclass(frozen=True)
class Face:
    """A face: its box as ratios (0 to 1) of the photo's width and height, and its confidence in percent.

    `attributes` has members of Rekognition's FaceDetail, as plain JSON. `face_id` is its ID in the collection, "" if it
    is not indexed, and `reasons` are Rekognition's reasons for that.
    """

    left: float
    top: float
    width: float
    height: float
    confidence: float
    attributes: Mapping[str, Any] = field(default_factory=dict)
    face_id: str = ""
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Faces(Finding):
    """The faces of a photo, largest first. With a collection, they include those that Rekognition did not index.

    `call` is the ExternalImageId of the faces in the collection.
    """

    detector: ClassVar[str] = NAME
    faces: tuple[Face, ...] = ()
    call: str = ""

    @property
    def taken(self) -> tuple[Face, ...]:
        """The faces that the maximum number of faces counts."""
        return tuple(face for face in self.faces if not face.reasons)

    def face_ids(self) -> tuple[str, ...]:
        """The IDs of the faces that are in the collection."""
        return tuple(face.face_id for face in self.faces if face.face_id)

    def row_keys(self) -> Iterable[tuple[str, str]]:
        """A row for each face in the collection, which says whose it is."""
        return (face_row_key(face_id) for face_id in self.face_ids())

    def is_of(self, key: str) -> bool:
        """Whether the faces in the collection are those of the photo with this key."""
        return not self.face_ids() or self.call.startswith(f"{hash_of(key)}.")


@dataclass(frozen=True)
class FacesAsked:
    """The criteria of a request, and what a photo gets. With a collection, the faces are indexed in it."""

    attributes: frozenset[str]
    max_faces: int
    collection_id: str = ""
    quality_filter: str = ""

    @classmethod
    def of(
        cls, attributes: Iterable[str], max_faces: int, collection_id: str = "", quality_filter: str = ""
    ) -> FacesAsked:
        """`attributes` are those of the module's input; ALL stands for all of them, and DEFAULT for none."""
        given = set(attributes)
        chosen = frozenset(ATTRIBUTES) if ALL in given else frozenset(given - {DEFAULT})
        return cls(chosen, max_faces, collection_id, quality_filter)

    @property
    def text(self) -> str:
        """The form in which an item has them. It has no ; because that separates the settings of an item."""
        indexed = f"+collection={self.collection_id}+quality={self.quality_filter}" if self.collection_id else ""
        return f"attributes={','.join(sorted(self.attributes))}+max={self.max_faces}{indexed}"

    @classmethod
    def parse(cls, text: str) -> FacesAsked | None:
        """The criteria with this `text`; None if it is of another form."""
        parts = dict(part.partition("=")[::2] for part in text.split("+"))
        try:
            names = frozenset(name for name in parts["attributes"].split(",") if name)
            found = cls(names, int(parts["max"]), parts.get("collection", ""), parts.get("quality", ""))
        except (KeyError, ValueError):
            return None
        return found if found.text == text else None

    @property
    def request(self) -> list[Any]:
        """The request's Attributes."""
        return [ALL] if self.attributes == frozenset(ATTRIBUTES) else [DEFAULT, *sorted(self.attributes)]

    @property
    def members(self) -> frozenset[str]:
        """The members of a FaceDetail to keep."""
        return frozenset(DEFAULT_MEMBERS) | {ATTRIBUTES[name] for name in self.attributes if name in ATTRIBUTES}

    @property
    def settings(self) -> str:
        """See DetectorCriteria."""
        return f";{NAME}={self.text}"

    def covers(self, asked: str) -> bool:
        """Whether the answer to this request has all that these criteria ask for, whatever is in the photo."""
        found = FacesAsked.parse(asked)
        return found is not None and self._covers(found) and self.max_faces <= found.max_faces

    def covers_finding(self, finding: Finding) -> bool:
        """Whether the stored finding has all that these criteria ask for. A refusal is about the object."""
        asked = FacesAsked.parse(finding.asked)
        if not isinstance(finding, Faces) or asked is None or not self._has_collection(asked):
            return False
        if finding.reason:
            return True
        has_all = len(finding.taken) < asked.max_faces or self.max_faces <= asked.max_faces
        return self._covers(asked) and has_all

    def _covers(self, asked: FacesAsked) -> bool:
        return self.attributes <= asked.attributes and self._has_collection(asked)

    def _has_collection(self, asked: FacesAsked) -> bool:
        """Faces that were indexed are also faces that were detected, but not the other way round."""
        mine, its = (self.collection_id, self.quality_filter), (asked.collection_id, asked.quality_filter)
        return not self.collection_id or mine == its

    def choose(self, finding: Finding) -> Finding:
        """The finding with what these criteria ask for. The rest is not kept, because it is data about people."""
        if not isinstance(finding, Faces):
            return finding
        left_out = {id(face) for face in finding.taken[self.max_faces :]}
        if not self.collection_id:  # why they are not indexed says nothing any more
            left_out |= {id(face) for face in finding.faces if face.reasons}
        kept = (self._chosen(face) for face in finding.faces if id(face) not in left_out)
        call = finding.call if self.collection_id else ""
        return replace(finding, faces=tuple(kept), asked=self.text, call=call)

    def _chosen(self, face: Face) -> Face:
        attributes = {name: value for name, value in face.attributes.items() if name in self.members}
        return replace(face, attributes=attributes, face_id=face.face_id if self.collection_id else "")


class FacesDetector:
    """Calls DetectFaces."""

    name = NAME
    api = "detect_faces"

    def __init__(self, client: RekognitionClient, caller: Caller, asked: FacesAsked) -> None:
        self._client = client
        self._caller = caller
        self._asked = asked
        self.settings = asked.settings

    def detect(self, photo: Photo, abandoned: Callable[[], bool]) -> Faces:
        """Raises as `Caller.call` does."""
        found = self._caller.call(
            photo,
            lambda: self._client.detect_faces(Image={"S3Object": s3_object(photo)}, Attributes=self._asked.request),
            lambda answer: tuple(readable(lambda detail: face_of(detail, self._asked.members), answer["FaceDetails"])),
            abandoned,
        )
        if isinstance(found, Rejected):
            return Faces(asked=self._asked.text, reason=found.reason)
        return fitted(Faces(asked=self._asked.text, faces=largest_first(found)))

    def covers(self, finding: Finding) -> bool:
        return self._asked.covers_finding(finding)

    def choose(self, finding: Finding) -> Finding:
        return self._asked.choose(finding)


def face_row_key(face_id: str) -> tuple[str, str]:
    """The key of the row that says which photo a face of the collection belongs to."""
    return (f"*face {face_id}", "face")


def hash_of(key: str) -> str:
    """What stands for the object key in an ExternalImageId, which may not have all the characters of a key."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def face_of(detail: Mapping[str, Any], members: Collection[str]) -> Face:
    """A FaceDetail. Raises KeyError, TypeError or ValueError if its box or its confidence cannot be read."""
    left, top, width, height = box(detail["BoundingBox"])
    attributes = {name: value for name in sorted(members) if (value := _plain(detail.get(name))) not in (None, {}, [])}
    return Face(left, top, width, height, percent(detail["Confidence"]), attributes)


def largest_first(faces: Iterable[Face]) -> tuple[Face, ...]:
    """Rekognition does not document the order of its answer."""
    return tuple(sorted(faces, key=lambda face: -face.width * face.height))


def fitted(finding: Faces) -> Faces:
    """The finding without the attributes of its smallest faces, if those of all do not fit into an item.

    The faces themselves always fit. Without their IDs, those in the collection would belong to no photo.
    """
    room = MAX_ATTRIBUTES_BYTES
    faces = []
    for face in finding.faces:
        room -= 2 * len(str(face.attributes))  # DynamoDB's form takes more than JSON, but not twice as much
        faces.append(face if room >= 0 else replace(face, attributes={}))
    return replace(finding, faces=tuple(faces), cut=finding.cut or room < 0)


def _plain(value: object) -> Any:
    """A value of an answer with numbers of the table's precision; None for what is neither JSON nor finite."""
    match value:
        case bool() | str():
            return value
        case int() | float():
            return round(float(value), DIGITS) if math.isfinite(value) else None
        case Mapping():
            return {str(name): plain for name, each in value.items() if (plain := _plain(each)) is not None}
        case list() | tuple():
            return [plain for each in value if (plain := _plain(each)) is not None]
        case _:
            return None
