"""Histories: a bucket that people change, a queue that loses, doubles and reorders, and several workers that run the
real reconciler on the real store and are switched at every call that crosses the network.

What stands for AWS behaves as AWS says: S3 reads are strongly consistent; a DynamoDB transaction has its conditions
checked and takes effect in one moment (tables.py); Rekognition reads the version it is asked for, or, in a bucket
without versions, whatever is there when it reads. A call may fail before it takes effect or after (the answer is lost),
and a worker may die at either point. A message comes back until its worker has said that it is done.

With a daily limit, each worker is an environment of its own, Rekognition may throttle, days go by, and photos over the
limit wait until the real mover moves them, of which two may be at work at once, which may die as workers do, and of
whose messages SQS may refuse some.

With another writer, a program that knows nothing of this one puts items of its own where there is none, and changes
attributes of those that are there.
"""

from __future__ import annotations

import math
import re
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeVar, cast

from botocore.exceptions import ClientError
from greenlet import GreenletExit, greenlet
from image_labels.daily_limit import DailyLimit
from image_labels.failures import OverDailyLimit, TryAgain
from image_labels.model import Label, Labels, Photo, Rejected
from image_labels.pace import Pace
from image_labels.queues.waiting import WaitingPhotos
from image_labels.reconcile import Reconciler
from image_labels.rekognition import Labeller, Unlimited, Unreadable
from image_labels.tables.items import is_foreign, labels_of, rows_of
from image_labels.tables.store import Store
from image_labels.tables.terms import terms_of
from support.tables import Attributes, Tables, revisions

T = TypeVar("T")
BUCKET = "photos-bucket"
SETTINGS = "max_labels=10;min_confidence=80"
KEYS = ("a", "b")
WORKERS = 3
# A history that has not come to rest after so many switches never will.
MAX_SWITCHES = 20_000
# Switches that see a new photo through to its end.
SPURT = 12
DAY = 24 * 3600
TICK = 5 * 60  # seconds from one look at the waiting photos to the next
MOVERS = 2
MAX_BACKLOG = 1  # messages in the queue of photos up to which a mover moves others there

Content = Labels | Rejected

# What the other writer puts where there is no item, and what it changes of one that is there; None removes.
ITEMS_OF_ANOTHER: tuple[Attributes, ...] = (
    {"Labels": {"SS": ["Dog"]}},
    {"Detections": {"L": [{"S": "Dog"}]}, "Revision": {"S": "1"}},
    {"ETag": {"N": "1"}, "Revision": {"N": "1.5"}, "Rows": {"N": "1"}},
    {"Detections": {"NULL": True}, "Emptying": {"BOOL": True}},
)
CHANGES_OF_ANOTHER: tuple[Attributes, ...] = (
    {"Revision": {"S": "1"}},
    {"Revision": {"N": "1.5"}},
    {"Revision": None},
    {"Settings": {"NULL": True}, "Revision": {"L": []}},
    {"Settings": None},
    {"ETag": {"N": "1"}},
    {"Status": {"S": "DONE"}},
    {"Rows": {"S": "many"}},
)


class GoesBackError(AssertionError):
    """An item was replaced by the labels of an older photo."""


class OverLimitError(AssertionError):
    """More images were asked about than the limit of a day allows."""


class FloodError(AssertionError):
    """More messages were moved at a time than there was room for."""


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


def _error(code: str, message: str, operation: str) -> ClientError:
    return ClientError(cast("Any", {"Error": {"Code": code, "Message": message}}), operation)


