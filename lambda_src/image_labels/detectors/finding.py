"""What all detectors have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    from image_labels.model import Photo


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a detector found in a photo, or why its API refuses the photo. Each detector has its own subclass.

    `detector` is the detector's name. `asked` has the criteria of the request. `at` is the time of the answer (see
    model.iso_time), "" for now. `model_version` is Rekognition's. `reason` is "" unless the API refuses the photo,
    although DetectLabels took it. `cut` says that a part of the answer was left out, because an item has 400 KB.
    """

    detector: ClassVar[str]
    asked: str
    at: str = ""
    model_version: str = ""
    reason: str = ""
    cut: bool = False

    def terms(self) -> Iterable[tuple[str, str, float]]:
        """The terms by which the photo is found: kind (see tables.terms.Kind), name, and confidence in percent."""
        return ()


class DetectorCriteria(Protocol):
    """What is asked of a detector."""

    @property
    def settings(self) -> str:
        """What follows the other settings of an item that has a finding: ";", the name, "=", and the criteria."""
        ...

    def covers(self, asked: str) -> bool:
        """Whether the answer to this request (`Finding.asked`, which has no ";") has all that is wanted."""
        ...


class Detector(Protocol):
    """An API that is asked about each photo that DetectLabels takes. Safe to use from several threads."""

    @property
    def name(self) -> str:
        """As in the settings of an item: lower-case letters."""
        ...

    @property
    def api(self) -> str:
        """The method of boto3's client, such as detect_text: each of its calls is billed as one image."""
        ...

    @property
    def settings(self) -> str:
        """See DetectorCriteria."""
        ...

    def detect(self, photo: Photo, abandoned: Callable[[], bool]) -> Finding:
        """The finding in exactly this version of the photo. Raises as image_labels.calls.Caller does."""
        ...

    def covers(self, finding: Finding) -> bool:
        """Whether the stored finding has all that is wanted, so that no call is needed."""
        ...

    def choose(self, finding: Finding) -> Finding:
        """The finding with what the photo gets; the rest is kept apart."""
        ...
