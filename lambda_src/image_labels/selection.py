"""Which labels of Rekognition's answer are stored as a photo's labels.

The rest of the answer is stored beside them, so that other settings can be applied later without a call of Rekognition.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple, Protocol

from image_labels.model import Label, Labels, Rejected
from image_labels.tables.terms import DIGITS

# Follows the criteria of a request that had the filters of a label policy, and precedes the policy's id.
FILTERED = ";filters="
# Follows the criteria in an item's Settings, and precedes the id of the label policy.
POLICY = ";policy="
# Follows both, and precedes the id of the rules for unwanted photos (image_labels.unwanted.rules).
RULES = ";unwanted="
# https://docs.aws.amazon.com/rekognition/latest/APIReference/API_DetectLabels.html
MAX_LABELS = 1000
_MAX_LABELS, _MIN_CONFIDENCE = "max_labels=", "min_confidence="


class Wanted(Protocol):
    """What decides the labels of a photo: Criteria, or image_labels.policy.PolicyCriteria."""

    @property
    def text(self) -> str: ...

    @property
    def max_labels(self) -> int: ...

    @property
    def floor(self) -> float: ...

    @property
    def answer_labels(self) -> int: ...

    @property
    def policy_id(self) -> str: ...

    def choose(self, answer: Labels) -> Labels: ...


class Criteria(NamedTuple):
    """How many labels, and of what confidence in percent: of a request to Rekognition, or of a photo's labels."""

    max_labels: int
    min_confidence: float

    @property
    def policy_id(self) -> str:
        """There is no label policy."""
        return ""

    @property
    def floor(self) -> float:
        """The lowest confidence of a label that is wanted."""
        return self.min_confidence

    @property
    def answer_labels(self) -> int:
        """How many of the best labels an answer must have."""
        return self.max_labels

    @property
    def text(self) -> str:
        """The form in which an item has them."""
        return f"{_MAX_LABELS}{self.max_labels};{_MIN_CONFIDENCE}{self.min_confidence!r}"

    @classmethod
    def parse(cls, text: str) -> Criteria | None:
        """The criteria with this `text`; None if it is of another form."""
        labels, _, confidence = text.partition(";")
        if not labels.startswith(_MAX_LABELS) or not confidence.startswith(_MIN_CONFIDENCE):
            return None
        try:
            return cls(int(labels.removeprefix(_MAX_LABELS)), float(confidence.removeprefix(_MIN_CONFIDENCE)))
        except ValueError:
            return None

    def choose(self, answer: Labels) -> Labels:
        """The answer with the labels that meet these criteria, and with the others as `others`."""
        found = in_order(answer.labels)
        # Compared with the precision of the table, so that a stored answer gives the same labels as a fresh one.
        good = sum(round(label.confidence, DIGITS) >= self.min_confidence for label in found)
        kept = min(good, self.max_labels)
        return replace(answer, labels=found[:kept], others=found[kept:])


def in_order(labels: Iterable[Label]) -> tuple[Label, ...]:
    """The labels, highest confidence first, then by name.

    With the precision of the table, so that a stored answer has the same order as a fresh one. Rekognition does not
    document an order for labels of equal confidence.
    """
    return tuple(sorted(labels, key=lambda label: (-round(label.confidence, DIGITS), label.name)))


def from_stored(answer: Labels | Rejected | None, wanted: Wanted) -> Labels | Rejected | None:
    """What Rekognition would answer now, from its stored answer; None if that does not have all that is wanted.

    A rejection is about the object, so other criteria do not change it.
    """
    if answer is None or isinstance(answer, Rejected):
        return answer
    return wanted.choose(answer) if covers(answer.asked, len(answer.labels), wanted) else None


def covers(asked: str, labels: int, wanted: Wanted) -> bool:
    """Whether the answer to a request (`asked` as in an item), with so many labels, has all labels that are wanted."""
    text, _, filtered_by = asked.partition(FILTERED)
    criteria = Criteria.parse(text)
    if criteria is None or filtered_by not in ("", wanted.policy_id) or criteria.min_confidence > wanted.floor:
        return False
    all_of_them = labels < criteria.max_labels  # Rekognition left none out
    return all_of_them or wanted.answer_labels <= criteria.max_labels
