"""DetectLabels: the request, and the answer as our types.

https://docs.aws.amazon.com/rekognition/latest/APIReference/API_DetectLabels.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from image_labels.calls import MAX_BYTES, box, number, percent, readable, s3_object, text_in
from image_labels.model import Instance, Label, Labels, Rejected
from image_labels.selection import FILTERED, Criteria

if TYPE_CHECKING:
    from mypy_boto3_rekognition import RekognitionClient
    from mypy_boto3_rekognition.type_defs import DetectLabelsRequestTypeDef, GeneralLabelsSettingsTypeDef

    from image_labels.calls import Caller
    from image_labels.model import Photo

    # The id of the label policy, and its filters of the request.
    RequestFilters = tuple[str, GeneralLabelsSettingsTypeDef]


class Labeller:
    """Calls DetectLabels, with the filters of the label policy, if any."""

    def __init__(
        self,
        client: RekognitionClient,
        caller: Caller,
        *,
        max_labels: int,
        min_confidence: float,
        filters: Callable[[], RequestFilters] | None = None,
    ) -> None:
        self._client = client
        self._caller = caller
        self._asked = Criteria(max_labels, min_confidence)
        self._filters = filters

    def detect(self, photo: Photo, abandoned: Callable[[], bool] = lambda: False) -> Labels | Rejected:
        """The labels of exactly this version of the photo, or its rejection. Raises as `Caller.call` does."""
        if photo.size > MAX_BYTES:
            # Not left to Rekognition: which error it gives for such an object in S3 is not documented.
            return Rejected(
                f"ImageTooLargeException: it has {photo.size:,} bytes; at most 15 MB ({MAX_BYTES:,} bytes) are allowed "
                "(Rekognition was not asked)"
            )
        request: DetectLabelsRequestTypeDef = {
            "Image": {"S3Object": s3_object(photo)},
            "MaxLabels": self._asked.max_labels,
            "MinConfidence": self._asked.min_confidence,
        }
        asked = self._asked.text
        if self._filters is not None:
            policy_id, general_labels = self._filters()
            if general_labels:
                request |= {"Features": ["GENERAL_LABELS"], "Settings": {"GeneralLabels": general_labels}}
                asked += f"{FILTERED}{policy_id}"
        return self._caller.call(
            photo, lambda: self._client.detect_labels(**request), lambda answer: _labels(answer, asked), abandoned
        )


def _labels(answer: Mapping[str, Any], asked: str) -> Labels:
    """Raises KeyError, TypeError or ValueError if there is no list of labels, or none of them can be read."""
    given = answer["Labels"]
    labels = tuple(readable(_label, iter(given)))
    if given and not labels:
        raise ValueError("no label has a name and a confidence")
    return Labels(labels, str(answer.get("LabelModelVersion", "")), asked=asked)


def _label(label: Mapping[str, Any]) -> Label:
    return Label(
        name=_name(label),
        confidence=percent(label["Confidence"]),
        parents=tuple(readable(_name, label.get("Parents"))),
        aliases=tuple(readable(_name, label.get("Aliases"))),
        categories=tuple(readable(_name, label.get("Categories"))),
        instances=tuple(readable(_instance, label.get("Instances"))),
    )


def _instance(instance: Mapping[str, Any]) -> Instance:
    return Instance(*box(instance["BoundingBox"]), number(instance["Confidence"]))


def _name(value: Mapping[str, Any]) -> str:
    return text_in(value, "Name")
