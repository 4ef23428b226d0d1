"""Faces of a collection: index, list, delete, search.

IndexFaces gives an image an ID that depends on its bytes only, because published image IDs are name-based UUIDs, and
each face a new ID. If the same image is indexed again with the same ExternalImageId, the faces keep their IDs and are
not stored twice (API reference, "IndexFaces"). Without an ExternalImageId, they get new IDs.

A search compares one face with all faces of the collection. Not documented: the number of matches without MaxFaces.
Here it is the limit, 4096.
"""

from __future__ import annotations

import hashlib
import uuid
from typing import TYPE_CHECKING, Any

import numpy as np

from image_labels_emulator.rekognition.errors import RekognitionError
from image_labels_emulator.rekognition.face_collections import FACE_MODEL_VERSION
from image_labels_emulator.rekognition.face_details import MAX_FACES, Detected, detect
from image_labels_emulator.rekognition.face_quality import reasons
from image_labels_emulator.rekognition.paging import page
from image_labels_emulator.rekognition.similarity import DEFAULT_THRESHOLD, similarities
from image_labels_emulator.rekognition.store import LOCK, IndexedFace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from image_labels_emulator.rekognition.calls import Call
    from image_labels_emulator.rekognition.store import Collection

MAX_MATCHES = 4096  # Developer Guide, "Guidelines and quotas"


def index_faces(call: Call) -> dict[str, Any]:
    """The IndexFacesResponse. Poor faces are left out first, then the smallest (API reference, "IndexFaces")."""
    _check_collection(call)
    photo, file = call.image()
    faces = [(face, reasons(face, call.request.get("QualityFilter") or "AUTO")) for face in detect(call, photo, file)]
    good = [face for face, why in faces if not why]
    limit = min(call.request.get("MaxFaces") or MAX_FACES, MAX_FACES)
    unindexed = [(face, why) for face, why in faces if why]
    unindexed += [(face, ["EXCEEDS_MAX_FACES"]) for face in good[limit:]]
    embeddings = [face.embedding(call) for face in good[:limit]]
    image_id = str(uuid.uuid5(uuid.NAMESPACE_OID, hashlib.sha256(file.data).hexdigest()))
    with LOCK:
        stored = [_store(call, image_id, *pair) for pair in zip(good[:limit], embeddings, strict=True)]
    return {
        "FaceRecords": [
            {"Face": _face(indexed), "FaceDetail": face.details()}
            for indexed, face in zip(stored, good[:limit], strict=True)
        ],
        "FaceModelVersion": FACE_MODEL_VERSION,
        "UnindexedFaces": [{"Reasons": why, "FaceDetail": face.details()} for face, why in unindexed],
    }


def list_faces(call: Call) -> dict[str, Any]:
    """The ListFacesResponse, in the order of indexing. No collection has users, because they are not emulated."""
    wanted = call.request.get("FaceIds")
    with LOCK:
        collection = _collection(call)
        if call.request.get("UserId"):
            raise RekognitionError("ResourceNotFoundException", f"The user {call.request['UserId']} does not exist")
        faces = [face for face in collection.faces.values() if wanted is None or face.face_id in wanted]
        found, token = page(faces, call.request, f"{collection.arn} {collection.number}")
    answer = {"Faces": [_face(face) for face in found], "FaceModelVersion": FACE_MODEL_VERSION}
    return answer | ({"NextToken": token} if token else {})


def delete_faces(call: Call) -> dict[str, Any]:
    """The DeleteFacesResponse. A face that is not in the collection is an unsuccessful deletion, not an error."""
    with LOCK:
        faces = _collection(call).faces
        wanted = dict.fromkeys(call.request["FaceIds"])  # in order, each once
        deleted = [face_id for face_id in wanted if faces.pop(face_id, None)]
    return {
        "DeletedFaces": deleted,
        "UnsuccessfulFaceDeletions": [
            {"FaceId": face_id, "Reasons": ["FACE_NOT_FOUND"]} for face_id in wanted if face_id not in deleted
        ],
    }


def search_faces(call: Call) -> dict[str, Any]:
    """The SearchFacesResponse, without the face itself."""
    face_id = call.request["FaceId"]
    with LOCK:
        faces = dict(_collection(call).faces)
    searched = faces.pop(face_id, None)
    if searched is None:
        raise RekognitionError("InvalidParameterException", "faceId was not found in the collection.")
    return {
        "SearchedFaceId": face_id,
        "FaceMatches": _matches(call, searched.embedding, faces.values()),
        "FaceModelVersion": FACE_MODEL_VERSION,
    }


def search_faces_by_image(call: Call) -> dict[str, Any]:
    """The SearchFacesByImageResponse, for the largest face of the image that passes the quality filter."""
    _check_collection(call)
    photo, file = call.image()
    quality_filter = call.request.get("QualityFilter") or "NONE"
    searched = next((face for face in detect(call, photo, file) if not reasons(face, quality_filter)), None)
    if searched is None:
        raise RekognitionError("InvalidParameterException", "There are no faces in the image. Should be at least 1.")
    embedding = searched.embedding(call)
    with LOCK:
        faces = list(_collection(call).faces.values())
    return {
        "SearchedFaceBoundingBox": searched.box,
        "SearchedFaceConfidence": searched.confidence,
        "FaceMatches": _matches(call, embedding, faces),
        "FaceModelVersion": FACE_MODEL_VERSION,
    }


def _check_collection(call: Call) -> None:
    """Raises RekognitionError: ResourceNotFoundException."""
    with LOCK:
        _collection(call)


def _collection(call: Call) -> Collection:
    return call.store.find(call.request["CollectionId"])


def _store(call: Call, image_id: str, face: Detected, embedding: NDArray[np.float32]) -> IndexedFace:
    """Add a face to the collection, unless the same image has been indexed with the same external ID."""
    faces = _collection(call).faces
    external_image_id = call.request.get("ExternalImageId")
    if external_image_id is not None:
        for known in faces.values():
            if (known.image_id, known.external_image_id, known.box) == (image_id, external_image_id, face.box):
                return known
    indexed = IndexedFace(
        number=call.store.next_number(),
        face_id=str(uuid.uuid4()),
        image_id=image_id,
        external_image_id=external_image_id,
        box=face.box,
        confidence=face.confidence,
        embedding=embedding,
    )
    faces[indexed.face_id] = indexed
    return indexed


def _matches(call: Call, embedding: NDArray[np.float32], faces: Iterable[IndexedFace]) -> list[dict[str, Any]]:
    """The FaceMatches: the most similar first, and of equally similar faces the one indexed first."""
    candidates = list(faces)
    if not candidates:
        return []
    threshold = call.request.get("FaceMatchThreshold")
    threshold = DEFAULT_THRESHOLD if threshold is None else threshold
    percents = similarities(embedding, np.stack([face.embedding for face in candidates]))
    best = sorted(zip(percents, candidates, strict=True), key=lambda pair: -pair[0])
    limit = min(call.request.get("MaxFaces") or MAX_MATCHES, MAX_MATCHES)
    return [{"Similarity": percent, "Face": _face(face)} for percent, face in best[:limit] if percent >= threshold]


def _face(face: IndexedFace) -> dict[str, Any]:
    """A Face of an answer."""
    answer: dict[str, Any] = {
        "FaceId": face.face_id,
        "BoundingBox": dict(face.box),
        "ImageId": face.image_id,
        "Confidence": face.confidence,
        "IndexFacesModelVersion": FACE_MODEL_VERSION,
    }
    return answer | ({"ExternalImageId": face.external_image_id} if face.external_image_id is not None else {})
