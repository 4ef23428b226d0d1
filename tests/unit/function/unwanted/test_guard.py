"""Decisions about photos, from Rekognition's answer to the item, and the log lines of what was done."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from image_labels.detectors.moderation import Moderation, ModerationLabel
from image_labels.failures import TryAgain
from image_labels.model import Label, Labels, Photo
from image_labels.reconcile import Outcome, Reconciler
from image_labels.selection import Criteria, covers
from image_labels.unwanted.decision import Action, Match, Unwanted
from image_labels.unwanted.guard import Guard
from image_labels.unwanted.rules import Rules, RulesCriteria
from support.fakes import BUCKET, FakeItems, FakeLabels
from support.policies import with_policy
from support.s3 import FakeS3
from support.unwanted import TAG, rules_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from image_labels.detectors.finding import Finding

KEY = "images/a b.jpg"
RIFLE, DOG = Label("Rifle", 92.0, ("Weapon",)), Label("Dog", 99.0)
PHOTO = Photo(BUCKET, KEY, "e1", "v1", 1000)
CRITERIA = Criteria(10, 80.0)


@dataclass
class Moderating:
    """A detector that finds violence, or fails."""

    failing: bool = False
    name: str = "moderation"
    api: str = "detect_moderation_labels"
    settings: str = ";moderation=min_confidence=80.0"

    def detect(self, _photo: Photo, _abandoned: Callable[[], bool]) -> Moderation:
        if self.failing:
            raise TryAgain("throttled", throttled=True)
        return Moderation(asked="", labels=(ModerationLabel("Weapons", ("Violence",), 95.0),))

    def covers(self, _finding: Finding) -> bool:
        return True

    def choose(self, finding: Finding) -> Finding:
        return finding


@dataclass
class Deployment:
    """A bucket with versions, a Rekognition that sees a rifle in each photo, and functions with different rules."""

    s3: FakeS3 = field(default_factory=lambda: FakeS3(versioned={BUCKET}))
    items: FakeItems = field(default_factory=FakeItems)
    labels: FakeLabels = field(
        default_factory=lambda: FakeLabels(others=(RIFLE,), asked_for="max_labels=1000;min_confidence=80.0")
    )

    def head(self, key: str) -> Photo | None:
        return self.s3.photo(BUCKET, key)

    def reconcile(self, rules: Rules, *detectors: Moderating) -> Outcome:
        criteria = RulesCriteria(CRITERIA, str(hash(rules)), lambda: rules)
        s3: Any = self.s3
        guard = Guard(s3, lambda: rules, now=lambda: 0.0)
        return Reconciler(self, self.labels, self.items, criteria, detectors, guard=guard).reconcile(KEY).outcome

    @property
    def unwanted(self) -> Unwanted | None:
        return self.items.items[KEY].unwanted


@pytest.fixture
def deployment() -> Deployment:
    found = Deployment()
    found.s3.upload(BUCKET, KEY, "e1")
    return found


def decide(rules: Rules, content: Labels, before: Unwanted | None = None) -> Unwanted | None:
    s3: Any = FakeS3()
    return Guard(s3, lambda: rules).decide(PHOTO, content, before)


def test_label_policy_hides_no_label_from_the_rules() -> None:
    """Dropped, renamed and beyond the best `max_labels`: the rules see Rekognition's own labels."""
    answer = Labels((DOG, RIFLE), "3.0", asked="max_labels=1000;min_confidence=80.0")
    for wanted in (
        with_policy(CRITERIA, "1", drop=["Rifle"]),
        with_policy(CRITERIA, "2", rename={"Rifle": "Toy"}),
        Criteria(1, 80.0),
    ):
        decision = decide(rules_of("delete"), wanted.choose(answer))
        assert decision is not None
        assert [match.name for match in decision.matches] == ["Rifle"]


def test_name_that_only_the_policy_gives_is_no_match() -> None:
    wanted = with_policy(CRITERIA, "1", rename={"Dog": "Weapon"})
    assert decide(rules_of("delete"), wanted.choose(Labels((DOG,), "3.0"))) is None


def test_answer_that_lacks_labels_is_not_used() -> None:
    """The eleventh best label of ten may be a weapon."""
    wanted = RulesCriteria(CRITERIA, "1", lambda: rules_of("delete"))
    assert not covers("max_labels=10;min_confidence=80.0", 10, wanted)
    assert covers("max_labels=10;min_confidence=80.0", 9, wanted)
    assert covers("max_labels=1000;min_confidence=80.0", 10, wanted)
    lower = RulesCriteria(CRITERIA, "1", lambda: rules_of("delete", min_confidence=60))
    assert not covers("max_labels=1000;min_confidence=80.0", 9, lower)
    moderation = rules_of("delete", labels=[], moderation_labels=["Violence"])
    assert covers("max_labels=10;min_confidence=80.0", 10, RulesCriteria(CRITERIA, "1", lambda: moderation))


