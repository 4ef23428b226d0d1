"""Histories of a bucket with unwanted photos: uploads, deletions and changed rules, while several workers run the real
reconciler, guard, actions and store, on a fake S3 and fake tables.

As in support/histories.py, workers are switched at every call that crosses the network, a call may fail before or after
it takes effect, a worker may die at either point, and a message comes back until its worker has settled it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from greenlet import greenlet
from image_labels.calls import Unreadable
from image_labels.failures import TryAgain
from image_labels.model import Label, Labels, Photo
from image_labels.reconcile import Reconciler
from image_labels.selection import Criteria
from image_labels.tables.items import labels_of
from image_labels.tables.rows import rows_of
from image_labels.tables.store import Store
from image_labels.tables.terms import terms_of
from image_labels.tables.unwanted import unwanted_of
from image_labels.unwanted.guard import Guard
from image_labels.unwanted.rules import Rules, RulesCriteria
from support.fakes import BUCKET
from support.s3 import FakeS3
from support.tables import Attributes, Tables, revisions
from support.unwanted import OF_ACTION, TAG, rules_of
from support.world import network

KEYS = ("a", "b")
WORKERS = 3
SPURT = 14
MAX_SWITCHES = 20_000
QUARANTINE = OF_ACTION["quarantine"]["quarantine_bucket"]
# The labels of the contents by their number, and the labels that make a photo unwanted, one set of rules after another.
LABELS = ("Bad", "Worse", "Good")
RULES = (["Bad"], ["Worse"], ["Bad", "Worse"])


class UnsettledError(AssertionError):
    """Messages are still unsettled after MAX_SWITCHES."""


class WrongPhotoError(AssertionError):
    """A photo was deleted that is not unwanted, or that is not in quarantine."""


def label_of(etag: str) -> str:
    return LABELS[int(etag) % len(LABELS)]


class Bucket(FakeS3):
    """The bucket of the photos and the quarantine. `deleted` has the contents that workers deleted, by key."""

    def __init__(self, *, versioned: bool, allowed: Callable[[str], bool], quarantines: bool) -> None:
        super().__init__(versioned={BUCKET} if versioned else set(), call=network)
        self.deleted: dict[str, str] = {}
        self._allowed = allowed
        self._quarantines = quarantines

    def delete_object(self, **request: Any) -> dict[str, Any]:
        key = request["Key"]
        call, self.call = self.call, lambda effect: network(lambda: watched(effect))

        def watched(effect: Callable[[], Any]) -> Any:
            before, seen = list(self.buckets.get(BUCKET, {}).get(key, [])), self.current(BUCKET, key)
            answer = effect()
            kept = self.buckets.get(BUCKET, {}).get(key, [])
            hidden = [seen] if seen is not None and seen in kept and self.current(BUCKET, key) is not seen else []
            for gone in (*hidden, *(each for each in before if each not in kept)):
                copies = {self.current(QUARANTINE, copy).etag for copy in self.keys(QUARANTINE)}  # type: ignore[union-attr]
                if not self._allowed(gone.etag) or (self._quarantines and gone.etag not in copies):
                    raise WrongPhotoError(f"{key!r}: content {gone.etag} was deleted")
                self.deleted[key] = gone.etag
            return answer

        try:
            return super().delete_object(**request)
        finally:
            self.call = call


@dataclass
class World:
    """The bucket, Rekognition and the tables. `seen` are the labels that any rules so far have made unwanted."""

    action: str
    versioned: bool
    changing_rules: bool = False
    faults: int = 0
    switches: int = 0
    number: int = 0  # of the rules
    numbers: Any = field(default_factory=count)
    seen: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.s3 = Bucket(
            versioned=self.versioned,
            allowed=lambda etag: label_of(etag) in self.seen,
            quarantines=self.action == "quarantine",
        )
        self.tables = Tables(network)
        self.seen.update(RULES[0])

    @property
    def rules(self) -> Rules:
        return rules_of(self.action, labels=RULES[self.number])

    @property
    def wanted(self) -> RulesCriteria:
        return RulesCriteria(Criteria(10, 80.0), str(self.number), lambda: self.rules)

    def apply(self, number: int) -> None:
        self.number = number
        self.seen.update(RULES[number])

    def upload(self, key: str) -> None:
        etag = str(next(self.numbers))
        self.s3.deleted.pop(key, None)
        self.s3.upload(BUCKET, key, etag, {"own": etag}, version=f"v{etag}")

    def remove(self, key: str) -> None:
        if self.s3.current(BUCKET, key):
            self.s3.deleted.pop(key, None)
        self.s3.remove(BUCKET, key)

    # -- what the reconciler calls

    def head(self, key: str) -> Photo | None:
        found: Photo | None = network(lambda: self.s3.photo(BUCKET, key))
        return found

    def detect(self, photo: Photo, _abandoned: Callable[[], bool] = lambda: False) -> Labels:
        def answer() -> Labels:
            versions = self.s3.buckets.get(BUCKET, {}).get(photo.key, [])
            found = next((each for each in versions if each.id == photo.version_id and not each.marker), None)
            if found is None:
                raise Unreadable("gone", "")
            labels = (Label(label_of(found.etag), 95.0), Label(f"Content {found.etag}", 90.0))
            return Labels(labels, "3.0", asked="max_labels=1000;min_confidence=80.0")

        return network(answer)

    # -- the end of a history

    def differences(self) -> list[str]:
        """What is wrong once all messages are settled; empty if nothing is."""
        images, rows = self.tables.images(), self.tables.rows()
        found: list[str] = []
        expected_rows: dict[tuple[str, str], Attributes] = {}
        for key in KEYS:
            current, item = self.s3.current(BUCKET, key), images.get(key)
            decision = None if item is None else unwanted_of(item)
            if decision is not None and not decision.done:
                found.append(f"{key!r} is pending")
            if current is None:
                removed = item is not None and item["Status"] == {"S": "REMOVED"}
                if item is not None and not (removed and decision is not None):
                    found.append(f"{key!r} has an item without an object: {item}")
                # Rules that change between the deletion and its record leave nothing to be recorded.
                if (
                    key in self.s3.deleted
                    and not self.changing_rules
                    and not (item and item["ETag"] == {"S": self.s3.deleted[key]})
                ):
                    found.append(f"{key!r} was deleted by the function, and its item does not say so: {item}")
                continue
            unwanted = label_of(current.etag) in RULES[self.number]
            if item is None or item["ETag"]["S"] != current.etag or item["Settings"]["S"] != self.wanted.text:
                found.append(f"{key!r} is stale: {item} of {current}")
                continue
            expected_rows |= rows_of(key, terms_of(labels_of(item)))
            if unwanted and self.action != "tag":
                found.append(f"{key!r} is unwanted, and still there")
            found += self._wrong_tags(key, current.etag, current.tags, unwanted, item)
        found += [f"rows differ: {rows.keys() ^ expected_rows.keys()}"] if rows.keys() != expected_rows.keys() else []
        return found

    def _wrong_tags(self, key: str, etag: str, tags: dict[str, str], unwanted: bool, item: Attributes) -> list[str]:
        if self.action != "tag":
            return [] if unwanted_of(item) is None else [f"{key!r} has a decision: {item}"]
        if self.versioned or not self.faults:
            recorded = unwanted_of(item) is not None
            if (dict(TAG).items() <= tags.items()) != recorded:
                return [f"{key!r} is tagged {tags}, and the item says {item.get('Unwanted')}"]
            if unwanted and not recorded:
                return [f"{key!r} is unwanted and not tagged"]
            if recorded and label_of(etag) not in self.seen:
                return [f"{key!r} is tagged, and was never unwanted"]
        return [f"{key!r} has lost its own tags"] if self.versioned and tags.get("own") != etag else []


@dataclass
class Running:
    """A worker at work on a message."""

    message: str
    thread: greenlet


class History:
    """One history. Each byte of `steps` is one event: the lower four bits are what happens, the upper four to whom."""

    def __init__(
        self,
        world: World,
        *,
        make: Callable[..., Reconciler] = Reconciler,
        make_store: Callable[..., Store] = Store,
        make_guard: Callable[..., Guard] = Guard,
        max_actions: int = 100,
    ) -> None:
        self.world = world
        self._make, self._make_guard = make, make_guard
        tables: Any = world.tables
        self._store = make_store(tables, "images", "labels", new_revision=revisions(), max_actions=max_actions)
        self.reconcilers = self._new_reconcilers()
        self.queue: deque[str] = deque()
        self.unheard: set[str] = set()
        self.workers: list[Running | None] = [None] * WORKERS

    def play(self, steps: bytes) -> None:
        """Play the steps, then settle all messages. Raises the errors of this module."""
        for byte in steps:
            self._happens(byte % 16, byte // 16)
        self.queue.extend(sorted(self.unheard))
        for switches in range(MAX_SWITCHES):
            worker = switches % WORKERS
            if self.workers[worker] is not None:
                self._step(worker)
            elif self.queue:
                self._take(worker, 0)
            elif not any(self.workers):
                return
        raise UnsettledError(f"messages are unsettled after {MAX_SWITCHES} switches")

    def _happens(self, what: int, who: int) -> None:
        key, worker = KEYS[who % len(KEYS)], who % WORKERS
        match what:
            case 0 | 1:
                self.world.upload(key)
                self._event(key, lost=who // 4 == 3)
            case 2:
                self.world.remove(key)
                self._event(key, lost=who // 4 == 3)
            case 3 if self.queue:
                self.queue.append(self.queue[who % len(self.queue)])
            case 4:
                self._end(worker, deliver_again=True)
            case 5:
                self._step(worker, TryAgain("the network"))
            case 6 | 7 | 8 if self.workers[worker] is not None:
                for _ in range(SPURT):
                    self._step(worker)
            case 9 if self.world.changing_rules:
                for each in range(WORKERS):
                    self._end(each, deliver_again=True)
                self.world.apply(who % len(RULES))
                self.reconcilers = self._new_reconcilers()
                self.unheard.update(KEYS)
            case _ if self.workers[worker] is None:
                self._take(worker, who)
            case _:
                self._step(worker)

    def _event(self, key: str, *, lost: bool) -> None:
        if lost:
            self.unheard.add(key)
        else:
            self.unheard.discard(key)
            self.queue.append(key)

    def _take(self, worker: int, which: int) -> None:
        if not self.queue:
            return
        self.queue.rotate(-(which % len(self.queue)))
        running = Running(self.queue.popleft(), greenlet(self.reconcilers[worker].reconcile))
        self.workers[worker] = running
        self._go_on(worker, lambda: running.thread.switch(running.message))

    def _step(self, worker: int, failure: Exception | None = None) -> None:
        running = self.workers[worker]
        if running is None:
            return
        self.world.faults += failure is not None
        self._go_on(worker, lambda: running.thread.throw(failure) if failure else running.thread.switch())

    def _go_on(self, worker: int, resume: Callable[[], object]) -> None:
        running = self.workers[worker]
        assert running is not None
        try:
            resume()
        except (TryAgain, Unreadable):
            self._end(worker, deliver_again=True)
            return
        if running.thread.dead:
            self._end(worker, deliver_again=False)

    def _end(self, worker: int, *, deliver_again: bool) -> None:
        running = self.workers[worker]
        if running is None:
            return
        self.workers[worker] = None
        if deliver_again:
            self.queue.append(running.message)
        if not running.thread.dead:
            self.world.faults += 1
            running.thread.throw()

    def _new_reconcilers(self) -> list[Reconciler]:
        world, wanted = self.world, self.world.wanted
        s3: Any = world.s3
        rules = world.rules
        return [
            self._make(world, world, self._store, wanted, guard=self._make_guard(s3, lambda: rules))
            for _ in range(WORKERS)
        ]
