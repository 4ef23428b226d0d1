"""Validation of DetectLabels requests, with the checks of the service.

There are two stages, as in the service. Lengths, ranges, patterns and enums come from botocore's service model. They
fail with ValidationException and the service's message ("1 validation error detected: Value '…' at 'maxLabels' failed
to satisfy constraint: …"). Rules outside the model fail with InvalidParameterException or InvalidS3ObjectException.

Sources: API reference "DetectLabels", "Image", "S3Object", "GeneralLabelsSettings",
"DetectLabelsImagePropertiesSettings". The guide requires "the exact label names or label categories" in filters, but
does not document the error for others. Here a filter with an unknown name matches nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session

from image_labels_emulator.rekognition.errors import RekognitionError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from botocore.model import ListShape, OperationModel, Shape, StructureShape

GENERAL_LABELS = "GENERAL_LABELS"
IMAGE_PROPERTIES = "IMAGE_PROPERTIES"
DEFAULT_MIN_CONFIDENCE = 55.0
MAX_LABELS = 1000  # default and upper limit
DEFAULT_DOMINANT_COLORS = 10


@dataclass(frozen=True, slots=True)
class S3Photo:
    """A photo in S3; `version` None means the current version."""

    bucket: str
    key: str
    version: str | None = None


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

    image: bytes | S3Photo
    max_labels: int = MAX_LABELS
    min_confidence: float = DEFAULT_MIN_CONFIDENCE
    features: frozenset[str] = frozenset({GENERAL_LABELS})
    filters: Filters = Filters()
    max_dominant_colors: int = DEFAULT_DOMINANT_COLORS


def parse(raw: Mapping[str, Any]) -> DetectLabelsRequest:
    """Validate a request with the member names of the API reference.

    Raises RekognitionError: SerializationException (a wrong JSON type), ValidationException (against the model),
    InvalidParameterException, InvalidS3ObjectException.
    """
    shape = operation_model().input_shape
    assert shape is not None  # DetectLabels has an input; mypy cannot know
    problems = list(_problems(shape, raw, ""))
    if problems:
        count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected"
        raise RekognitionError("ValidationException", f"{count}: {'; '.join(problems)}")
    features = frozenset(raw.get("Features") or [GENERAL_LABELS])
    settings = raw.get("Settings") or {}
    _check_features(raw, features, settings)
    general = settings.get("GeneralLabels") or {}
    max_labels = raw.get("MaxLabels")
    min_confidence = raw.get("MinConfidence")
    colors = (settings.get("ImageProperties") or {}).get("MaxDominantColors")
    return DetectLabelsRequest(
        image=_image(raw["Image"]),
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


@cache
def operation_model() -> OperationModel:
    """botocore's model of DetectLabels."""
    return botocore.session.get_session().get_service_model("rekognition").operation_model("DetectLabels")


def _check_features(raw: Mapping[str, Any], features: frozenset[str], settings: Mapping[str, Any]) -> None:
    # "These arguments are only valid when supplying GENERAL_LABELS as a feature type" (API reference).
    for_labels = [name for name in ("MaxLabels", "MinConfidence") if raw.get(name) is not None]
    for_labels += ["Settings.GeneralLabels"] if settings.get("GeneralLabels") else []
    if for_labels and GENERAL_LABELS not in features:
        raise RekognitionError("InvalidParameterException", reason=f"{', '.join(for_labels)} need {GENERAL_LABELS}")
    if settings.get("ImageProperties") and IMAGE_PROPERTIES not in features:
        raise RekognitionError("InvalidParameterException", reason=f"Settings.ImageProperties needs {IMAGE_PROPERTIES}")


def _image(raw: Mapping[str, Any]) -> bytes | S3Photo:
    data, photo = raw.get("Bytes"), raw.get("S3Object")
    if (data is None) == (photo is None):
        raise RekognitionError("InvalidParameterException", reason="Image needs exactly one of Bytes and S3Object")
    if photo is None:
        return bytes(data or b"")
    if not photo.get("Bucket") or not photo.get("Name"):
        raise RekognitionError(
            "InvalidS3ObjectException", "Request has invalid S3 object", "S3Object needs both Bucket and Name"
        )
    return S3Photo(photo["Bucket"], photo["Name"], photo.get("Version"))


def _problems(shape: Shape, value: Any, path: str) -> Iterator[str]:
    """The violated constraints of the model, each as a clause of the service's message."""
    _check_type(shape, value, path)
    if shape.type_name == "structure":
        yield from _structure_problems(shape, value, path)  # type: ignore[arg-type]
        return
    clauses = [*_own_constraints(shape, value)]
    if shape.type_name == "list":
        clauses += _member_constraints(shape, value)  # type: ignore[arg-type]
    yield from (f"Value {_shown(value)} at '{path}' failed to satisfy constraint: {clause}" for clause in clauses)


def _structure_problems(shape: StructureShape, value: Mapping[str, Any], path: str) -> Iterator[str]:
    for name, member in shape.members.items():
        inner = f"{path}.{_lower(name)}" if path else _lower(name)
        if value.get(name) is not None:
            yield from _problems(member, value[name], inner)
        elif name in shape.required_members:
            yield f"Value null at '{inner}' failed to satisfy constraint: Member must not be null"


def _member_constraints(shape: ListShape, value: list[Any]) -> Iterator[str]:
    broken: dict[str, None] = {}  # in order, each once
    for item in value:
        _check_type(shape.member, item, "list member")
        broken.update(dict.fromkeys(_own_constraints(shape.member, item)))
    if broken:
        yield f"Member must satisfy constraint: [{', '.join(broken)}]"


def _own_constraints(shape: Shape, value: Any) -> Iterator[str]:
    metadata: Mapping[str, Any] = shape.metadata
    sized = shape.type_name in ("string", "blob", "list")
    size, what = (len(value), "length") if sized else (value, "value")
    if "min" in metadata and size < metadata["min"]:
        yield f"Member must have {what} greater than or equal to {metadata['min']}"
    if "max" in metadata and size > metadata["max"]:
        yield f"Member must have {what} less than or equal to {metadata['max']}"
    if "pattern" in metadata and not re.fullmatch(metadata["pattern"], value):
        yield f"Member must satisfy regular expression pattern: {metadata['pattern']}"
    if metadata.get("enum") and value not in metadata["enum"]:
        yield f"Member must satisfy enum value set: [{', '.join(metadata['enum'])}]"


_TYPES: dict[str, type | tuple[type, ...]] = {
    "structure": dict,
    "list": list,
    "string": str,
    "integer": int,
    "float": (int, float),
    "blob": (bytes, bytearray),
}


def _check_type(shape: Shape, value: Any, path: str) -> None:
    wanted = _TYPES[shape.type_name]
    if isinstance(value, bool) or not isinstance(value, wanted):
        raise RekognitionError(
            "SerializationException", f"{type(value).__name__} cannot be converted to {shape.type_name} at '{path}'"
        )


def _shown(value: Any) -> str:
    if isinstance(value, (bytes, bytearray)):
        return f"'java.nio.HeapByteBuffer[pos=0 lim={len(value)} cap={len(value)}]'"  # as in the service's messages
    if isinstance(value, list):
        return f"'[{', '.join(map(str, value))}]'"
    return f"'{value}'"


def _lower(name: str) -> str:
    return name[0].lower() + name[1:]