def test_what_was_done_is_not_done_again_and_stays_recorded() -> None:
    done = Unwanted(Action.TAG, (Match("Rifle", 92.0, "label"),), "then", done=True)
    assert decide(rules_of("tag"), Labels((RIFLE,), "3.0"), done) is done
    assert decide(rules_of("tag"), Labels((DOG,), "3.0"), done) is done
    deletion = decide(rules_of("delete"), Labels((RIFLE,), "3.0"), done)
    assert deletion is not None
    assert (deletion.action, deletion.done) == (Action.DELETE, False)


def test_dry_run_is_followed_by_the_action() -> None:
    tried = replace(Unwanted(Action.TAG, (), "then"), done=True, dry_run=True)
    decision = decide(rules_of("tag"), Labels((RIFLE,), "3.0"), tried)
    assert decision is not None
    assert not decision.done
    assert decide(rules_of("tag"), Labels((DOG,), "3.0"), tried) is None


@pytest.mark.parametrize(("action", "outcome"), [("tag", "labelled"), ("quarantine", "removed"), ("delete", "removed")])
def test_photo_is_acted_on_and_logged_once(
    deployment: Deployment, caplog: pytest.LogCaptureFixture, action: str, outcome: str
) -> None:
    caplog.set_level(logging.INFO)
    assert deployment.reconcile(rules_of(action)).value == outcome
    assert deployment.reconcile(rules_of(action)) is Outcome.UNCHANGED
    (line,) = [record.__dict__ for record in caplog.records if record.message == "photo unwanted"]
    assert (line["levelname"], line["action"], line["acted"], line["key"]) == ("WARNING", action, 1, KEY)
    assert (line["version"], line["matches"]) == ("v0", "Rifle 92.0")
    assert deployment.unwanted is not None
    assert (deployment.unwanted.done, deployment.unwanted.gone) == (True, False)
    assert len(deployment.labels.asked) == 1


def test_dry_run_is_only_recorded(deployment: Deployment, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert deployment.reconcile(rules_of("delete", dry_run=True)) is Outcome.LABELLED
    assert deployment.reconcile(rules_of("delete", dry_run=True)) is Outcome.UNCHANGED
    assert deployment.unwanted is not None
    assert deployment.unwanted.dry_run
    assert deployment.s3.calls == []
    (line,) = [record.__dict__ for record in caplog.records if record.message == "photo unwanted"]
    assert (line["levelname"], line["acted"], line["dry_run"]) == ("INFO", 0, 1)


def test_nothing_is_decided_before_all_answers_are_there(deployment: Deployment) -> None:
    rules = rules_of("delete", labels=["Weapon"], moderation_labels=["Violence"])
    with pytest.raises(TryAgain, match="throttled"):
        deployment.reconcile(rules, Moderating(failing=True))
    assert (deployment.unwanted, deployment.s3.calls) == (None, [])
    assert deployment.reconcile(rules, Moderating()) is Outcome.REMOVED
    assert deployment.unwanted is not None
    assert [match.name for match in deployment.unwanted.matches] == ["Weapons", "Rifle"]
    assert len(deployment.labels.asked) == 1


def test_object_with_the_same_content_as_a_removed_one_is_looked_at() -> None:
    deployment = Deployment(s3=FakeS3())
    for _ in range(2):
        deployment.s3.upload(BUCKET, KEY, "e1")
        assert deployment.reconcile(rules_of("delete")) is Outcome.REMOVED
        assert deployment.s3.current(BUCKET, KEY) is None
    assert len(deployment.labels.asked) == 2


def test_photo_that_another_program_has_deleted_is_recorded_as_gone(deployment: Deployment) -> None:
    deployment.s3.refuses["DeleteObject"] = "AccessDenied"
    with pytest.raises(Exception, match="AccessDenied"):
        deployment.reconcile(rules_of("delete"))
    deployment.s3.buckets[BUCKET].pop(KEY)
    assert deployment.reconcile(rules_of("delete")) is Outcome.REMOVED
    assert deployment.unwanted is not None
    assert deployment.unwanted.gone


def test_tag_of_its_own_is_kept_by_a_newer_version_although_an_action_is_unfinished(deployment: Deployment) -> None:
    deployment.s3.refuses["PutObjectTagging"] = "AccessDenied"
    with pytest.raises(Exception, match="AccessDenied"):
        deployment.reconcile(rules_of("tag"))
    deployment.s3.upload(BUCKET, KEY, "e2", TAG)
    assert deployment.reconcile(rules_of("tag", labels=["Nothing"])) is Outcome.LABELLED
    now = deployment.s3.current(BUCKET, KEY)
    assert now is not None
    assert now.tags == TAG


def test_older_version_that_becomes_current_is_looked_at_in_turn(deployment: Deployment) -> None:
    deployment.s3.upload(BUCKET, KEY, "e2")
    deployment.labels.others = ()
    rules = rules_of("delete", labels=["label of e2"])
    assert deployment.reconcile(rules) is Outcome.LABELLED
    assert deployment.items.items[KEY].etag == "e1"
    assert [each.etag for each in deployment.s3.buckets[BUCKET][KEY]] == ["e1"]
