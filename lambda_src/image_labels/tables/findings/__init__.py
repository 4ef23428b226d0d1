"""The findings of detectors as attributes of a photo's item: one map for each detector.

Asked          S     the criteria of the request
At             S     when Rekognition answered; ISO 8601, UTC
ModelVersion   S     Rekognition's; absent if Rekognition gave none
Reason         S     why the API refuses the photo; else absent
Cut            BOOL  true when entries were left out to fit the item into DynamoDB's 400 KB; else absent

The entries are lists of maps in the same map: see the module of each detector. Those that the settings leave out are in
a list of their own, so that other settings can be applied later without a call of Rekognition.

This package is imported only for items with findings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from image_labels.tables.findings import faces, moderation, text
from image_labels.tables.item_size import item_size
from image_labels.tables.items import FINDINGS, text_of

if TYPE_CHECKING:
    from image_labels.detectors.finding import Finding
    from image_labels.tables.rows import Value

# Of a finding in bytes, so that the labels always have most of an item.
MAX_FINDING_BYTES = 50_000


class Form(NamedTuple):
    """How a detector's entries are stored.

    `write` gives the lists, those first that are cut last. `read` takes the map and the finding's common members. It
    raises KeyError, TypeError or ValueError for what this module did not write. `scalars` gives further members.
    """

    write: Callable[[Any], dict[str, list[Value]]]
    read: Callable[[Mapping[str, Any], dict[str, Any]], Finding]
    scalars: Callable[[Any], dict[str, Value]] = lambda _finding: {}


FORMS: dict[str, Form] = {
    text.NAME: Form(text.write, text.read),
    faces.NAME: Form(faces.write, faces.read, faces.scalars),
    moderation.NAME: Form(moderation.write, moderation.read),
}


def attributes_of(findings: Iterable[Finding], now: str) -> dict[str, Value]:
    """The attributes of these findings. `now` is the time of those that have none."""
    return {FINDINGS[finding.detector]: {"M": _fields(finding, now)} for finding in findings}


def readable_findings(item: Mapping[str, Any]) -> tuple[Finding, ...]:
    """The findings of an item, except those that are not as this module writes them."""
    found = []
    for detector, attribute in FINDINGS.items():
        fields = item.get(attribute, {}).get("M")
        if fields is None:
            continue
        try:
            found.append(FORMS[detector].read(fields, _common(fields)))
        except (KeyError, TypeError, ValueError):
            continue
    return tuple(found)


def _fields(finding: Finding, now: str) -> dict[str, Value]:
    lists = FORMS[finding.detector].write(finding)
    fields: dict[str, Value] = {"Asked": {"S": finding.asked}, "At": {"S": finding.at or now}}
    fields |= FORMS[finding.detector].scalars(finding)
    if finding.model_version:
        fields["ModelVersion"] = {"S": finding.model_version}
    if finding.reason:
        fields["Reason"] = {"S": finding.reason}
    cut = finding.cut
    size = item_size(fields | {name: {"L": entries} for name, entries in lists.items()})
    for name in reversed(lists):
        while lists[name] and size > MAX_FINDING_BYTES:
            size -= item_size({"": lists[name].pop()})
            cut = True
    fields |= {name: {"L": entries} for name, entries in lists.items() if entries}
    return fields | ({"Cut": {"BOOL": True}} if cut else {})


def _common(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "asked": fields["Asked"]["S"],
        "at": fields["At"]["S"],
        "model_version": text_of(fields, "ModelVersion"),
        "reason": text_of(fields, "Reason"),
        "cut": "Cut" in fields,
    }
