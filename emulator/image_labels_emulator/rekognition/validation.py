"""Validation of requests, with the checks of the service.

There are two stages, as in the service. Lengths, ranges, patterns and enums come from botocore's service model. They
fail with ValidationException and the service's message ("1 validation error detected: Value '…' at 'maxLabels' failed
to satisfy constraint: …"). Rules outside the model fail with InvalidParameterException, InvalidS3ObjectException or an
error of the operation. Those that all operations share are here.

Sources: botocore's model of Rekognition; API reference "Image", "S3Object".
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session

from image_labels_emulator.rekognition.errors import RekognitionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape


@dataclass(frozen=True, slots=True)
class S3Photo:
    """A photo in S3; `version` None means the current version."""

    bucket: str
    key: str
    version: str | None = None


def check(operation: str, raw: Mapping[str, Any]) -> None:
    """Check a request with the member names of the API reference against botocore's model of the operation.

    Raises RekognitionError: SerializationException (a wrong JSON type), ValidationException (all other violations).
    """
    shape = operation_model(operation).input_shape
    assert shape is not None  # every operation of Rekognition has an input; mypy cannot know
    problems = list(_problems(shape, raw, ""))
    if problems:
        count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected"
        raise RekognitionError("ValidationException", f"{count}: {'; '.join(problems)}")


def operation_model(operation: str) -> OperationModel:
    """botocore's model of an operation."""
    return _service_model().operation_model(operation)


def image(raw: Mapping[str, Any]) -> bytes | S3Photo:
    """The image of a checked request: its bytes, or where it is in S3.

    Raises RekognitionError: InvalidParameterException (neither or both), InvalidS3ObjectException (half a place).
    """
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


@cache
def _service_model() -> ServiceModel:
    return botocore.session.get_session().get_service_model("rekognition")


def _problems(shape: Shape, value: Any, path: str) -> Iterator[str]:
    """The violated constraints of the model, each as a clause of the service's message."""
    _check_type(shape, value, path)
    if shape.type_name == "structure":
        yield from _structure_problems(shape, value, path)  # type: ignore[arg-type]
        return
    clauses = [*_own_constraints(shape, value)]
    if shape.type_name == "list":
        if shape.member.type_name == "structure":  # type: ignore[attr-defined]
            for number, item in enumerate(value, start=1):
                yield from _problems(shape.member, item, f"{path}.{number}.member")  # type: ignore[attr-defined]
        else:
            clauses += _member_constraints(shape, value)  # type: ignore[arg-type]
    elif shape.type_name == "map":
        clauses += _map_constraints(shape, value)  # type: ignore[arg-type]
    yield from (f"Value {_shown(value)} at '{path}' failed to satisfy constraint: {clause}" for clause in clauses)


def _structure_problems(shape: StructureShape, value: Mapping[str, Any], path: str) -> Iterator[str]:
    for name, member in shape.members.items():
        inner = f"{path}.{_lower(name)}" if path else _lower(name)
        if value.get(name) is not None:
            yield from _problems(member, value[name], inner)
        elif name in shape.required_members:
            yield f"Value null at '{inner}' failed to satisfy constraint: Member must not be null"


def _member_constraints(shape: ListShape, value: list[Any]) -> Iterator[str]:
    broken = _broken(shape.member, value)
    if broken:
        yield f"Member must satisfy constraint: [{', '.join(broken)}]"


def _map_constraints(shape: MapShape, value: Mapping[str, Any]) -> Iterator[str]:
    for what, part, items in (("keys", shape.key, value.keys()), ("value", shape.value, value.values())):
        broken = _broken(part, items)
        if broken:
            yield f"Map {what} must satisfy constraint: [{', '.join(broken)}]"


def _broken(shape: Shape, items: Iterable[Any]) -> list[str]:
    """The constraints that any of the items violates, each once."""
    broken: dict[str, None] = {}  # in order
    for item in items:
        _check_type(shape, item, "list member")
        broken.update(dict.fromkeys(_own_constraints(shape, item)))
    return list(broken)


def _own_constraints(shape: Shape, value: Any) -> Iterator[str]:
    metadata: Mapping[str, Any] = shape.metadata
    sized = shape.type_name in ("string", "blob", "list", "map")
    size, what = (len(value), "length") if sized else (value, "value")
    if "min" in metadata and size < metadata["min"]:
        yield f"Member must have {what} greater than or equal to {metadata['min']}"
    if "max" in metadata and size > metadata["max"]:
        yield f"Member must have {what} less than or equal to {metadata['max']}"
    if "pattern" in metadata and not _matches(metadata["pattern"], value):
        yield f"Member must satisfy regular expression pattern: {metadata['pattern']}"
    if metadata.get("enum") and value not in metadata["enum"]:
        yield f"Member must satisfy enum value set: [{', '.join(metadata['enum'])}]"


# Python's regular expressions lack \p{…}. For a pattern with categories, a character outside ASCII is replaced by one
# of ASCII of the same category: a letter by b, which is not in "aws:", the one word that a pattern forbids.
_CATEGORIES = {r"\p{L}": "a-zA-Z", r"\p{Z}": " ", r"\p{N}": "0-9"}
_FOR_CATEGORY = {"L": "b", "Z": " ", "N": "0"}


def _matches(pattern: str, value: str) -> bool:
    if r"\p{" in pattern:
        for category, characters in _CATEGORIES.items():
            pattern = pattern.replace(category, characters)
        value = "".join(
            one if one.isascii() else _FOR_CATEGORY.get(unicodedata.category(one)[0], "\0") for one in value
        )
    return re.fullmatch(pattern, value) is not None


_TYPES: dict[str, type | tuple[type, ...]] = {
    "structure": dict,
    "list": list,
    "map": dict,
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
    if isinstance(value, dict):
        return "'{" + ", ".join(f"{key}={one}" for key, one in value.items()) + "}'"
    return f"'{value}'"


def _lower(name: str) -> str:
    return name[0].lower() + name[1:]
