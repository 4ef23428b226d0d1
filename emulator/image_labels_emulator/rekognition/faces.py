"""DetectFaces and CompareFaces.

CompareFaces compares the largest face of the source image with each face of the target image. An image without a face
is an InvalidParameterException (API reference, "CompareFaces"). A face that the quality filter drops is not compared,
and is in no list of the answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from image_labels_emulator.rekognition.errors import RekognitionError
from image_labels_emulator.rekognition.face_details import Detected, detect
from image_labels_emulator.rekognition.face_quality import reasons
from image_labels_emulator.rekognition.similarity import DEFAULT_THRESHOLD, similarities

if TYPE_CHECKING:
    from image_labels_emulator.rekognition.calls import Call


def detect_faces(call: Call) -> dict[str, Any]:
    """The DetectFacesResponse. Attributes beyond the default ones are absent, even if they are asked for."""
    return {"FaceDetails": [face.details() for face in detect(call, *call.image())]}


def compare_faces(call: Call) -> dict[str, Any]:
    """The CompareFacesResponse."""
    threshold = call.request.get("SimilarityThreshold")
    threshold = DEFAULT_THRESHOLD if threshold is None else threshold
    sources, targets = _comparable(call, "SourceImage"), _comparable(call, "TargetImage")
    if not sources:
        raise RekognitionError("InvalidParameterException", reason="no face of the source image passes QualityFilter")
    source = sources[0]
    matches: list[dict[str, Any]] = []
    unmatched: list[dict[str, Any]] = []
    for target, similarity in zip(targets, _similarities(call, source, targets), strict=True):
        if similarity >= threshold:
            matches.append({"Similarity": similarity, "Face": target.details()})
        else:
            unmatched.append(target.details())
    return {
        "SourceImageFace": {"BoundingBox": source.box, "Confidence": source.confidence},
        "FaceMatches": sorted(matches, key=lambda match: -match["Similarity"]),
        "UnmatchedFaces": unmatched,
    }


def _comparable(call: Call, name: str) -> list[Detected]:
    """The faces of an image that pass the quality filter, largest first."""
    found = detect(call, *call.image(name))
    if not found:
        raise RekognitionError("InvalidParameterException", reason=f"no face is detected in {name}")
    quality_filter = call.request.get("QualityFilter") or "NONE"
    return [face for face in found if not reasons(face, quality_filter)]


def _similarities(call: Call, source: Detected, targets: list[Detected]) -> list[float]:
    if not targets:
        return []
    embeddings = [face.embedding(call) for face in (source, *targets)]
    return similarities(embeddings[0], np.stack(embeddings[1:]))
