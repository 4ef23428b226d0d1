"""The item of a key is made to agree with its object, also if either changes at the same time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from image_labels.calls import Unreadable
from image_labels.failures import OverDailyLimit, TryAgain
from image_labels.model import Label, Labels, Rejected, iso_time
from image_labels.reconcile import MAX_ROUNDS, Cost, Outcome, Reconciler, Result
from image_labels.selection import Criteria
from image_labels.tables.items import Rows
from support.fakes import FakeItems, FakeLabels, FakePhotos

if TYPE_CHECKING:
    from image_labels.model import Photo

KEY = "images/a b.jpg"


class World:
    def __init__(self) -> None:
        self.photos, self.labels, self.items = FakePhotos(), FakeLabels(), FakeItems()
        self.reconciler = self.with_settings("max_labels=10;min_confidence=80")

    def with_settings(self, settings: str) -> Reconciler:
        wanted = Criteria.parse(settings)
        assert wanted is not None
        return Reconciler(self.photos, self.labels, self.items, wanted)

    def reconcile(self, calls: int) -> Result:
        """Reconcile the key; `calls` is the number of answers of Rekognition that it must cost."""
        cost = Cost()
        result = self.reconciler.reconcile(KEY, cost=cost)
        assert cost.rekognition_calls == calls
        return result

    def stored_label(self) -> str | None:
        content = self.items.contents.get(KEY)
        return content.labels[0].name if isinstance(content, Labels) else None


@pytest.fixture
def world() -> World:
    return World()


def test_new_photo_is_labelled(world: World) -> None:
    world.photos.upload(KEY, "e1", "v1")
    result = world.reconcile(calls=1)
    assert (result.outcome, result.labels) == (Outcome.LABELLED, 1)
    assert world.stored_label() == "label of e1"
    assert world.labels.asked[0].version_id == "v1"


def test_duplicate_event_costs_one_read_and_one_head(world: World) -> None:
    world.photos.upload(KEY, "e1")
    world.reconciler.reconcile(KEY)
    reads, heads = world.items.reads, world.photos.heads
    assert world.reconcile(calls=0).outcome is Outcome.UNCHANGED
    assert (world.items.reads, world.photos.heads) == (reads + 1, heads + 1)
    assert len(world.labels.asked) == 1
    assert world.items.writes == 1


def test_unfinished_rows_are_finished_without_a_call_of_rekognition(world: World) -> None:
    world.photos.upload(KEY, "e1", "v1")
    world.reconciler.reconcile(KEY)
    world.items.items[KEY] = world.items.items[KEY]._replace(rows=Rows.FILLING)
    assert world.reconcile(calls=0).outcome is Outcome.UNCHANGED
    assert world.items.indexed == [KEY]


@pytest.mark.parametrize(("etag", "version"), [("e2", "v2"), ("e2", "v1"), ("e1", "v2")])
def test_overwritten_photo_is_labelled_again(world: World, etag: str, version: str) -> None:
    world.photos.upload(KEY, "e1", "v1")
    world.reconciler.reconcile(KEY)
    world.photos.upload(KEY, etag, version)
    assert world.reconciler.reconcile(KEY).outcome is Outcome.LABELLED
    assert world.stored_label() == f"label of {etag}"
    assert world.items.items[KEY].version_id == version


def test_photo_is_labelled_again_if_its_stored_answer_lacks_what_is_wanted(world: World) -> None:
    world.photos.upload(KEY, "e1")
    world.reconcile(calls=1)
    world.reconciler = world.with_settings("max_labels=10;min_confidence=70")
    assert world.reconcile(calls=1).outcome is Outcome.LABELLED


def test_other_settings_are_applied_to_the_stored_answer_without_a_call(world: World) -> None:
    world.photos.upload(KEY, "e1")
    world.labels.others = (Label("Sky", 91.0), Label("Sea", 60.0))
    world.labels.asked_for = "max_labels=10;min_confidence=55.0"
    assert world.reconcile(calls=1).labels == 2
    first = world.items.items[KEY].labelled_at
    world.items.now = 1000
    for settings, labels in (
        ("max_labels=10;min_confidence=95", 1),  # raised
        ("max_labels=10;min_confidence=60", 3),  # lowered, within what was asked for
        ("max_labels=2;min_confidence=60", 2),
        ("max_labels=50;min_confidence=55", 3),  # Rekognition had no more than three
    ):
        world.reconciler = world.with_settings(settings)
        result = world.reconcile(calls=0)
        assert (result.outcome, result.labels) == (Outcome.LABELLED, labels), settings
        assert world.reconcile(calls=0).outcome is Outcome.UNCHANGED
    assert world.items.items[KEY].labelled_at == first  # the time of Rekognition's answer
    world.reconciler = world.with_settings("max_labels=10;min_confidence=50")
    assert world.reconcile(calls=1).outcome is Outcome.LABELLED


def test_time_of_a_photo_that_is_uploaded_again_is_replaced_without_a_call(world: World) -> None:
    world.photos.upload(KEY, "e1")
    world.reconcile(calls=1)
    again = "2026-11-18T08:00:00.000+00:00"
    world.photos.upload(KEY, "e1", modified=again)
    assert world.reconcile(calls=0).outcome is Outcome.LABELLED
    assert world.items.items[KEY].uploaded == again
    assert world.reconcile(calls=0).outcome is Outcome.UNCHANGED
    # Without the whole answer, a new time would cost a call.
    world.items.items[KEY] = world.items.items[KEY]._replace(answer=None)
    world.photos.upload(KEY, "e1")
    assert world.reconcile(calls=0).outcome is Outcome.UNCHANGED


def test_stored_answer_of_a_replaced_photo_is_not_used(world: World) -> None:
    world.photos.upload(KEY, "e1")
    world.reconcile(calls=1)
    world.photos.upload(KEY, "e2")
    world.reconciler = world.with_settings("max_labels=10;min_confidence=90")
    world.reconcile(calls=1)
    assert world.stored_label() == "label of e2"


def test_rejection_is_kept_under_other_settings_without_a_call(world: World) -> None:
    world.photos.upload(KEY, "text")
    world.labels.rejecting["text"] = Rejected("InvalidImageFormatException: no")
    world.reconcile(calls=1)
    world.reconciler = world.with_settings("max_labels=10;min_confidence=50")
    assert world.reconcile(calls=0).outcome is Outcome.REJECTED


def test_labels_from_before_a_time_are_replaced_by_a_new_answer(world: World) -> None:
    world.photos.upload(KEY, "e1")
    world.items.now = 1000
    world.reconcile(calls=1)

    def again(before: float) -> tuple[Outcome, int]:
        cost = Cost()
        result = world.reconciler.reconcile(KEY, cost=cost, labelled_before=iso_time(before))
        return result.outcome, cost.rekognition_calls

    assert again(1000) == (Outcome.UNCHANGED, 0)  # those of 1000 are not from before 1000
    world.items.now = 2000
    assert again(1001) == (Outcome.LABELLED, 1)
    assert again(1001) == (Outcome.UNCHANGED, 0)  # a duplicate of the message
    world.items.now = 1500
    assert again(3000) == (Outcome.LABELLED, 1)  # the clock is behind: the photo is not labelled in circles


def test_new_answer_is_stored_although_another_worker_uses_the_old_one_meanwhile(world: World) -> None:
    world.photos.upload(KEY, "e1")
    world.reconcile(calls=1)
    raised = world.with_settings("max_labels=10;min_confidence=90")
    world.items.now = 1000

    def another_worker_writes_first(n: int) -> None:
        if n == 2:
            raised.reconcile(KEY)

    world.labels.on_detect = another_worker_writes_first
    assert raised.reconcile(KEY, labelled_before=iso_time(1)).outcome is Outcome.LABELLED
    assert world.items.items[KEY].labelled_at == iso_time(1000)


def test_stored_answer_from_before_a_time_is_not_used(world: World) -> None:
    world.photos.upload(KEY, "e1")
    world.reconcile(calls=1)
    cost = Cost()
    raised = world.with_settings("max_labels=10;min_confidence=90")
    raised.reconcile(KEY, cost=cost, labelled_before=iso_time(1))
    assert cost.rekognition_calls == 1


def test_deleted_photo_loses_its_item(world: World) -> None:
    world.photos.upload(KEY, "e1")
    world.reconciler.reconcile(KEY)
    world.photos.delete(KEY)
    assert world.reconciler.reconcile(KEY).outcome is Outcome.REMOVED
    assert KEY not in world.items.items
    assert world.reconciler.reconcile(KEY).outcome is Outcome.UNCHANGED


def test_event_for_an_object_that_never_existed_writes_nothing(world: World) -> None:
    assert world.reconciler.reconcile(KEY).outcome is Outcome.UNCHANGED
    assert world.items.writes == 0


def test_rejected_photo_is_stored_and_not_sent_again(world: World) -> None:
    world.photos.upload(KEY, "text")
    world.labels.rejecting["text"] = Rejected("InvalidImageFormatException: no")
    result = world.reconcile(calls=1)
    assert (result.outcome, result.reason) == (Outcome.REJECTED, "InvalidImageFormatException: no")
    assert isinstance(world.items.contents[KEY], Rejected)
    assert world.reconcile(calls=0).outcome is Outcome.UNCHANGED


def test_photo_overwritten_during_labelling_gets_the_labels_of_the_new_object(world: World) -> None:
    world.photos.upload(KEY, "old")

    def replaced_during_the_first(n: int) -> None:
        if n == 1:
            world.photos.upload(KEY, "new")

    world.labels.on_detect = replaced_during_the_first
    assert world.reconcile(calls=2).outcome is Outcome.LABELLED
    assert world.stored_label() == "label of new"


def test_photo_deleted_during_labelling_leaves_no_item(world: World) -> None:
    world.photos.upload(KEY, "old")
    world.labels.on_detect = lambda _n: world.photos.delete(KEY)
    assert world.reconciler.reconcile(KEY).outcome is Outcome.REMOVED
    assert KEY not in world.items.items


def test_photo_deleted_before_rekognition_reads_it_is_settled(world: World) -> None:
    world.photos.upload(KEY, "old")
    world.labels.raising["old"] = Unreadable("gone", "")
    world.labels.on_detect = lambda _n: world.photos.delete(KEY)
    assert world.reconcile(calls=0).outcome is Outcome.UNCHANGED  # an unanswered call is not counted


def test_existing_photo_that_rekognition_cannot_read_is_a_failure(world: World) -> None:
    world.photos.upload(KEY, "old")
    world.labels.raising["old"] = Unreadable("another Region", "look")
    cost = Cost()
    with pytest.raises(Unreadable, match="another Region"):
        world.reconciler.reconcile(KEY, cost=cost)
    assert cost.rekognition_calls == 0


def test_item_written_by_another_worker_is_not_overwritten(world: World) -> None:
    world.photos.upload(KEY, "e1")
    world.reconciler.reconcile(KEY)
    world.photos.upload(KEY, "e2")

    def another_worker_writes_first(n: int) -> None:
        if n == 2:
            world.reconciler.reconcile(KEY)

    world.labels.on_detect = another_worker_writes_first
    assert world.reconcile(calls=1).outcome is Outcome.UNCHANGED  # the call is counted although its result is not used
    assert world.stored_label() == "label of e2"
    assert world.items.writes == 2


def test_photo_of_an_item_that_keeps_changing_is_tried_again_later(world: World) -> None:
    world.photos.upload(KEY, "e1")
    world.reconciler.reconcile(KEY)
    world.photos.upload(KEY, "e2")
    world.photos.on_head = lambda _n: world.items.touch(KEY)
    cost = Cost()
    with pytest.raises(TryAgain, match=f"changed {MAX_ROUNDS} times"):
        world.reconciler.reconcile(KEY, cost=cost)
    assert cost.rekognition_calls == 1
    assert len(world.labels.asked) == 2  # one per object: a conflict causes no further call


def test_abandoned_photo_is_not_written(world: World) -> None:
    """If a thread outlives its invocation, the photo may be deleted by then, and no later check corrects the write."""
    world.photos.upload(KEY, "e1")
    abandoned_since: list[bool] = []
    world.labels.on_detect = lambda _n: abandoned_since.append(True)
    with pytest.raises(TryAgain, match="invocation ended"):
        world.reconciler.reconcile(KEY, lambda: bool(abandoned_since))
    assert world.items.writes == 0
    with pytest.raises(TryAgain, match="invocation ended"):
        world.reconciler.reconcile(KEY, lambda: True)
    assert len(world.labels.asked) == 1


def test_photo_abandoned_during_its_wait_is_not_sent_to_rekognition(world: World) -> None:
    """It waits for its turn in rekognition.Labeller, which checks `abandoned` then."""
    world.photos.upload(KEY, "e1")
    abandoned_since: list[bool] = []

    class Waits(FakeLabels):
        def detect(self, photo: Photo, abandoned: Callable[[], bool] = lambda: False) -> Labels | Rejected:
            abandoned_since.append(True)
            if abandoned():
                raise TryAgain("not asked")
            return super().detect(photo)

    world.labels = Waits()
    reconciler = world.with_settings("max_labels=10;min_confidence=80")
    with pytest.raises(TryAgain, match="not asked"):
        reconciler.reconcile(KEY, lambda: bool(abandoned_since))
    assert world.labels.asked == []


def test_unchanged_and_deleted_photos_are_settled_over_the_limit(world: World) -> None:
    world.photos.upload(KEY, "e1")
    world.reconciler.reconcile(KEY)
    over = OverDailyLimit(1, "2026-11-25")
    world.labels.raising = {"e1": over, "e2": over}
    assert world.reconciler.reconcile(KEY).outcome is Outcome.UNCHANGED
    world.photos.upload(KEY, "e2")
    with pytest.raises(OverDailyLimit):
        world.reconciler.reconcile(KEY)
    assert world.stored_label() == "label of e1"
    world.photos.delete(KEY)
    assert world.reconciler.reconcile(KEY).outcome is Outcome.REMOVED
