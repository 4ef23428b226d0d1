"""DetectModerationLabels: labels of unwanted content, such as violence, in a hierarchy of up to three levels.

https://docs.aws.amazon.com/rekognition/latest/APIReference/API_DetectModerationLabels.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from image_labels.calls import percent, readable, s3_object, text_in
from image_labels.detectors.finding import Finding
from image_labels.model import Rejected
from image_labels.tables.terms import DIGITS, Kind

if TYPE_CHECKING:
    from mypy_boto3_rekognition import RekognitionClient
    from mypy_boto3_rekognition.type_defs import DetectModerationLabelsRequestTypeDef

    from image_labels.calls import Caller
    from image_labels.model import Photo

NAME = "moderation"
# Rekognition's own default. What is requested below the threshold of the settings is kept with the photo, so that a
# lower threshold needs no call. The price is the same.
MAX_REQUESTED_CONFIDENCE = 50.0
_MIN_CONFIDENCE = "min_confidence="


@dataclass(frozen=True)
class ModerationLabel:
    """A label, its ancestors from the nearest to the top of the hierarchy, and its confidence in percent."""

    name: str
    parents: tuple[str, ...]
    confidence: float


@dataclass(frozen=True, kw_only=True)
class Moderation(Finding):
    """The labels of a photo in Rekognition's order. `others` are those that the settings leave out."""

    detector: ClassVar[str] = NAME
    labels: tuple[ModerationLabel, ...] = ()
    others: tuple[ModerationLabel, ...] = ()

    def terms(self) -> Iterable[tuple[str, str, float]]:
        """A term for each label that the settings do not leave out, and for each of its ancestors."""
        for label in self.labels:
            for name in (label.name, *label.parents):
                yield Kind.MODERATION.value, name, label.confidence


@dataclass(frozen=True)
class ModerationCriteria:
    """The labels that are wanted: `min_confidence` is in percent."""

    min_confidence: float

    @property
    def requested(self) -> float:
        """The confidence of the request, in percent."""
        return min(MAX_REQUESTED_CONFIDENCE, self.min_confidence)

    @property
    def text(self) -> str:
        """The form in which a finding has those of its request."""
        return f"{_MIN_CONFIDENCE}{self.requested!r}"

    @property
    def settings(self) -> str:
        """See DetectorCriteria."""
        return f";{NAME}={_MIN_CONFIDENCE}{self.min_confidence!r}"

    def covers(self, asked: str) -> bool:
        """Whether the request left out only labels that are not wanted."""
        try:
            return float(asked.removeprefix(_MIN_CONFIDENCE)) <= self.min_confidence
        except ValueError:
            return False


class ModerationDetector:
    """Calls DetectModerationLabels."""

    name = NAME
    api = "detect_moderation_labels"

    def __init__(self, client: RekognitionClient, caller: Caller, criteria: ModerationCriteria) -> None:
        self._client = client
        self._caller = caller
        self._criteria = criteria
        self.settings = criteria.settings

    def detect(self, photo: Photo, abandoned: Callable[[], bool]) -> Moderation:
        """Raises as `Caller.call` does."""
        asked = self._criteria.text
        request: DetectModerationLabelsRequestTypeDef = {
            "Image": {"S3Object": s3_object(photo)},
            "MinConfidence": self._criteria.requested,
        }
        found = self._caller.call(
            photo,
            lambda: self._client.detect_moderation_labels(**request),
            lambda answer: _moderation(answer, asked),
            abandoned,
        )
        return Moderation(asked=asked, reason=found.reason) if isinstance(found, Rejected) else found

    def covers(self, finding: Finding) -> bool:
        """Whether its request left out only labels that are not wanted; a refusal is about the object."""
        return bool(finding.reason) or (self._criteria.covers(finding.asked) and not finding.cut)

    def choose(self, finding: Finding) -> Finding:
        """The finding with the labels of at least `min_confidence`, and with the rest as `others`."""
        if not isinstance(finding, Moderation):
            return finding
        labels = sorted(finding.labels + finding.others, key=lambda label: -label.confidence)
        # Compared with the precision of the table, so that a stored answer gives the same labels as a fresh one.
        good = [label for label in labels if round(label.confidence, DIGITS) >= self._criteria.min_confidence]
        return replace(finding, labels=tuple(good), others=tuple(labels[len(good) :]))


def _moderation(answer: Mapping[str, Any], asked: str) -> Moderation:
    """Raises KeyError, TypeError or ValueError if there is no list of labels, or none of them can be read."""
    given = answer["ModerationLabels"]
    # The ancestors of a label are labels of the answer, and each label names the nearest one.
    parents = {each.get("Name"): each.get("ParentName") for each in given}
    labels = tuple(readable(lambda each: _label(each, parents), given))
    if given and not labels:
        raise ValueError("no label has a name and a confidence")
    return Moderation(asked=asked, model_version=str(answer.get("ModerationModelVersion", "")), labels=labels)


def _label(label: Mapping[str, Any], parents: Mapping[Any, Any]) -> ModerationLabel:
    name = text_in(label, "Name")
    found: list[str] = []
    parent = label.get("ParentName")
    while isinstance(parent, str) and parent and parent not in (name, *found):
        found.append(parent)
        parent = parents.get(parent)
    return ModerationLabel(name, tuple(found), percent(label["Confidence"]))
