"""Makes the detectors that the settings choose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from image_labels.calls import Caller
from image_labels.pace import Pace

if TYPE_CHECKING:
    from mypy_boto3_rekognition import RekognitionClient

    from image_labels.calls import Allowance
    from image_labels.detectors.face_claims import FaceClaims
    from image_labels.detectors.finding import Detector
    from image_labels.settings import Settings
    from image_labels.tables.store import Store


def make_detectors(settings: Settings, client: RekognitionClient, allowance: Allowance) -> tuple[Detector, ...]:
    """The detectors in the order in which they are asked. Each has its own pace, and all share the allowance."""
    found: list[Detector] = []
    if settings.text_min_confidence is not None:
        from image_labels.detectors.text import TextCriteria, TextDetector

        caller = Caller("DetectText", Pace(settings.detect_text_per_second), allowance)
        found.append(TextDetector(client, caller, TextCriteria(settings.text_min_confidence)))
    asked = settings.faces_asked
    if asked is not None and not asked.collection_id:
        from image_labels.detectors.faces import FacesDetector

        found.append(FacesDetector(client, Caller("DetectFaces", Pace(settings.faces_per_second), allowance), asked))
    if settings.moderation_min_confidence is not None:
        from image_labels.detectors.moderation import ModerationCriteria, ModerationDetector

        caller = Caller("DetectModerationLabels", Pace(settings.detect_moderation_labels_per_second), allowance)
        found.append(ModerationDetector(client, caller, ModerationCriteria(settings.moderation_min_confidence)))
    return tuple(found)


def make_face_claims(
    settings: Settings, client: RekognitionClient, allowance: Allowance, store: Store
) -> FaceClaims | None:
    """What indexes the faces of photos, if the settings say so."""
    asked = settings.faces_asked
    if asked is None or not asked.collection_id:
        return None
    from image_labels.detectors.face_claims import FaceClaims
    from image_labels.detectors.face_index import FaceIndex

    caller = Caller("IndexFaces", Pace(settings.faces_per_second), allowance)
    index = FaceIndex(client, caller, asked, Pace(settings.faces_per_second))
    return FaceClaims(index, store, seconds=settings.timeout)
