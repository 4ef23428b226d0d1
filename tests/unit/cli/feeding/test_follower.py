"""When a photo that was sent is done, as its item shows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from image_labels_cli.feeding.follower import Outcome, Rule, as_now
from image_labels_cli.feeding.selection import FOREIGN, Photo
from image_labels_cli.inventory.items import KnownItem

RULE = Rule("bucket", "current")
ITEM = KnownItem("k", "bucket", "e", "current", "LABELLED", "3.0", complete=True, revision="7")
MISSING, GHOST, STALE = Photo("k", "e", ""), Photo("k", "", "6"), Photo("k", "e", "6")


@pytest.mark.parametrize(
    ("photo", "item", "outcome"),
    [
        (MISSING, None, None),
        (MISSING, ITEM, Outcome.LABELLED),
        (MISSING, replace(ITEM, status="REJECTED"), Outcome.REJECTED),
        (MISSING, replace(ITEM, etag="replaced meanwhile"), Outcome.LABELLED),
        (MISSING, replace(ITEM, complete=False), None),
        (MISSING, replace(ITEM, status="REMOVED"), Outcome.REMOVED),
        (MISSING, replace(ITEM, pending=True), None),  # unwanted, and about to be moved
        (MISSING, KnownItem("k", foreign=True), None),
        (MISSING, replace(ITEM, settings="other"), Outcome.OTHER_SETTINGS),
        (MISSING, replace(ITEM, bucket="another"), None),
        (STALE, ITEM, Outcome.LABELLED),
        (STALE, replace(ITEM, revision="6", settings="other"), None),  # not written since
        (STALE, replace(ITEM, revision="6", etag="previous"), None),
        (STALE, replace(ITEM, revision="6"), Outcome.LABELLED),  # only its rows were incomplete
        (STALE, None, Outcome.REMOVED),
        (Photo("k", "e", FOREIGN), KnownItem("k", foreign=True), None),
        (Photo("k", "e", FOREIGN), ITEM, Outcome.LABELLED),
        (GHOST, replace(ITEM, revision="6"), None),
        (GHOST, None, Outcome.REMOVED),
        (GHOST, ITEM, Outcome.LABELLED),  # uploaded again
    ],
)
def test_outcome(photo: Photo, item: KnownItem | None, outcome: Outcome | None) -> None:
    assert RULE.outcome(photo, item) is outcome


def test_photo_that_is_labelled_again_is_done_when_its_item_is_written() -> None:
    current = as_now(replace(STALE, labelled_before="2026-11-28"), ITEM)
    assert RULE.outcome(as_now(STALE, ITEM), ITEM) is Outcome.LABELLED
    assert RULE.outcome(current, ITEM) is None
    assert RULE.outcome(current, replace(ITEM, revision="8", labelled_at="2026-11-27")) is None
    assert RULE.outcome(current, replace(ITEM, revision="8", labelled_at="2026-11-28")) is Outcome.LABELLED


@pytest.mark.parametrize(("item", "revision"), [(None, ""), (ITEM, "7"), (KnownItem("k", foreign=True), FOREIGN)])
def test_present_revision(item: KnownItem | None, revision: str) -> None:
    assert as_now(STALE, item).revision == revision
