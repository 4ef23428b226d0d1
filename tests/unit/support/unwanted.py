"""Rules for unwanted photos as the Terraform module writes them."""

from __future__ import annotations

import json
from typing import Any

from image_labels.unwanted.rules import Rules

WEAPONS: dict[str, Any] = {
    "labels": ["Weapon"],
    "categories": [],
    "moderation_labels": [],
    "min_confidence": 80,
    "action": "tag",
    "dry_run": False,
    "quarantine_bucket": "",
    "quarantine_prefix": "",
    "tag": {},
}
TAG = {"image-labels": "unwanted"}
OF_ACTION: dict[str, dict[str, Any]] = {
    "tag": {"tag": TAG},
    "quarantine": {"quarantine_bucket": "quarantine-bucket", "quarantine_prefix": "from/"},
    "delete": {},
}


def rules(**changed: Any) -> Rules:
    return Rules.parse(json.dumps(WEAPONS | changed))


def rules_of(action: str, **changed: Any) -> Rules:
    return rules(action=action, **OF_ACTION[action], **changed)
