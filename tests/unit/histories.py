"""Histories: a bucket that people change, a queue that loses, doubles and reorders, and several workers that run the
real reconciler and are switched at every call that crosses the network.

What stands for AWS behaves as AWS says: S3 reads are strongly consistent; a DynamoDB write has its condition checked
and takes effect in one moment; Rekognition reads the version it is asked for, or, in a bucket without versions,
whatever is there when it reads. A call may fail before it takes effect or after (the answer is lost), and a worker may
die at either point. A message comes back until its worker has said that it is done.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import TypeVar

from greenlet import greenlet
from image_labels.failures import TryAgain
from image_labels.photos import Photo
from image_labels.reconcile import Reconciler
from image_labels.rekognition import Label, Labels, Rejected, Unreadable
from image_labels.store import Conflict, Item

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
    """What Rekognition says of a content: every fourth is no photo."""
    number = int(etag)
    return Rejected(f"content {number}") if number % 4 == 3 else Labels((Label(f"content {number}", 99.0),), "3.0")


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
    """The bucket, Rekognition and the table. `versioned` says whether the bucket keeps versions."""

    versioned: bool
    conditional: bool = True  # False: a table that ignores conditions, for the test of the test
    objects: dict[str, Photo] = field(default_factory=dict)
    items: dict[str, Item] = field(default_factory=dict)
    contents: dict[str, Content] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=count)
    revisions: Iterator[int] = field(default_factory=lambda: count(1))

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

    def get(self, key: str) -> Item | None:
        return network(lambda: self.items.get(key))

    def put(self, photo: Photo, content: Content, settings: str, replacing: Item | None) -> None:
        def write() -> None:
            self._check(photo.key, replacing)
            self._no_older_one(photo)
            self.items[photo.key] = Item(
                photo.key, BUCKET, photo.etag, photo.version_id, settings, next(self.revisions)
            )
            self.contents[photo.key] = content

        network(write)

    def delete(self, item: Item) -> None:
        def write() -> None:
            self._check(item.key, item)
            self.items.pop(item.key, None)
            self.contents.pop(item.key, None)

        network(write)

    def _read(self, photo: Photo) -> str:
        if self.versioned:
            return photo.etag
        if photo.key not in self.objects:
            raise Unreadable("gone", "")
        return self.objects[photo.key].etag

    def _check(self, key: str, read: Item | None) -> None:
        if self.conditional and self.items.get(key) != read:
            raise Conflict

    def _no_older_one(self, photo: Photo) -> None:
        stored = self.items.get(photo.key)
        if stored is not None and int(stored.etag) > int(photo.etag):
            raise GoesBackError(f"the item of {photo.key!r} goes back from content {stored.etag} to {photo.etag}")

    # -- at rest

    def differences(self) -> list[str]:
        """How the table differs from a fresh labelling of the bucket; empty if it does not."""
        found = [f"{key!r} has no item" for key in self.objects.keys() - self.items.keys()]
        found += [f"{key!r} has a ghost" for key in self.items.keys() - self.objects.keys()]
        for key in self.objects.keys() & self.items.keys():
            etag, fresh = self.objects[key].etag, _said(seen_in(self.objects[key].etag))
            stored = _said(self.contents[key])
            if stored != fresh or self.items[key].etag != etag:
                found.append(f"{key!r} is stale: {stored} instead of {fresh}")
        return found


def _said(content: Content) -> str | Labels:
    return content.reason if isinstance(content, Rejected) else content


@dataclass
class Running:
    """A worker at work on a message."""

    key: str
    thread: greenlet
    done: bool = False


class History:
    """One history, told by bytes: each is one thing that happens next, to whom in its upper bits."""

    def __init__(self, world: World, make: Callable[..., Reconciler] = Reconciler) -> None:
        self.world = world
        self.reconciler = make(world, world, world, SETTINGS)
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
