"""Requests and answers of Rekognition against botocore's service model, stricter than botocore itself."""

from __future__ import annotations

import io
import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from botocore.model import ListShape, StructureShape
from botocore.parsers import create_parser
from botocore.validate import ParamValidator
from image_labels_emulator.rekognition import image, label_request, taxonomy, validation
from image_labels_emulator.rekognition.detect import detect_labels
from PIL import Image

if TYPE_CHECKING:
    from botocore.model import Shape
    from image_labels_emulator.rekognition.sources import Found

# Members that published answers omit, or that the emulator documents as absent. All others in the model are required.
MAY_BE_MISSING = {
    "DetectLabelsResponse": {"OrientationCorrection", "ImageProperties"},
    "Instance": {"DominantColors"},
    "DetectLabelsImageQuality": {"Contrast"},
    "DetectFacesResponse": {"OrientationCorrection"},
    "FaceDetail": {
        "AgeRange",
        "Smile",
        "Eyeglasses",
        "Sunglasses",
        "Gender",
        "Beard",
        "Mustache",
        "EyesOpen",
        "MouthOpen",
        "Emotions",
        "FaceOccluded",
        "EyeDirection",
    },
    "Pose": {"Yaw", "Pitch"},
    "ComparedFace": {"Emotions", "Smile"},
    "CompareFacesResponse": {"SourceImageOrientationCorrection", "TargetImageOrientationCorrection"},
    "Face": {"ExternalImageId", "UserId"},
    "IndexFacesResponse": {"OrientationCorrection"},
    "UnsuccessfulFaceDeletion": {"UserId"},
    "ListFacesResponse": {"NextToken"},
    "ListCollectionsResponse": {"NextToken"},
    "DetectModerationLabelsResponse": {"HumanLoopActivationOutput", "ProjectVersion"},
    "TextDetection": {"ParentId"},
}
TYPES: dict[str, Any] = {
    "structure": dict,
    "list": list,
    "map": dict,
    "string": str,
    "integer": int,
    "long": int,
    "float": float,
    "timestamp": float,
}


def picture(width: int = 200, height: int = 100, form: str = "JPEG", mode: str = "RGB", **options: Any) -> bytes:
    """A reproducible image file of noise."""
    noise = np.random.default_rng(7).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return encode(Image.fromarray(noise).convert(mode), form, **options)


def encode(what: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    what.save(file, form, **options)
    return file.getvalue()


def s3_image(key: str = "images/a.jpg", bucket: str = "photos") -> dict[str, Any]:
    return {"S3Object": {"Bucket": bucket, "Name": key}}


def check_request(operation: str, request: dict[str, Any]) -> None:
    """Check a request with botocore, as boto3 does, and with the emulator."""
    shape = validation.operation_model(operation).input_shape
    assert shape is not None
    report = ParamValidator().validate(request, shape)
    assert not report.has_errors(), report.generate_report()
    validation.check(operation, request)


def checked(**request: Any) -> label_request.DetectLabelsRequest:
    """Parse a request of DetectLabels that passes botocore's validation."""
    check_request("DetectLabels", request)
    return label_request.parse(request)


def answer(*found: Found, photo: bytes | None = None, **request: Any) -> dict[str, Any]:
    """The validated answer to a validated request for a photo with the labels `found`."""
    loaded = image.load(photo or picture())
    raw = detect_labels(checked(Image=s3_image(), **request), loaded, found, taxonomy.load())
    return check_answer(raw)


def check_answer(raw: dict[str, Any], operation: str = "DetectLabels") -> dict[str, Any]:
    """Validate an answer with botocore's parser. Returns the answer as a client receives it."""
    shape = validation.operation_model(operation).output_shape
    assert shape is not None
    body = json.dumps(raw, default=datetime.timestamp)
    _check(shape, json.loads(body), shape.name)
    parsed: dict[str, Any] = create_parser("json").parse(
        {"status_code": 200, "headers": {}, "body": body.encode()}, shape
    )
    parsed.pop("ResponseMetadata")
    assert parsed == raw
    return parsed


def names(answered: dict[str, Any]) -> list[str]:
    return [label["Name"] for label in answered["Labels"]]


def _check(shape: Shape, value: Any, path: str) -> None:
    fits = isinstance(value, TYPES[shape.type_name]) or (shape.type_name == "float" and type(value) is int)
    assert fits, path
    limits = shape.metadata
    if "min" in limits and not isinstance(value, (list, str, dict)):
        assert limits["min"] <= value <= limits.get("max", value), f"{path} is {value}"
    if "pattern" in limits:
        assert re.fullmatch(limits["pattern"], value), f"{path} is {value}"
    if limits.get("enum"):
        assert value in limits["enum"], path
    if isinstance(shape, StructureShape):
        missing = shape.members.keys() - value.keys() - MAY_BE_MISSING.get(shape.name, set())
        assert not missing, f"{path} lacks {missing}"
        assert value.keys() <= shape.members.keys(), f"{path} has unknown members"
        for name, inner in value.items():
            _check(shape.members[name], inner, f"{path}.{name}")
    if isinstance(shape, ListShape):
        for number, inner in enumerate(value):
            _check(shape.member, inner, f"{path}[{number}]")
