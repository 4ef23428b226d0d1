"""Face collections: create, describe, list, delete, and their tags.

Sources: API reference; Developer Guide, "Managing collections", "Error handling" and "Tagging collections".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from image_labels_emulator.rekognition.errors import RekognitionError
from image_labels_emulator.rekognition.paging import page
from image_labels_emulator.rekognition.store import LOCK

if TYPE_CHECKING:
    from image_labels_emulator.rekognition.calls import Call
    from image_labels_emulator.rekognition.store import Collection

FACE_MODEL_VERSION = "7.0"
MAX_TAGS = 200  # botocore's model, "TagMap"


def create_collection(call: Call) -> dict[str, Any]:
    collection_id = call.request["CollectionId"]
    with LOCK:
        if collection_id in call.store.collections:
            raise RekognitionError(
                "ResourceAlreadyExistsException", f"The collection id: {collection_id} already exists"
            )
        collection = call.store.create(call.account, call.region, collection_id)
        collection.tags.update(call.request.get("Tags") or {})
    return {"StatusCode": 200, "CollectionArn": collection.arn, "FaceModelVersion": FACE_MODEL_VERSION}


def describe_collection(call: Call) -> dict[str, Any]:
    collection_id = call.request["CollectionId"]
    with LOCK:
        # This operation's message differs from that of the others (media-insights-on-aws issue 3).
        collection = call.store.find(collection_id, f"Collection:{collection_id} not found!")
        return {
            "FaceCount": len(collection.faces),
            "FaceModelVersion": FACE_MODEL_VERSION,
            "CollectionARN": collection.arn,
            "CreationTimestamp": collection.created,
            "UserCount": 0,
        }


def list_collections(call: Call) -> dict[str, Any]:
    with LOCK:
        found, token = page(call.store.collections.values(), call.request, f"{call.account}/{call.region}")
    answer = {
        "CollectionIds": [collection.id for collection in found],
        "FaceModelVersions": [FACE_MODEL_VERSION] * len(found),
    }
    return answer | ({"NextToken": token} if token else {})


def delete_collection(call: Call) -> dict[str, Any]:
    with LOCK:
        collection = call.store.find(call.request["CollectionId"])
        del call.store.collections[collection.id]
    return {"StatusCode": 200}


def tag_resource(call: Call) -> dict[str, Any]:
    with LOCK:
        collection = _by_arn(call)
        tags = collection.tags | call.request["Tags"]
        if len(tags) > MAX_TAGS:
            raise RekognitionError("ServiceQuotaExceededException", f"A collection can have at most {MAX_TAGS} tags")
        collection.tags = tags
    return {}


def untag_resource(call: Call) -> dict[str, Any]:
    with LOCK:
        collection = _by_arn(call)
        for key in call.request["TagKeys"]:
            collection.tags.pop(key, None)
    return {}


def list_tags_for_resource(call: Call) -> dict[str, Any]:
    with LOCK:
        return {"Tags": dict(_by_arn(call).tags)}


def _by_arn(call: Call) -> Collection:
    """Raises RekognitionError: InvalidParameterException (not an ARN of Rekognition), ResourceNotFoundException."""
    arn = call.request["ResourceArn"]
    if arn.split(":")[:3:2] != ["arn", "rekognition"]:
        raise RekognitionError("InvalidParameterException", reason=f"{arn} is not an ARN of Rekognition")
    for collection in call.store.collections.values():
        if collection.arn == arn:
            return collection
    raise RekognitionError("ResourceNotFoundException", f"The resource {arn} does not exist")
