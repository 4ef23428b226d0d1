"""Histories: a bucket that people change, a queue that loses, doubles and reorders, and several workers that run the
real reconciler on the real store and are switched at every call that crosses the network.

What stands for AWS behaves as AWS says: S3 reads are strongly consistent; a DynamoDB transaction has its conditions
checked and takes effect in one moment (tables.py); Rekognition reads the version it is asked for, or, in a bucket
without versions, whatever is there when it reads. A call may fail before it takes effect or after (the answer is lost),
and a worker may die at either point. A message comes back until its worker has said that it is done.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeVar

from greenlet import greenlet
from image_labels.attributes import labels_of, rows_of
from image_labels.failures import TryAgain
from image_labels.photos import Photo
from image_labels.reconcile import Reconciler
from image_labels.rekognition import Label, Labels, Rejected, Unreadable
from image_labels.store import Store
from image_labels.terms import terms_of
from tables import Attributes, Tables, revisions

T = TypeVar("T")
BUCKET = "photos-bucket"
SETTINGS = "max_labels=10;min_confidence=80"
KEYS = ("a", "b")
WORKERS = 3
# A history that has not come to rest after so many switches never will.
MAX_SWITCHES = 20_000
# Switches that see a new photo through to its end.
SPURT = 12

Content = Labels | Rejected


class GoesBackError(AssertionError):
    """An item was replaced by the labels of an older photo."""


class NoRestError(AssertionError):
    """The workers go on for ever."""


def seen_in(etag: str) -> Content:
    """What Rekognition says of a content: every fourth is no photo, and contents have some of their terms in common."""
    number = int(etag)
    if number % 4 == 3:
        return Rejected(f"content {number}")
    own = Label(f"Content {number % 5}", 90.0 + number % 7, parents=("Thing",))
    return Labels((own, Label("Common", 95.0), Label("Shaky", 80.0 + number % 3)), "3.0")


def network(call: Callable[[], T]) -> T:
    """A call that takes effect in one moment, with a switch before it and one between effect and answer."""
    scheduler = greenlet.getcurrent().parent
    assert scheduler is not None
    scheduler.switch()
    try:
        answer = call()
    except Exception:
        scheduler.switch()
        raise
    scheduler.switch()
    return answer


@dataclass
class World:
    """The bucket, Rekognition and the tables. `versioned` says whether the bucket keeps versions."""

    versioned: bool
    conditional: bool = True  # False: tables that ignore conditions, for the test of the test
    objects: dict[str, Photo] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self.tables = Tables(network, conditional=self.conditional, on_write=self._no_older_one)
        self._labelled: dict[str, int] = {}

    # -- what people do

    def upload(self, key: str) -> None:
        number = next(self.numbers)
        self.objects[key] = Photo(BUCKET, key, str(number), f"v{number}" if self.versioned else None, 1000)

    def remove(self, key: str) -> None:
        self.objects.pop(key, None)

    # -- what the reconciler calls

    def head(self, key: str) -> Photo | None:
        return network(lambda: self.objects.get(key))

    def detect(self, photo: Photo) -> Labels:
        content = network(lambda: seen_in(self._read(photo)))
        if isinstance(content, Rejected):
            raise content
        return content

    def _read(self, photo: Photo) -> str:
        if self.versioned:
            return photo.etag
        if photo.key not in self.objects:
            raise Unreadable("gone", "")
        return self.objects[photo.key].etag

    def _no_older_one(self, images: dict[str, Attributes]) -> None:
        labelled = {key: int(item["ETag"]["S"]) for key, item in images.items()}
        for key, number in labelled.items():
            if number < self._labelled.get(key, number):
                raise GoesBackError(f"the item of {key!r} goes back from content {self._labelled[key]} to {number}")
        self._labelled = labelled

    # -- at rest

    def differences(self) -> list[str]:
        """How the tables differ from a fresh labelling of the bucket; empty if they do not."""
        images, rows = self.tables.images(), self.tables.rows()
        found = [f"{key!r} has no item" for key in self.objects.keys() - images.keys()]
        found += [f"{key!r} has a ghost" for key in images.keys() - self.objects.keys()]
        fresh_rows: dict[tuple[str, str], Attributes] = {}
        for key in self.objects.keys() & images.keys():
            item, etag = images[key], self.objects[key].etag
            fresh = seen_in(etag)
            if _comparable(_said(item)) != _comparable(fresh) or item["ETag"]["S"] != etag:
                found.append(f"{key!r} is stale: {_said(item)} instead of {fresh}")
            if isinstance(fresh, Labels):
                fresh_rows |= rows_of(key, terms_of(fresh.labels))
            if item.get("Rows") != {"N": str(len(rows_of(key, terms_of(labels_of(item)))))}:
                found.append(f"{key!r} does not know its rows")
        found += [f"no row {row}" for row in sorted(fresh_rows.keys() - rows.keys())]
        found += [f"a ghost of a row {row}" for row in sorted(rows.keys() - fresh_rows.keys())]
        found += [f"row {row} is stale" for row in fresh_rows.keys() & rows.keys() if rows[row] != fresh_rows[row]]
        found += [f"not in the vocabulary: {term}" for term, _ in rows if term not in self.tables.vocabulary()]
        return found


def _said(item: Attributes) -> Content:
    if "Reason" in item:
        return Rejected(item["Reason"]["S"])
    return Labels(labels_of(item), item["LabelModelVersion"]["S"])


def _comparable(content: Content) -> Labels | str:
    return content.reason if isinstance(content, Rejected) else content


@dataclass
class Running:
    """A worker at work on a message."""

    key: str
    thread: greenlet
    done: bool = False


class History:
    """One history, told by bytes: each is one thing that happens next, to whom in its upper bits."""

    def __init__(
        self,
        world: World,
        *,
        make: Callable[..., Reconciler] = Reconciler,
        make_store: Callable[..., Store] = Store,
        max_actions: int = 100,
    ) -> None:
        self.world = world
        tables: Any = world.tables
        store = make_store(tables, "images", "labels", new_revision=revisions(), max_actions=max_actions)
        self.reconciler = make(world, world, store, SETTINGS)
        self.queue: deque[str] = deque()
        self.unheard: set[str] = set()  # keys whose last change has had no event
        self.workers: list[Running | None] = [None] * WORKERS

    def play(self, told: bytes) -> None:
        """Let it happen, then let the queue run dry. Raises GoesBackError or NoRestError."""
        for byte in told:
            self._happens(byte % 16, byte // 16)
        self.queue.extend(sorted(self.unheard))  # at least one event comes after a key's last change
        for switches in range(MAX_SWITCHES):
            worker = switches % WORKERS
            if self.workers[worker] is not None:
                self._step(worker)
            elif self.queue:
                self._take(worker, 0)
            elif not any(self.workers):
                return
        raise NoRestError(f"not at rest after {MAX_SWITCHES} switches")

    def _happens(self, what: int, who: int) -> None:
        key, worker = KEYS[who % len(KEYS)], who % WORKERS
        match what:
            case 0 | 1:
                self.world.upload(key)
                self._event(key, lost=who // 4 == 3)
            case 2:
                self.world.remove(key)
                self._event(key, lost=who // 4 == 3)
            case 3 if self.queue:  # delivered twice
                self.queue.append(self.queue[who % len(self.queue)])
            case 4:  # the worker dies; its message comes back
                self._end(worker, deliver_again=True)
            case 5:  # its call fails, or the answer to its call is lost
                self._step(worker, TryAgain("the network"))
            case 6 | 7 if self.workers[worker] is not None:  # the others stand still for long
                for _ in range(SPURT):
                    self._step(worker)
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
        """Any message of the queue, not the first: it keeps no order."""
        if not self.queue:
            return
        self.queue.rotate(-(which % len(self.queue)))
        running = Running(self.queue.popleft(), greenlet(lambda key: self.reconciler.reconcile(key)))
        self.workers[worker] = running
        self._go_on(worker, lambda: running.thread.switch(running.key))

    def _step(self, worker: int, failure: Exception | None = None) -> None:
        running = self.workers[worker]
        if running is None:
            return
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
            self.queue.append(running.key)
        if not running.thread.dead:
            running.thread.throw()  # GreenletExit: it ends where it stands