@dataclass
class World:
    """The bucket, Rekognition and the tables. `versioned` says whether the bucket keeps versions.

    `limit` is the daily limit, `now` the time in seconds since the epoch, `throttles` how many of the next calls
    Rekognition refuses, `billed` how many it has answered of those made on each day (days since the epoch), `faults`
    how many times a worker died, or a call of its failed.
    """

    versioned: bool
    limit: int | None = None
    now: float = 0.0
    throttles: int = 0
    billed: Counter[int] = field(default_factory=Counter)
    faults: int = 0
    another_writer: bool = False
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

    def write_as_another(self, key: str, which: int) -> None:
        """What another program does to a key of the images table."""
        images = self.tables.items["images"]
        if (key,) not in images:
            images[(key,)] = {"PK": {"S": key}, **ITEMS_OF_ANOTHER[which % len(ITEMS_OF_ANOTHER)]}
            return
        changed = images[(key,)] | CHANGES_OF_ANOTHER[which % len(CHANGES_OF_ANOTHER)]
        images[(key,)] = {name: value for name, value in changed.items() if value is not None}

    # -- what the reconciler calls

    def head(self, key: str) -> Photo | None:
        return network(lambda: self.objects.get(key))

    def detect_labels(self, *, Image: Attributes, **_: Any) -> Attributes:  # noqa: N803
        today = int(self.now // DAY)

        def answer() -> Attributes:
            if self.throttles:
                self.throttles -= 1
                raise _error("ThrottlingException", "", "DetectLabels")
            content = seen_in(self._read(**Image["S3Object"]))
            self.billed[today] += 1
            if self.limit is not None and self.billed[today] > self.limit:
                raise OverLimitError(f"{self.billed[today]} images on a day that has {self.limit}")
            if isinstance(content, Rejected):
                raise _error("InvalidImageFormatException", content.reason, "DetectLabels")
            labels = [
                {"Name": each.name, "Confidence": each.confidence, "Parents": [{"Name": name} for name in each.parents]}
                for each in content.labels
            ]
            return {"Labels": labels, "LabelModelVersion": content.model_version}

        return network(answer)

    def _read(self, Name: str, Version: str | None = None, **_: str) -> str:  # noqa: N803
        if Version is not None:
            return Version.removeprefix("v")
        if Name not in self.objects:
            raise _error("InvalidS3ObjectException", "gone", "DetectLabels")
        return self.objects[Name].etag

    def _no_older_one(self, images: dict[str, Attributes]) -> None:
        # Not those of another writer, which may have any ETag.
        labelled = {key: int(item["ETag"]["S"]) for key, item in images.items() if not is_foreign(item)}
        for key, number in labelled.items():
            if number < self._labelled.get(key, number):
                raise GoesBackError(f"the item of {key!r} goes back from content {self._labelled[key]} to {number}")
        self._labelled = {key: number for key, number in self._labelled.items() if key in images} | labelled

    # -- at rest

    def differences(self) -> list[str]:
        """How the tables differ from a fresh labelling of the bucket; empty if they do not."""
        images, rows = self.tables.images(), self.tables.rows()
        counted, billed = sum(self.tables.usage().values()), self.billed.total()
        # A fault leaves one image counted at most: that of the call it befell.
        wrong = self.limit is not None and not billed <= counted <= billed + self.faults
        found = [f"{billed} images are billed and {counted} are counted, with {self.faults} faults"] if wrong else []
        found += [f"{key!r} has no item" for key in self.objects.keys() - images.keys()]
        found += [f"{key!r} has a ghost" for key in images.keys() - self.objects.keys()]
        fresh_rows: dict[tuple[str, str], Attributes] = {}
        for key in self.objects.keys() & images.keys():
            item, etag = images[key], self.objects[key].etag
            fresh = seen_in(etag)
            if is_foreign(item):
                found.append(f"{key!r} has the item of another writer: {item}")
                continue
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
    if isinstance(content, Labels):
        return content
    said = re.search(r"content \d+", content.reason)
    return said[0] if said else content.reason


@dataclass
class Queues:
    """What movers see of SQS: messages are keys of photos. `refuses` of the next messages are not sent."""

    photos: deque[str]
    waiting: deque[str] = field(default_factory=deque)
    hidden: dict[str, str] = field(default_factory=dict)  # by receipt handle
    handles: Iterator[int] = field(default_factory=count)
    refuses: int = 0
    moved: Counter[greenlet] = field(default_factory=Counter)  # by each mover

    def show(self) -> None:
        """The visibility time-out is over."""
        self.waiting.extend(self.hidden.values())
        self.hidden.clear()

    def get_queue_attributes(self, *, QueueUrl: str, **_: Any) -> Attributes:  # noqa: N803
        queue = self.waiting if QueueUrl == "waiting" else self.photos
        return network(lambda: {"Attributes": {"ApproximateNumberOfMessages": str(len(queue))}})

    def receive_message(self, *, MaxNumberOfMessages: int, **_: Any) -> Attributes:  # noqa: N803
        def receive() -> Attributes:
            messages: list[Attributes] = []
            while self.waiting and len(messages) < MaxNumberOfMessages:
                handle = str(next(self.handles))
                self.hidden[handle] = self.waiting.popleft()
                attributes = {"SentTimestamp": "0"}
                messages.append({"Body": self.hidden[handle], "ReceiptHandle": handle, "Attributes": attributes})
            return {"Messages": messages}

        return network(receive)

    def send_message_batch(self, *, QueueUrl: str, Entries: list[Attributes]) -> Attributes:  # noqa: N803
        mover = greenlet.getcurrent()

        def send() -> Attributes:
            refused, sent = Entries[: self.refuses], Entries[self.refuses :]
            self.refuses -= len(refused)
            queue = self.waiting if QueueUrl == "waiting" else self.photos
            queue.extend(entry["MessageBody"] for entry in sent)
            self.moved[mover] += len(sent)
            if self.moved[mover] > MAX_BACKLOG:
                raise FloodError(f"{self.moved[mover]} messages were moved, and {MAX_BACKLOG} at most were to be")
            return {"Successful": sent, "Failed": [{"Id": entry["Id"], "Code": "InternalError"} for entry in refused]}

        return network(send)

    def delete_message_batch(self, *, Entries: list[Attributes], **_: Any) -> Attributes:  # noqa: N803
        def delete() -> Attributes:
            for entry in Entries:
                self.hidden.pop(entry["ReceiptHandle"], None)
            return {}

        return network(delete)


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
        make_labeller: Callable[..., Labeller] = Labeller,
        make_limit: Callable[..., DailyLimit] = DailyLimit,
        make_waiting: Callable[..., WaitingPhotos] = WaitingPhotos,
        max_actions: int = 100,
    ) -> None:
        self.world = world
        self._make_limit = make_limit
        store = make_store(world.tables, "images", "labels", new_revision=revisions(), max_actions=max_actions)
        self.reconcilers = []
        for _ in range(WORKERS):
            labeller = make_labeller(
                world,
                Pace(math.inf),
                self._allowance(),
                max_labels=10,
                min_confidence=80.0,
                sleep=lambda _seconds: None,
            )
            self.reconcilers.append(make(world, labeller, store, SETTINGS))
        self.queue: deque[str] = deque()
        self.queues = Queues(self.queue)
        self.waiting_photos = make_waiting(
            lambda: self.queues,
            self._allowance(),
            queue_url="photos",
            waiting_queue_url="waiting",
            max_backlog=MAX_BACKLOG,
            now=lambda: 0.0,
        )
        self.movers: list[greenlet | None] = [None] * MOVERS
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
            elif any(self.movers):
                self._move(0 if self.movers[0] else 1)
            elif not any(self.workers):
                if not self.queues.waiting and not self.queues.hidden:
                    return
                self._tick(DAY)
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
            case 14 | 15 if self.world.another_writer:
                self.world.write_as_another(key, who // len(KEYS))
                self.unheard.add(key)  # it tells nobody: the next event of the key mends it
            case 12 if self.world.limit is not None:
                self._tick(DAY)
            case 13 if self.world.limit is not None:  # SQS does not take everything
                self.queues.refuses += 1
            case 14 if self.world.limit is not None:
                self.world.throttles += 1
            case 15 if self.world.limit is not None:
                self._mover_happens(who)
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
        running = Running(self.queue.popleft(), greenlet(self.reconcilers[worker].reconcile))
        self.workers[worker] = running
        self._go_on(worker, lambda: running.thread.switch(running.key))

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
        except OverDailyLimit:
            self.queues.waiting.append(running.key)
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
            self.world.faults += 1
            running.thread.throw()  # GreenletExit: it ends where it stands

    def _allowance(self) -> DailyLimit | Unlimited:
        """One for each environment."""
        if self.world.limit is None:
            return Unlimited()
        tables: Any = self.world.tables
        return self._make_limit(tables, lambda: tables, "labels", self.world.limit, now=lambda: self.world.now)

    def _mover_happens(self, who: int) -> None:
        mover = who // 8 % MOVERS
        match who % 8:
            case 0 | 1 | 2:
                self._tick(TICK)
            case 3:
                self._move(mover, _error("ServiceUnavailable", "", "SQS"))
            case 4:  # it dies
                self._move(mover, GreenletExit())
            case 5 if self.movers[mover] is None:  # the schedule rings once more than it should
                self._start(mover)
            case _:
                self._move(mover)

    def _tick(self, seconds: float) -> None:
        """Time goes by, messages that were received and not deleted are seen again, and a mover looks."""
        self.world.now += seconds
        self.queues.show()
        if self.movers[0] is None:
            self._start(0)

    def _start(self, mover: int) -> None:
        thread = self.movers[mover] = greenlet(self.waiting_photos.move)
        thread.switch(math.inf)

    def _move(self, mover: int, failure: BaseException | None = None) -> None:
        thread = self.movers[mover]
        if thread is None:
            return
        if failure:
            thread.throw(failure)
        else:
            thread.switch()
        if thread.dead:
            self.movers[mover] = None
