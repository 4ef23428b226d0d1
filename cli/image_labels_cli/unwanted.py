"""What was done with an unwanted photo, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from image_labels.detectors.moderation import Moderation
from image_labels.search.printable import visible
from image_labels.tables.items import findings_of
from image_labels.tables.unwanted import unwanted_of
from image_labels.unwanted.decision import Action, Unwanted

_PLANS = {Action.TAG: "tag it", Action.QUARANTINE: "move it to quarantine", Action.DELETE: "delete it"}
_DEEDS = {Action.TAG: "tagged", Action.QUARANTINE: "moved to quarantine", Action.DELETE: "deleted"}


def as_json(item: Mapping[str, Any]) -> dict[str, Any] | None:
    """The decision in an item of the images table; None if it has none."""
    decision = unwanted_of(item)
    if decision is None:
        return None
    return {
        "action": decision.action.value,
        "state": "done" if decision.done else "pending",
        "dry_run": decision.dry_run,
        "at": decision.at,
        "of": item["Unwanted"]["M"].get("Of", {}).get("S"),
        "to": decision.to or None,
        "gone": decision.gone,
        "matches": [
            {"name": match.name, "confidence": match.confidence, "kind": match.kind} for match in decision.matches
        ],
    }


def moderation(item: Mapping[str, Any]) -> dict[str, Any]:
    """What DetectModerationLabels found, None if it was not called, and why it does not take the photo."""
    found = next((each for each in findings_of(item) if isinstance(each, Moderation)), None)
    labels = None if found is None else [asdict(label) for label in found.labels]
    return {"moderation": labels, "moderation_reason": (found.reason or None) if found else None}


def sentence(item: Mapping[str, Any]) -> str:
    """The decision in an item as a sentence; "" if it has none."""
    decision = unwanted_of(item)
    return "" if decision is None else f"{_what(decision)}. Reason: {_why(decision)}."


def _what(decision: Unwanted) -> str:
    if decision.dry_run:
        return f"Unwanted: without dry_run, the function would {_PLANS[decision.action]}"
    if not decision.done:
        return f"Unwanted: the function is about to {_PLANS[decision.action]}"
    if decision.gone:
        return f"Unwanted: it was gone when the function went to delete it, {decision.at}"
    to = f", {visible(decision.to)}" if decision.to else ""
    return f"Unwanted: {_DEEDS[decision.action]} {decision.at}{to}"


def _why(decision: Unwanted) -> str:
    return ", ".join(f"{visible(match.name)} {match.confidence:.1f} %" for match in decision.matches[:5])
