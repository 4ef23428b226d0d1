"""Lines of text in an item: `Lines` and `OtherLines`, each a list of Text (S), Confidence (N, percent) and a box.

The box is Left, Top, Width and Height (N), as ratios of the photo's width and height.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from image_labels.detectors.text import NAME, Line, Text
from image_labels.tables.items import BOX_DIGITS, Value, percent, stored_number
from image_labels.tables.terms import DIGITS

__all__ = ["NAME", "read", "write"]


def write(finding: Text) -> dict[str, list[Value]]:
    """See image_labels.tables.findings.Form."""
    return {"Lines": [_entry(line) for line in finding.lines], "OtherLines": [_entry(line) for line in finding.others]}


def read(fields: Mapping[str, Any], common: dict[str, Any]) -> Text:
    """See image_labels.tables.findings.Form."""

    def lines(name: str) -> tuple[Line, ...]:
        return tuple(_line(entry["M"]) for entry in fields.get(name, {"L": []})["L"])

    return Text(**common, lines=lines("Lines"), others=lines("OtherLines"))


def _entry(line: Line) -> Value:
    return {
        "M": {
            "Text": {"S": line.text},
            "Confidence": stored_number(line.confidence, DIGITS),
            "Left": stored_number(line.left, BOX_DIGITS),
            "Top": stored_number(line.top, BOX_DIGITS),
            "Width": stored_number(line.width, BOX_DIGITS),
            "Height": stored_number(line.height, BOX_DIGITS),
        }
    }


def _line(entry: Mapping[str, Any]) -> Line:
    confidence = percent(entry["Confidence"])
    if confidence is None:
        raise ValueError("a confidence is from 0 to 100")
    left, top, width, height = (float(entry[side]["N"]) for side in ("Left", "Top", "Width", "Height"))
    return Line(entry["Text"]["S"], confidence, left, top, width, height)
