"""Label policies as the Terraform module writes them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from image_labels.policy import LabelPolicy, PolicyCriteria

if TYPE_CHECKING:
    from image_labels.selection import Criteria

NO_RULES: dict[str, Any] = {
    "rename": {},
    "drop": [],
    "drop_categories": [],
    "only": [],
    "only_categories": [],
    "min_confidence": {},
    "filters": None,
}


def policy(**rules: Any) -> LabelPolicy:
    return LabelPolicy.parse(json.dumps(NO_RULES | rules))


def with_policy(criteria: Criteria, policy_id: str, **rules: Any) -> PolicyCriteria:
    return PolicyCriteria(criteria, policy_id, lambda: policy(**rules))
