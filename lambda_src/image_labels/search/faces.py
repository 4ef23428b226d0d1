"""Finds photos of the same person in the face collection.

finder = FaceFinder(rekognition, dynamodb, collection_id="…-faces", labels_table="…-labels", images_table="…-images")
found = finder.like_photo("images/ada.jpg")
found = finder.like_image(Path("ada.jpg").read_bytes())

Each face that is searched for is a call of Rekognition, which is billed as an image. Rekognition answers with IDs of
faces; the rows of the labels table say which photos they are of (image_labels.tables.findings.faces).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from image_labels.aws_errors import code_of
from image_labels.detectors.faces import Faces, face_row_key
from image_labels.search.reads import Reads
from image_labels.tables.items import findings_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_rekognition import RekognitionClient

# Of an answer: https://docs.aws.amazon.com/rekognition/latest/APIReference/API_SearchFaces.html
MAX_MATCHES = 4096
# Of an image that is sent as bytes: https://docs.aws.amazon.com/rekognition/latest/dg/limits.html
MAX_IMAGE_BYTES = 5 * 1024 * 1024
DEFAULT_MIN_SIMILARITY = 90.0
_NO_IMAGE = ("InvalidImageFormatException", "ImageTooLargeException")


class NothingToSearchByError(Exception):
    """There is no such photo, or it has no indexed face. The message gives the reason and the next step."""


class NotAnImageError(Exception):
    """Rekognition cannot read the bytes as an image. The message gives the reason."""


@dataclass(frozen=True)
class Alike:
    """A photo with a face that is similar: the similarity in percent, the ID of the face, and its box as ratios."""

    key: str
    similarity: float
    face_id: str
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class FoundFaces:
    """Photos, most similar first. `searches` is the number of faces that were searched for, each a billed call.

    `more` says whether there are more photos than were wanted. `unknown` is the number of similar faces in the
    collection that belong to no photo: `image-labels audit` says why. Read units and requests are those of DynamoDB.
    """

    photos: tuple[Alike, ...]
    searches: int
    more: bool = False
    unknown: int = 0
    read_units: float = 0.0
    requests: int = 0


class FaceFinder:
    """Finds photos by faces. Raises botocore's errors, and image_labels.failures.TryAgain if DynamoDB throttles."""

    def __init__(
        self,
        rekognition: RekognitionClient,
        dynamodb: DynamoDBClient,
        *,
        collection_id: str,
        labels_table: str,
        images_table: str,
    ) -> None:
        self._rekognition = rekognition
        self._dynamodb = dynamodb
        self._collection_id = collection_id
        self._labels_table = labels_table
        self._images_table = images_table

    def like_photo(
        self, key: str, *, face: int | None = None, min_similarity: float = DEFAULT_MIN_SIMILARITY, limit: int = 25
    ) -> FoundFaces:
        """Other photos of the people in this photo. `face` chooses one of its faces, 1 for the largest.

        `min_similarity` is in percent. Raises NothingToSearchByError.
        """
        answer = self._dynamodb.get_item(
            TableName=self._images_table, Key={"PK": {"S": key}}, ProjectionExpression="Faces", ConsistentRead=True
        )
        if "Item" not in answer:
            raise NothingToSearchByError("the table has no photo with this key")
        faces = next((each for each in findings_of(answer["Item"]) if isinstance(each, Faces)), None)
        if faces is None:
            raise NothingToSearchByError(
                "the photo was not searched for faces yet: `image-labels relabel --stale` does it"
            )
        if not faces.faces:
            raise NothingToSearchByError(faces.reason or "Rekognition found no face in the photo")
        chosen = faces.faces if face is None else faces.faces[max(0, face - 1) : max(0, face)]
        if not chosen:
            raise NothingToSearchByError(f"the photo has {len(faces.faces)} faces, and none with the number {face}")
        face_ids = [each.face_id for each in chosen if each.face_id]
        if not face_ids:
            reasons = ", ".join(dict.fromkeys(reason for each in chosen for reason in each.reasons))
            raise NothingToSearchByError(
                f"no face of the photo is in the collection: {reasons or 'it was not indexed'}"
            )
        matches = [match for face_id in face_ids for match in self._search(face_id, min_similarity)]
        return self._photos(matches, limit, len(face_ids), without=key)

    def like_image(
        self, image: bytes, *, min_similarity: float = DEFAULT_MIN_SIMILARITY, limit: int = 25
    ) -> FoundFaces:
        """Photos of the person with the largest face in an image of at most MAX_IMAGE_BYTES.

        Raises NothingToSearchByError if the image has no face, and NotAnImageError.
        """
        try:
            answer = self._rekognition.search_faces_by_image(
                CollectionId=self._collection_id,
                Image={"Bytes": image},
                MaxFaces=MAX_MATCHES,
                FaceMatchThreshold=min_similarity,
            )
        except ClientError as error:
            # The code of an image without a face is that of any other parameter. The API reference names the case.
            message = str(error.response.get("Error", {}).get("Message", ""))
            if code_of(error) == "InvalidParameterException" and "no faces" in message:
                raise NothingToSearchByError("Rekognition found no face in the image") from error
            if code_of(error) in _NO_IMAGE:
                raise NotAnImageError(f"Rekognition cannot read it: {message}") from error
            raise
        return self._photos(answer["FaceMatches"], limit, 1)

    def _search(self, face_id: str, min_similarity: float) -> Iterable[Mapping[str, Any]]:
        try:
            answer = self._rekognition.search_faces(
                CollectionId=self._collection_id,
                FaceId=face_id,
                MaxFaces=MAX_MATCHES,
                FaceMatchThreshold=min_similarity,
            )
        except ClientError as error:
            if code_of(error) == "InvalidParameterException":
                raise NothingToSearchByError(
                    f"the collection does not have the photo's face {face_id}: `image-labels audit` compares them"
                ) from error
            raise
        return answer["FaceMatches"]

    def _photos(
        self, matches: Iterable[Mapping[str, Any]], limit: int, searches: int, *, without: str = ""
    ) -> FoundFaces:
        best: dict[str, Mapping[str, Any]] = {}
        for match in matches:
            known = best.get(match["Face"]["FaceId"])
            if known is None or match["Similarity"] > known["Similarity"]:
                best[match["Face"]["FaceId"]] = match
        reads = Reads(self._dynamodb, labels_table=self._labels_table, images_table=self._images_table)
        keys = {
            row["Term"]["S"]: row["PK"]["S"]
            for row in reads.by_key(face_row_key(face_id) for face_id in best)
            if "S" in row.get("PK", {})
        }
        photos: dict[str, Alike] = {}
        unknown = 0
        for face_id, match in sorted(best.items(), key=lambda pair: -pair[1]["Similarity"]):
            key = keys.get(face_row_key(face_id)[0])
            if key is None:
                unknown += 1
            elif key != without:
                photos.setdefault(key, _alike(key, match))
        found = sorted(photos.values(), key=lambda photo: (-photo.similarity, photo.key))
        return FoundFaces(tuple(found[:limit]), searches, len(found) > limit, unknown, reads.units, reads.requests)


def _alike(key: str, match: Mapping[str, Any]) -> Alike:
    box = match["Face"]["BoundingBox"]
    sides = (box["Left"], box["Top"], box["Width"], box["Height"])
    return Alike(key, match["Similarity"], match["Face"]["FaceId"], sides)
