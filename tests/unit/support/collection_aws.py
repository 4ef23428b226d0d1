"""A face collection behind the real clients of the command: requests are validated and serialized by botocore."""

from __future__ import annotations

import base64
import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from botocore import xform_name
from image_labels.detectors.faces import Face, Faces, FacesAsked, hash_of
from image_labels.model import Label, Labels, Photo
from image_labels_cli.aws import Aws
from image_labels_cli.deployment import Deployment
from support.face_collection import COLLECTION, FaceCollection
from support.fakes import BUCKET

if TYPE_CHECKING:
    from image_labels.tables.store import Store

ASKED = FacesAsked.of((), 20, COLLECTION, "AUTO")


def collection_of_files() -> FaceCollection:
    """A collection. An image that is sent as bytes is the names of the people in it."""

    def people(image: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
        text = base64.b64decode(image["Bytes"]).decode()
        return text, tuple(text.split())

    return FaceCollection(people)


def serve(aws: Aws, collection: FaceCollection) -> Aws:
    """Let the collection answer the calls of Rekognition of these clients."""

    def answer(model: Any, params: Any, **_: Any) -> Any:
        request = json.loads(params["body"])
        return SimpleNamespace(status_code=200), getattr(collection, xform_name(model.name))(**request)

    aws.session.events.register("before-call.rekognition", answer)
    return aws


def aws_with(collection: FaceCollection) -> Aws:
    return serve(Aws(Deployment(region="eu-central-1")), collection)


def put_people(
    store: Store, collection: FaceCollection, key: str, people: str, photo: Photo | None = None
) -> list[str]:
    """Store a photo of these people, as the function does. Returns the IDs of their faces, largest first."""
    call = f"{hash_of(key)}.{key}"
    image = {"Bytes": base64.b64encode(people.encode()).decode()}
    records = collection.index_faces(CollectionId=COLLECTION, Image=image, ExternalImageId=call)["FaceRecords"]
    face_ids = [record["Face"]["FaceId"] for record in records]
    found = Faces(
        asked=ASKED.text,
        call=call,
        faces=tuple(
            Face(0.1, 0.2, 0.3 - n / 100, 0.4, 99.0, {"Smile": {"Value": True, "Confidence": 97.5}}, face_id)
            for n, face_id in enumerate(face_ids)
        )
        + (() if face_ids else (Face(0.1, 0.2, 0.3, 0.4, 90.0, {}, reasons=("LOW_SHARPNESS",)),)),
    )
    content = Labels((Label("Person", 99.0),), "3.0", findings=(found,))
    store.put(
        photo or Photo(BUCKET, key, "e", "v1", 1), content, f"max_labels=10;min_confidence=80.0{ASKED.settings}", None
    )
    return face_ids
