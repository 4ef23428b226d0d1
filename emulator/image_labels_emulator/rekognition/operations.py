"""The answers of the emulated operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from image_labels_emulator.rekognition import (
    detect,
    face_collections,
    face_search,
    faces,
    label_request,
    moderation,
    sources,
    taxonomy,
    text,
)

if TYPE_CHECKING:
    from image_labels_emulator.rekognition.calls import Call


def detect_labels(call: Call) -> dict[str, Any]:
    """The DetectLabelsResponse."""
    request = label_request.parse(call.request)
    photo, file = call.image()
    known = taxonomy.load()
    found = sources.find_labels(photo, known, metadata=file.metadata, see=call.inference.see)
    return detect.detect_labels(request, photo, found, known)


# Each answers a call whose request is valid, or raises RekognitionError.
ANSWERS: Mapping[str, Callable[[Call], dict[str, Any]]] = {
    "DetectLabels": detect_labels,
    "DetectFaces": faces.detect_faces,
    "CompareFaces": faces.compare_faces,
    "DetectModerationLabels": moderation.detect_moderation_labels,
    "DetectText": text.detect_text,
    "CreateCollection": face_collections.create_collection,
    "DescribeCollection": face_collections.describe_collection,
    "ListCollections": face_collections.list_collections,
    "DeleteCollection": face_collections.delete_collection,
    "TagResource": face_collections.tag_resource,
    "UntagResource": face_collections.untag_resource,
    "ListTagsForResource": face_collections.list_tags_for_resource,
    "IndexFaces": face_search.index_faces,
    "ListFaces": face_search.list_faces,
    "DeleteFaces": face_search.delete_faces,
    "SearchFaces": face_search.search_faces,
    "SearchFacesByImage": face_search.search_faces_by_image,
}
