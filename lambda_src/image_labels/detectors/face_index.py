"""IndexFaces: the faces of photos in a Rekognition collection, where a search finds photos of the same person.

https://docs.aws.amazon.com/rekognition/latest/APIReference/API_IndexFaces.html

A call stores faces in the collection before its answer arrives. Each call has an ExternalImageId of its alone, so that
its faces can be found if the answer is lost: see image_labels.detectors.face_claims. Rekognition does not store
the same image with the same ID twice (API reference), which makes a retry within a call safe. It would not suffice for
the rest: the photo may be deleted or replaced before the next try.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError

from image_labels.backoff import waits
from image_labels.calls import readable, s3_object, text_in
from image_labels.detectors.faces import (
    NAME,
    Face,
    Faces,
    FacesAsked,
    face_of,
    fitted,
    hash_of,
    largest_first,
)
from image_labels.failures import TryAgain, failure_of
from image_labels.model import Rejected

if TYPE_CHECKING:
    from mypy_boto3_rekognition import RekognitionClient

    from image_labels.calls import Caller
    from image_labels.detectors.finding import Finding
    from image_labels.detectors.unclaimed import Unclaimed
    from image_labels.model import Photo
    from image_labels.pace import Pace

T = TypeVar("T")

# Of DeleteFaces and ListFaces: https://docs.aws.amazon.com/rekognition/latest/APIReference/API_DeleteFaces.html
MAX_FACE_IDS = 4096
# The reason of a face that Rekognition answers with the ExternalImageId of another call. Not documented, and not seen.
ANOTHER_PHOTOS = "INDEXED_FOR_ANOTHER_PHOTO"


@dataclass
class IndexCall:
    """A call of IndexFaces. `id` is its ExternalImageId. `begin` is called before each of its requests.

    `may_have_stored` says whether a request was sent that Rekognition did not refuse.
    """

    id: str
    begin: Callable[[], None]
    may_have_stored: bool = False


class FaceIndex:
    """A detector that calls IndexFaces, and the collection. Safe to use from several threads.

    `pace` is that of DeleteFaces and ListFaces, which have quotas of their own and are not billed.
    """

    name = NAME
    api = "index_faces"

    def __init__(
        self,
        client: RekognitionClient,
        caller: Caller,
        asked: FacesAsked,
        pace: Pace,
        *,
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._caller = caller
        self._asked = asked
        self._pace = pace
        self._new_id = new_id
        self._sleep = sleep
        self.settings = asked.settings

    def new_call(self, photo: Photo) -> str:
        """An ExternalImageId that no other call has. It starts with a hash of the key, for people who look at it."""
        return f"{hash_of(photo.key)}.{self._new_id()}"

    def index(self, photo: Photo, call: IndexCall, abandoned: Callable[[], bool]) -> Faces:
        """Index the faces of exactly this version of the photo. Raises as `Caller.call` does."""

        def send() -> Mapping[str, Any]:
            before, call.may_have_stored = call.may_have_stored, True
            try:
                return self._client.index_faces(
                    CollectionId=self._asked.collection_id,
                    Image={"S3Object": s3_object(photo)},
                    ExternalImageId=call.id,
                    DetectionAttributes=self._asked.request,
                    MaxFaces=self._asked.max_faces,
                    QualityFilter=self._asked.quality_filter,  # type: ignore[arg-type]
                )
            except ClientError as error:
                if _is_refusal(error):
                    call.may_have_stored = before
                raise

        found = self._caller.call(photo, send, lambda answer: self._faces(answer, call.id), abandoned, call.begin)
        if isinstance(found, Rejected):
            return Faces(asked=self._asked.text, reason=found.reason)
        return found

    def covers(self, finding: Finding) -> bool:
        """Whether no call is needed."""
        return self._asked.covers_finding(finding)

    def choose(self, finding: Finding) -> Finding:
        """What the photo gets."""
        return self._asked.choose(finding)

    def delete(self, unclaimed: Unclaimed) -> None:
        """Delete these faces from the collection. It does not matter if some of them are gone already.

        Raises TryAgain if Rekognition throttles or fails, NeedsOperator if a permission or the collection is missing,
        and botocore's errors if it is not reached.
        """
        face_ids = list(unclaimed.face_ids)
        if unclaimed.calls:
            face_ids += self._of(frozenset(unclaimed.calls))
        for start in range(0, len(face_ids), MAX_FACE_IDS):
            some = face_ids[start : start + MAX_FACE_IDS]
            self._send(partial(self._client.delete_faces, CollectionId=self._asked.collection_id, FaceIds=some))

    def _of(self, calls: Collection[str]) -> Iterator[str]:
        """The faces of these calls. The API has no filter for them, so this lists the whole collection."""
        list_faces = partial(self._client.list_faces, CollectionId=self._asked.collection_id, MaxResults=MAX_FACE_IDS)
        page = self._send(list_faces)
        while True:
            yield from (face["FaceId"] for face in page["Faces"] if face.get("ExternalImageId") in calls)
            if not page.get("NextToken"):
                return
            page = self._send(partial(list_faces, NextToken=page["NextToken"]))

    def _send(self, call: Callable[[], T]) -> T:
        for pause in (*waits(), None):
            self._pace.wait()
            try:
                return call()
            except ClientError as error:
                failure = failure_of(error)
                if pause is None or not isinstance(failure, TryAgain):
                    raise failure from error
                self._sleep(pause)
        raise AssertionError  # the last pause is None

    def _faces(self, answer: Mapping[str, Any], call: str) -> Faces:
        members = self._asked.members

        def indexed(record: Mapping[str, Any]) -> Face:
            face, stored = face_of(record["FaceDetail"], members), record["Face"]
            own = stored.get("ExternalImageId") == call
            return replace(face, face_id=text_in(stored, "FaceId")) if own else replace(face, reasons=(ANOTHER_PHOTOS,))

        def unindexed(record: Mapping[str, Any]) -> Face:
            reasons = tuple(str(reason) for reason in record.get("Reasons") or ())
            return replace(face_of(record["FaceDetail"], members), reasons=reasons or ("UNKNOWN",))

        # An indexed face that cannot be read fails the call: left out, it would stay in the collection without a photo.
        found = [*map(indexed, answer["FaceRecords"]), *readable(unindexed, answer.get("UnindexedFaces"))]
        return fitted(
            Faces(
                asked=self._asked.text,
                model_version=str(answer.get("FaceModelVersion", "")),
                faces=largest_first(found),
                call=call,
            )
        )


def _is_refusal(error: ClientError) -> bool:
    """Whether Rekognition has done nothing. It may have stored the faces before an error of its own."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)) < 500
