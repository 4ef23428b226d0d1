"""The request of DetectLabels.

Sources: API reference "DetectLabels", "GeneralLabelsSettings", "DetectLabelsImagePropertiesSettings". The guide
requires "the exact label names or label categories" in filters, but does not document the error for others. Here a
filter with an unknown name matches nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from image_labels_emulator.rekognition import validation
from image_labels_emulator.rekognition.errors import RekognitionError

if TYPE_CHECKING:
    from collections.abc import Mapping

GENERAL_LABELS = "GENERAL_LABELS"
IMAGE_PROPERTIES = "IMAGE_PROPERTIES"
DEFAULT_MIN_CONFIDENCE = 55.0
MAX_LABELS = 1000  # default and upper limit
DEFAULT_DOMINANT_COLORS = 10


@dataclass(frozen=True, slots=True)
class Filters:
    """Exact names. Without inclusions all labels pass; exclusions take precedence over inclusions."""

    include_labels: frozenset[str] = frozenset()
    exclude_labels: frozenset[str] = frozenset()
    include_categories: frozenset[str] = frozenset()
    exclude_categories: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class DetectLabelsRequest:
    """A valid request, with the service's defaults."""

    image: bytes | validation.S3Photo
    max_labels: int = MAX_LABELS
    min_confidence: float = DEFAULT_MIN_CONFIDENCE
    features: frozenset[str] = frozenset({GENERAL_LABELS})
    filters: Filters = Filters()
    max_dominant_colors: int = DEFAULT_DOMINANT_COLORS


def parse(raw: Mapping[str, Any]) -> DetectLabelsRequest:
    """A request that `validation.check` has passed, with the member names of the API reference.

    Raises RekognitionError: InvalidParameterException, InvalidS3ObjectException.
    """
    features = frozenset(raw.get("Features") or [GENERAL_LABELS])
    settings = raw.get("Settings") or {}
    _check_features(raw, features, settings)
    general = settings.get("GeneralLabels") or {}
    max_labels = raw.get("MaxLabels")
    min_confidence = raw.get("MinConfidence")
    colors = (settings.get("ImageProperties") or {}).get("MaxDominantColors")
    return DetectLabelsRequest(
        image=validation.image(raw["Image"]),
        max_labels=MAX_LABELS if max_labels is None else min(max_labels, MAX_LABELS),
        min_confidence=DEFAULT_MIN_CONFIDENCE if min_confidence is None else float(min_confidence),
        features=features,
        filters=Filters(
            include_labels=frozenset(general.get("LabelInclusionFilters") or ()),
            exclude_labels=frozenset(general.get("LabelExclusionFilters") or ()),
            include_categories=frozenset(general.get("LabelCategoryInclusionFilters") or ()),
            exclude_categories=frozenset(general.get("LabelCategoryExclusionFilters") or ()),
        ),
        max_dominant_colors=DEFAULT_DOMINANT_COLORS if colors is None else colors,
    )


def _check_features(raw: Mapping[str, Any], features: frozenset[str], settings: Mapping[str, Any]) -> None:
    # "These arguments are only valid when supplying GENERAL_LABELS as a feature type" (API reference).
    for_labels = [name for name in ("MaxLabels", "MinConfidence") if raw.get(name) is not None]
    for_labels += ["Settings.GeneralLabels"] if settings.get("GeneralLabels") else []
    if for_labels and GENERAL_LABELS not in features:
        raise RekognitionError("InvalidParameterException", reason=f"{', '.join(for_labels)} need {GENERAL_LABELS}")
    if settings.get("ImageProperties") and IMAGE_PROPERTIES not in features:
        raise RekognitionError("InvalidParameterException", reason=f"Settings.ImageProperties needs {IMAGE_PROPERTIES}")
