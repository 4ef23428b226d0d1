"""Makes the guard that the settings choose."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from image_labels.unwanted.guard import Guard
from image_labels.unwanted.rules import RulesCriteria, read_rules

if TYPE_CHECKING:
    from image_labels.clients import Clients
    from image_labels.selection import Wanted
    from image_labels.settings import Settings


def make_guard(
    settings: Settings, clients: Clients, wanted: Wanted, now: Callable[[], float]
) -> tuple[RulesCriteria, Guard]:
    """What is wanted with the rules, and the guard. Both read the rules when they need them first."""
    criteria = RulesCriteria(
        wanted,
        settings.unwanted_id,
        lambda: read_rules(clients.dynamodb, settings.labels_table, settings.unwanted_id),
    )
    return criteria, Guard(clients.s3, lambda: criteria.rules, now=now)
