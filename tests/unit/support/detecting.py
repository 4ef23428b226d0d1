"""The real function's parts on fakes: a bucket, a Rekognition that sees labels and text, and the tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError
from image_labels.calls import Caller
from image_labels.detectors.text import TextCriteria, TextDetector
from image_labels.pace import Pace
from image_labels.reconcile import Cost, Reconciler
from image_labels.rekognition import Labeller
from image_labels.selection import Criteria
from image_labels.tables.store import Store
from support.fakes import FakePhotos
from support.tables import Attributes, Tables, revisions

if TYPE_CHECKING:
    from image_labels.detectors.finding import Detector
    from image_labels.selection import Wanted
    from mypy_boto3_rekognition import RekognitionClient

KEY = "images/sign.jpg"
CRITERIA = Criteria(10, 80.0)


@dataclass
class FakeRekognition:
    """Sees the label "Street" and these lines in each photo. `failing` has an error code for each API that fails.

    `calls` counts the answered calls of each API.
    """

    lines: Sequence[tuple[str, float]] = (("SPEED LIMIT", 99.1), ("55", 98.0), ("rust", 61.5))
    failing: dict[str, str] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)

    def detect_labels(self, **_: Any) -> Attributes:
        self._answer("DetectLabels")
        return {"Labels": [{"Name": "Street", "Confidence": 95.0}], "LabelModelVersion": "3.0"}

    def detect_text(self, *, Filters: Attributes, **_: Any) -> Attributes:  # noqa: N803
        self._answer("DetectText")
        least = Filters["WordFilter"]["MinConfidence"]
        box = {"Left": 0.1, "Top": 0.2, "Width": 0.3, "Height": 0.4}
        found = [
            {"Type": kind, "DetectedText": text, "Confidence": percent, "Geometry": {"BoundingBox": box}}
            for text, percent in self.lines
            if percent >= least
            for kind in ("LINE", "WORD")
        ]
        return {"TextDetections": found, "TextModelVersion": "3.0"}

    def _answer(self, api: str) -> None:
        if code := self.failing.get(api):
            response = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": 400}}
            raise ClientError(cast("Any", response), api)
        self.calls[api] += 1


@dataclass
class Deployment:
    """One photo, and functions with different settings that share the tables. `now` is in seconds since the epoch."""

    photos: FakePhotos = field(default_factory=FakePhotos)
    rekognition: FakeRekognition = field(default_factory=FakeRekognition)
    tables: Tables = field(default_factory=Tables)
    now: float = 0.0

    def __post_init__(self) -> None:
        self.photos.upload(KEY, "1")
        self.store = Store(cast("Any", self.tables), "images", "labels", now=lambda: self.now, new_revision=revisions())

    def reconcile(
        self,
        text: float | None = 80.0,
        wanted: Wanted = CRITERIA,
        labelled_before: str = "",
        cost: Cost | None = None,
        *,
        late: bool = False,
    ) -> str:
        """Reconcile the photo with DetectText at this confidence, or without it; the outcome."""
        client = cast("RekognitionClient", self.rekognition)
        labeller = Labeller(
            client, self._caller("DetectLabels"), max_labels=wanted.max_labels, min_confidence=CRITERIA.min_confidence
        )
        detectors: list[Detector] = []
        if text is not None:
            detectors.append(TextDetector(client, self._caller("DetectText"), TextCriteria(text)))
        reconciler = Reconciler(self.photos, labeller, self.store, wanted, detectors)
        result = reconciler.reconcile(KEY, cost=cost, labelled_before=labelled_before, late=lambda: late)
        return result.outcome.value

    @property
    def item(self) -> Attributes:
        return self.tables.images()[KEY]

    def kinds(self) -> dict[str, str]:
        """The terms of the photo's rows, with their kinds."""
        return {term: row["Kind"]["S"] for (term, _), row in self.tables.rows().items()}

    @staticmethod
    def _caller(api: str) -> Caller:
        return Caller(api, Pace(1000), sleep=lambda _seconds: None)
