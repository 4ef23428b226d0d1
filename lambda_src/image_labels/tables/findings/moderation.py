"""Labels of DetectModerationLabels in an item: `Labels` and `OtherLabels`.

Each is a list of Name (S), Parents (L of S, the nearest first) and Confidence (N, percent).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from image_labels.detectors.moderation import NAME, Moderation, ModerationLabel
from image_labels.tables.items import percent
from image_labels.tables.rows import Value, decimal
from image_labels.tables.terms import DIGITS

__all__ = ["NAME", "read", "write"]


def write(finding: Moderation) -> dict[str, list[Value]]:
    """See image_labels.tables.findings.Form."""
    return {
        "Labels": [_entry(label) for label in finding.labels],
        "OtherLabels": [_entry(label) for label in finding.others],
    }


def read(fields: Mapping[str, Any], common: dict[str, Any]) -> Moderation:
    """See image_labels.tables.findings.Form."""

    def labels(name: str) -> tuple[ModerationLabel, ...]:
        return tuple(_label(entry["M"]) for entry in fields.get(name, {"L": []})["L"])

    return Moderation(**common, labels=labels("Labels"), others=labels("OtherLabels"))


def _entry(label: ModerationLabel) -> Value:
    return {
        "M": {
            "Name": {"S": label.name},
            "Parents": {"L": [{"S": parent} for parent in label.parents]},
            "Confidence": decimal(label.confidence, DIGITS),
        }
    }


def _label(entry: Mapping[str, Any]) -> ModerationLabel:
    confidence = percent(entry["Confidence"])
    if confidence is None:
        raise ValueError("a confidence is from 0 to 100")
    return ModerationLabel(entry["Name"]["S"], tuple(each["S"] for each in entry["Parents"]["L"]), confidence)
