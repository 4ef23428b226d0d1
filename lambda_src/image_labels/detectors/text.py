"""DetectText: the lines of text in a photo, such as a traffic sign or a shop's name.

https://docs.aws.amazon.com/rekognition/latest/APIReference/API_DetectText.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from image_labels.calls import box, percent, readable, s3_object, text_in
from image_labels.detectors.finding import Finding
from image_labels.model import Rejected
from image_labels.tables.terms import DIGITS, Kind

if TYPE_CHECKING:
    from mypy_boto3_rekognition import RekognitionClient
    from mypy_boto3_rekognition.type_defs import DetectTextRequestTypeDef

    from image_labels.calls import Caller
    from image_labels.model import Photo

NAME = "text"
_MIN_CONFIDENCE = "min_confidence="


@dataclass(frozen=True)
class Line:
    """A line of text, its confidence in percent, and its box as ratios (0 to 1) of the photo's width and height."""

    text: str
    confidence: float
    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, kw_only=True)
class Text(Finding):
    """The lines of a photo in Rekognition's order. `others` are those that the settings leave out."""

    detector: ClassVar[str] = NAME
    lines: tuple[Line, ...] = ()
    others: tuple[Line, ...] = ()

    def terms(self) -> Iterable[tuple[str, str, float]]:
        """A term for each line that the settings do not leave out."""
        return ((Kind.TEXT.value, line.text, line.confidence) for line in self.lines)


@dataclass(frozen=True)
class TextCriteria:
    """Of which confidence in percent the lines must be."""

    min_confidence: float

    @property
    def text(self) -> str:
        """The form in which a finding has them."""
        return f"{_MIN_CONFIDENCE}{self.min_confidence!r}"

    @property
    def settings(self) -> str:
        """See DetectorCriteria."""
        return f";{NAME}={self.text}"

    def covers(self, asked: str) -> bool:
        """Whether the request left out only lines that are not wanted."""
        try:
            return float(asked.removeprefix(_MIN_CONFIDENCE)) <= self.min_confidence
        except ValueError:
            return False


class TextDetector:
    """Calls DetectText."""

    name = NAME
    api = "detect_text"

    def __init__(self, client: RekognitionClient, caller: Caller, criteria: TextCriteria) -> None:
        self._client = client
        self._caller = caller
        self._criteria = criteria
        self.settings = criteria.settings

    def detect(self, photo: Photo, abandoned: Callable[[], bool]) -> Text:
        """Raises as `Caller.call` does."""
        asked = self._criteria.text
        request: DetectTextRequestTypeDef = {
            "Image": {"S3Object": s3_object(photo)},
            # Without it, Rekognition leaves out the words below 80 percent.
            "Filters": {"WordFilter": {"MinConfidence": self._criteria.min_confidence}},
        }
        found = self._caller.call(
            photo, lambda: self._client.detect_text(**request), lambda answer: _text(answer, asked), abandoned
        )
        return Text(asked=asked, reason=found.reason) if isinstance(found, Rejected) else found

    def covers(self, finding: Finding) -> bool:
        """Whether its request left out only lines that are not wanted; a refusal is about the object."""
        return bool(finding.reason) or self._criteria.covers(finding.asked)

    def choose(self, finding: Finding) -> Finding:
        """The finding with the lines of at least `min_confidence`, and with the rest as `others`."""
        if not isinstance(finding, Text):
            return finding
        lines = finding.lines + finding.others
        # Compared with the precision of the table, so that a stored answer gives the same lines as a fresh one.
        chosen = [round(line.confidence, DIGITS) >= self._criteria.min_confidence for line in lines]
        return replace(
            finding,
            lines=tuple(line for line, good in zip(lines, chosen, strict=True) if good),
            others=tuple(line for line, good in zip(lines, chosen, strict=True) if not good),
        )


def _text(answer: Mapping[str, Any], asked: str) -> Text:
    """Raises KeyError, TypeError or ValueError if there is no list of lines, or none of them can be read."""
    given = [each for each in answer["TextDetections"] if each.get("Type") == "LINE"]
    lines = tuple(readable(_line, given))
    if given and not lines:
        raise ValueError("no line has a text, a confidence and a box")
    return Text(asked=asked, model_version=str(answer.get("TextModelVersion", "")), lines=lines)


def _line(detection: Mapping[str, Any]) -> Line:
    text = text_in(detection, "DetectedText")
    return Line(text, percent(detection["Confidence"]), *box(detection["Geometry"]["BoundingBox"]))
