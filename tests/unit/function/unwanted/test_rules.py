"""Which photos are unwanted, and what is decided about them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from image_labels.detectors.moderation import ModerationLabel
from image_labels.failures import NeedsOperator
from image_labels.model import Label, Photo
from image_labels.unwanted.decision import Action
from image_labels.unwanted.rules import Rules, read_rules
from support.fakes import BUCKET, LABELS_TABLE
from support.unwanted import WEAPONS, rules, rules_of

if TYPE_CHECKING:
    from image_labels.clients import Clients
    from mypy_boto3_dynamodb import DynamoDBClient

RIFLE = Label("Rifle", 92.0, ("Weapon", "Gun"), ("Long Gun",), ("Weapons and Military",))
GORE = ModerationLabel("Blood & Gore", ("Graphic Violence", "Violence"), 95.0)
PHOTO = Photo(BUCKET, "images/a b.jpg", "e1", "v1", 1000)


@pytest.mark.parametrize(
    "given",
    [
        {"labels": ["rifle"]},
        {"labels": ["LONG  GUN"]},
        {"labels": ["Gun"]},
        {"labels": [], "categories": ["weapons and military"]},
    ],
)
def test_label_matches_by_name_alias_parent_and_category(given: dict[str, Any]) -> None:
    assert [match.name for match in rules(**given).matches([RIFLE], [])] == ["Rifle"]


def test_moderation_label_matches_by_name_and_by_each_ancestor() -> None:
    for name in ("blood & gore", "Graphic Violence", "violence"):
        found = rules(labels=[], moderation_labels=[name]).matches([RIFLE], [GORE])
        assert [(match.name, match.kind) for match in found] == [("Blood & Gore", "moderation")]
    assert rules(labels=["Violence"]).matches([], [GORE]) == ()  # a rule for labels is none for moderation labels


def test_label_below_min_confidence_does_not_match() -> None:
    assert rules(min_confidence=92).matches([RIFLE], [])
    assert rules(min_confidence=92.001).matches([RIFLE], []) == ()


def test_matches_are_sorted_by_confidence() -> None:
    found = rules(moderation_labels=["Violence"]).matches([RIFLE, Label("Weapon", 99.0)], [GORE])
    assert [match.name for match in found] == ["Weapon", "Blood & Gore", "Rifle"]


def test_dry_run_is_done_as_soon_as_it_is_recorded_and_has_no_copy() -> None:
    decision = rules_of("quarantine", dry_run=True).decision(PHOTO, (), "now")
    assert (decision.action, decision.done, decision.dry_run, decision.to) == (Action.QUARANTINE, True, True, "")


def test_copy_is_named_by_the_version_or_the_etag() -> None:
    of = rules_of("quarantine")
    assert of.decision(PHOTO, (), "").to == "s3://quarantine-bucket/from/v1/images/a b.jpg"
    unversioned = Photo(BUCKET, "images/a b.jpg", "e1", None, 1000)
    assert of.decision(unversioned, (), "").to == "s3://quarantine-bucket/from/e1/images/a b.jpg"


def test_copy_of_a_long_key_has_a_hash_in_its_place() -> None:
    to = rules_of("quarantine").decision(Photo(BUCKET, "ä" * 512, "e1", "v1", 1), (), "").to
    assert to.startswith("s3://quarantine-bucket/from/v1/")
    assert len(to.rpartition("/")[2]) == 64


@pytest.mark.parametrize("text", ["", "[]", "{}", json.dumps(WEAPONS | {"action": "burn"})])
def test_rules_that_the_module_does_not_write_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        Rules.parse(text)


def test_dry_run_must_be_true_or_false() -> None:
    """Otherwise the text "false" would be a dry run, and null none."""
    for value in ("false", None, 0):
        with pytest.raises(ValueError, match="neither true nor false"):
            rules(dry_run=value)


def test_missing_and_damaged_rules_need_terraform(dynamodb: DynamoDBClient, clients: Clients) -> None:
    with pytest.raises(NeedsOperator, match="are missing"):
        read_rules(clients.dynamodb, LABELS_TABLE, "1")
    row: Any = {"Term": {"S": "*unwanted"}, "Rank": {"S": "1"}, "Rules": {"S": "{}"}}
    dynamodb.put_item(TableName=LABELS_TABLE, Item=row)
    with pytest.raises(NeedsOperator, match="cannot be read") as raised:
        read_rules(clients.dynamodb, LABELS_TABLE, "1")
    assert raised.value.next_step == "apply the Terraform module again"
    dynamodb.put_item(TableName=LABELS_TABLE, Item=row | {"Rules": {"S": json.dumps(WEAPONS)}})
    assert read_rules(clients.dynamodb, LABELS_TABLE, "1") == rules()
