"""What was done with an unwanted photo, in words, as `image-labels show` and the page say it."""

from __future__ import annotations

from typing import Any

import pytest
from image_labels.tables.unwanted import attribute_of, unwanted_of
from image_labels.unwanted.decision import Action, Match, Unwanted
from image_labels_cli.unwanted import sentence

MATCHES = (Match("Rifle", 95.04, "label"), Match("Weapons\x1b", 81.0, "moderation"))


@pytest.mark.parametrize(
    ("action", "more", "said"),
    [
        (Action.TAG, {"done": True}, "tagged AT"),
        (Action.DELETE, {"done": True}, "deleted AT"),
        (Action.QUARANTINE, {"done": True, "to": "s3://q/k"}, "moved to quarantine AT, s3://q/k"),
        (Action.DELETE, {}, "the function is about to delete it"),
        (Action.TAG, {"done": True, "dry_run": True}, "without dry_run, the function would tag it"),
        (Action.DELETE, {"done": True, "gone": True}, "it was gone when the function went to delete it, AT"),
    ],
)
def test_sentence_says_what_was_done_and_why(action: Action, more: dict[str, Any], said: str) -> None:
    decision = Unwanted(action, MATCHES, "AT", **more)
    item = {"Unwanted": attribute_of(decision, "v1")}
    assert unwanted_of(item) == decision
    assert sentence(item) == f"Unwanted: {said}. Reason: Rifle 95.0 %, Weapons\\x1b 81.0 %."


@pytest.mark.parametrize("value", [{"S": "tag"}, {"M": {}}, {"M": {"Action": {"S": "burn"}}}, {"NULL": True}])
def test_decision_that_another_program_wrote_is_none(value: Any) -> None:
    assert unwanted_of({"Unwanted": value}) is None
    assert sentence({"Unwanted": value}) == ""
