"""The answer of DetectLabels: labels with ancestors and boxes, filters, limits, and image properties.

As in published answers of label model 3.0, every ancestor of a label is a label of the answer, with at least its
confidence. Labels are sorted by confidence, then by name, and Parents alphabetically. A label without boxes, or whose
source gives none, has an empty list of Instances. `OrientationCorrection` is absent (API reference: "always null").

Filters (Developer Guide, "Detecting labels in an image"): a label passes if its name or its category is included, and
neither is excluded. Filters and MinConfidence apply before MaxLabels ("the specified number of highest confidence
labels"). The guide's example includes Cat, Dog and the category Animals and Pets, and excludes Tiger. If a label had to
pass both inclusions, excluding Tiger would have no effect.

Not documented: `Labels` in the answer to a request for IMAGE_PROPERTIES only. Here it is an empty list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from image_labels_emulator.rekognition.colors import dominant_colors
from image_labels_emulator.rekognition.label_request import GENERAL_LABELS, IMAGE_PROPERTIES
from image_labels_emulator.rekognition.properties import image_properties

if TYPE_CHECKING:
    from collections.abc import Iterable

    from image_labels_emulator.rekognition.image import Photo
    from image_labels_emulator.rekognition.label_request import DetectLabelsRequest, Filters
    from image_labels_emulator.rekognition.sources import Box, Found
    from image_labels_emulator.rekognition.taxonomy import Label, Taxonomy

# The answers follow label model 3.0. The suffix distinguishes stored labels from those of the real model.
LABEL_MODEL_VERSION = "3.0-emulated"

_Instance = dict[str, Any]


def detect_labels(
    request: DetectLabelsRequest, photo: Photo, found: Iterable[Found], taxonomy: Taxonomy
) -> dict[str, Any]:
    """The DetectLabelsResponse for a validated request, a decoded photo and its labels."""
    with_colors = IMAGE_PROPERTIES in request.features
    answer: dict[str, Any] = {"Labels": [], "LabelModelVersion": LABEL_MODEL_VERSION}
    if GENERAL_LABELS in request.features:
        confidences, instances = _with_ancestors(found, taxonomy)
        kept = [
            (confidence, taxonomy.get(name))
            for name, confidence in confidences.items()
            if confidence >= request.min_confidence and _passes(taxonomy.get(name), request.filters)
        ]
        kept.sort(key=lambda pair: (-pair[0], pair[1].name))
        answer["Labels"] = [
            _label(label, confidence, instances.get(label.name, []), photo if with_colors else None, request)
            for confidence, label in kept[: request.max_labels]
        ]
    if with_colors:
        answer["ImageProperties"] = image_properties(photo.sample, request.max_dominant_colors)
    return answer


def _with_ancestors(found: Iterable[Found], taxonomy: Taxonomy) -> tuple[dict[str, float], dict[str, list[_Instance]]]:
    """Confidence and boxes by label name, for all labels and their ancestors.

    An ancestor that is not itself among the labels has the boxes of its descendants: a Woman's box is a Person's box.
    """
    confidences: dict[str, float] = {}
    instances: dict[str, list[_Instance]] = {}
    own = {label.name for label in found}
    for label in found:
        facts = taxonomy.get(label.name)
        boxes = [_instance(box) for box in label.boxes]
        for name in (label.name, *facts.parents):
            confidences[name] = max(confidences.get(name, 0.0), label.confidence)
            if taxonomy.get(name).has_boxes and (name == label.name or name not in own):
                instances.setdefault(name, []).extend(boxes)
    return confidences, instances


def _instance(box: Box) -> _Instance:
    return {
        "BoundingBox": {"Width": box.width, "Height": box.height, "Left": box.left, "Top": box.top},
        "Confidence": box.confidence,
    }


def _passes(label: Label, filters: Filters) -> bool:
    categories = set(label.categories)
    if label.name in filters.exclude_labels or categories & filters.exclude_categories:
        return False
    if not filters.include_labels and not filters.include_categories:
        return True
    return label.name in filters.include_labels or bool(categories & filters.include_categories)


def _label(
    label: Label,
    confidence: float,
    instances: list[_Instance],
    colors_of: Photo | None,
    request: DetectLabelsRequest,
) -> dict[str, Any]:
    if colors_of is not None:
        instances = [
            instance | {"DominantColors": _colors(instance, colors_of, request.max_dominant_colors)}
            for instance in instances
        ]
    return {
        "Name": label.name,
        "Confidence": confidence,
        "Instances": instances,
        "Parents": [{"Name": name} for name in label.parents],
        "Aliases": [{"Name": name} for name in label.aliases],
        "Categories": [{"Name": name} for name in label.categories],
    }


def _colors(instance: _Instance, photo: Photo, limit: int) -> list[dict[str, Any]]:
    box = instance["BoundingBox"]
    rows, columns = photo.sample.shape[:2]
    top, left = int(box["Top"] * rows), int(box["Left"] * columns)
    bottom, right = top + max(1, int(box["Height"] * rows)), left + max(1, int(box["Width"] * columns))
    return dominant_colors(photo.sample[top:bottom, left:right], limit)
