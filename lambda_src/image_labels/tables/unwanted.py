"""What was decided about an unwanted photo, as the attribute `Unwanted` of its item.

Action   S     tag, quarantine or delete
State    S     PENDING, or DONE
Matches  L/M   Name (S), Confidence (N, percent) and Kind (S: label or moderation), best first
At       S     when it was decided, and once it is done, when that was; ISO 8601, UTC
Of       S     the version, or in a bucket without versions the ETag, that was looked at
To       S     the URI of the copy, if the action is quarantine; else absent
DryRun   BOOL  true if it was only recorded; else absent
Gone     BOOL  true if the photo was gone when the function went to delete it; else absent

An item whose photo was deleted or moved has Status REMOVED, no Labels, no Detections and no rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from image_labels.tables.terms import DIGITS
from image_labels.unwanted.decision import Action, Match, Unwanted

if TYPE_CHECKING:
    Value = dict[str, Any]

# There are about 3,000 labels; nobody reads more matches than this.
MAX_MATCHES = 50
_FLAGS = {"DryRun": "dry_run", "Gone": "gone"}


def attribute_of(decision: Unwanted, of: str) -> Value:
    """The attribute's value. `of` is the version or the ETag."""
    fields: dict[str, Value] = {
        "Action": {"S": decision.action.value},
        "State": {"S": "DONE" if decision.done else "PENDING"},
        "Matches": {"L": [_match(match) for match in decision.matches[:MAX_MATCHES]]},
        "At": {"S": decision.at},
        "Of": {"S": of},
    }
    if decision.to:
        fields["To"] = {"S": decision.to}
    fields |= {name: {"BOOL": True} for name, member in _FLAGS.items() if getattr(decision, member)}
    return {"M": fields}


def unwanted_of(item: Mapping[str, Any]) -> Unwanted | None:
    """The decision of an item; None if it has none, or one that this module did not write."""
    fields = item.get("Unwanted", {}).get("M")
    if fields is None:
        return None
    try:
        return Unwanted(
            Action(fields["Action"]["S"]),
            tuple(
                Match(each["M"]["Name"]["S"], float(each["M"]["Confidence"]["N"]), each["M"]["Kind"]["S"])
                for each in fields["Matches"]["L"]
            ),
            fields["At"]["S"],
            done={"DONE": True, "PENDING": False}[fields["State"]["S"]],
            to=fields.get("To", {"S": ""})["S"],
            **{member: name in fields for name, member in _FLAGS.items()},
        )
    except (KeyError, TypeError, ValueError):
        return None


def _match(match: Match) -> Value:
    return {
        "M": {
            "Name": {"S": match.name},
            "Confidence": {"N": f"{match.confidence:.{DIGITS}f}"},
            "Kind": {"S": match.kind},
        }
    }
