"""Histories: photos come and go while several workers run the real reconciler on the real store.

The queue loses, duplicates and reorders events. The workers are switched at every call that crosses the network
(world.py). A call may fail before it takes effect or after (the answer is lost), and a worker may die at either point.
A message comes back until its worker has settled it.

With a daily limit, each worker is a separate environment, Rekognition may throttle, days pass, and photos over the
limit wait until the real mover moves them. Two movers may run at once, and they may die as workers do.

With changing settings, the module is applied with others at any time. Each photo then gets an event. Messages of
`image-labels relabel` ask for labels that are not older than they are.

The schedule adds the deltas of terms to their counts. Two such runs may be at work at once, and they may die, too.

With face indexing, the maximum number of faces changes, and Rekognition may throttle.

With detectors, the settings also switch DetectText on and off, and DetectText may throttle.

With another writer, a program that does not know the module writes items where there are none, and changes attributes
of existing ones.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

from botocore.exceptions import ClientError
from greenlet import GreenletExit, greenlet
from image_labels.calls import Caller, Unlimited, Unreadable
from image_labels.daily_limit import DailyLimit
from image_labels.detectors.face_claims import FaceClaims
from image_labels.detectors.face_index import FaceIndex
from image_labels.detectors.text import TextCriteria, TextDetector
from image_labels.failures import OverDailyLimit, TryAgain
from image_labels.model import iso_time
from image_labels.pace import Pace
from image_labels.queues.waiting import WaitingPhotos
from image_labels.reconcile import Reconciler
from image_labels.rekognition import Labeller
from image_labels.selection import Criteria, Wanted
from image_labels.tables.counts import Counts
from image_labels.tables.store import Store
from support.policies import with_policy
from support.tables import revisions
from support.world import ASKED, DAY, MAX_BACKLOG, Queues, World, client_error

# The settings that replace each other: the stored answer has some of what the next one wants, or all.
SETTINGS: tuple[Wanted, ...] = (
    ASKED,
    Criteria(10, 92.0),
    Criteria(1, 80.0),
    Criteria(10, 75.0),
    Criteria(2, 90.0),
    with_policy(Criteria(10, 90.0), "1", rename={"Content 1": "Common", "Thing": "Object"}, drop=["Content 2"]),
    with_policy(Criteria(2, 85.0), "2", drop=["Common"], min_confidence={"Shaky": 70}),
)
# The same with detectors: what decides the labels, and the confidence of the lines of text.
DETECTOR_SETTINGS: tuple[tuple[Wanted, float | None], ...] = (
    (ASKED, 80.0),
    (ASKED, None),
    (Criteria(2, 90.0), 92.0),
    (ASKED, 50.0),
    (Criteria(10, 75.0), 80.0),
)
# Attempts of image_labels.calls.Caller.
ATTEMPTS = 3
KEYS = ("a", "b")
WORKERS = 3
# A history with unsettled messages after this many switches never ends.
MAX_SWITCHES = 20_000
# Switches that settle a new photo.
SPURT = 12
TICK = 5 * 60  # seconds between two runs of the schedule
MOVERS = 2
FOLDERS = 2
# Calls of the tables for which a photo is a worker's that indexes its faces.
LEASE = 60


class UnsettledError(AssertionError):
    """Messages are still unsettled after MAX_SWITCHES."""


@dataclass
class Running:
    """A worker at work on a message."""

    message: str
    thread: greenlet
    done: bool = False


class History:
    """One history. Each byte of `steps` is one event: the lower four bits are what happens, the upper four to whom."""

    def __init__(
        self,
        world: World,
        *,
        make: Callable[..., Reconciler] = Reconciler,
        make_store: Callable[..., Store] = Store,
        make_caller: Callable[..., Caller] = Caller,
        make_limit: Callable[..., DailyLimit] = DailyLimit,
        make_waiting: Callable[..., WaitingPhotos] = WaitingPhotos,
        make_counts: Callable[..., Counts] = Counts,
        make_index: Callable[..., FaceIndex] = FaceIndex,
        make_claims: Callable[..., FaceClaims] = FaceClaims,
        max_actions: int = 100,
    ) -> None:
        self.world = world
        self._make_limit = make_limit
        self._make = make
        self._make_caller = make_caller
        self._make_index = make_index
        self._make_claims = make_claims
        self._calls = count()
        self._paused = 0.0
        self._store = make_store(
            world.tables, "images", "labels", now=world.clock, new_revision=revisions(), max_actions=max_actions
        )
        self.reconcilers = self._new_reconcilers()
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
        self._make_counts = make_counts
        self.folders: list[greenlet | None] = [None] * FOLDERS
        self.unheard: set[str] = set()  # keys whose last change had no event
        self.workers: list[Running | None] = [None] * WORKERS

    def play(self, steps: bytes) -> None:
        """Play the steps, then settle all messages. Raises the errors of this module and of `support.world`."""
        for byte in steps:
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
            elif any(self.folders):
                self._fold(0 if self.folders[0] else 1)
            elif not any(self.workers):
                if not self.queues.waiting and not self.queues.hidden:
                    return
                self._tick(DAY)
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
            case 3 if self.queue:  # delivered twice
                self.queue.append(self.queue[who % len(self.queue)])
            case 4:  # the worker dies; its message comes back
                self._end(worker, deliver_again=True)
            case 5:  # its call fails, or the answer to its call is lost
                self._step(worker, TryAgain("the network"))
            case 6 | 7 if self.workers[worker] is not None:  # the other workers pause for long
                for _ in range(SPURT):
                    self._step(worker)
            case 8 if who % 4 == 0 and not self.world.versioned and self.world.limit is None:
                self.world.upload_again(key)
                self._event(key, lost=who // 4 == 3)
            case 8 | 9 if self.world.limit is None and not self.world.another_writer:
                self._folder_happens(who)
            case 14 | 15 if self.world.another_writer:
                self.world.write_as_another(key, who // len(KEYS))
                self.unheard.add(key)  # S3 sends no event: the next event of the key corrects it
            case 12 if self.world.changing_settings:
                self._apply(SETTINGS[who % len(SETTINGS)], None)
            case 11 if self.world.detecting:
                self._apply(*DETECTOR_SETTINGS[who % len(DETECTOR_SETTINGS)])
            case 10 if self.world.detecting:
                self.world.text_throttles = ATTEMPTS
            case 11 if self.world.faces is not None:
                self.world.faces.max_faces = 1 if self.world.faces.max_faces == 5 else 5
                self._apply(self.world.wanted, None)
            case 9 if self.world.faces is not None:  # all workers pause for longer than a photo is theirs
                self._paused += LEASE
            case 10 if self.world.faces is not None:
                self.world.faces.collection.throttles = 1 + who % 8
            case 13 if self.world.changing_settings or (
                (self.world.detecting or self.world.indexing) and self.world.limit is None
            ):
                self._relabel(key)
            case 12 if self.world.limit is not None:
                self._tick(DAY)
            case 13 if self.world.limit is not None:  # SQS refuses a message
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
        """Take any message of the queue, because SQS keeps no order."""
        if not self.queue:
            return
        self.queue.rotate(-(which % len(self.queue)))
        running = Running(self.queue.popleft(), greenlet(self.reconcilers[worker].reconcile))
        self.workers[worker] = running
        key, _, labelled_before = running.message.partition("@")
        self._go_on(worker, lambda: running.thread.switch(key, labelled_before=labelled_before))

    def _step(self, worker: int, failure: Exception | None = None) -> None:
        running = self.workers[worker]
        if running is None:
            return
        if failure is not None:
            self._fault(running)
        self._go_on(worker, lambda: running.thread.throw(failure) if failure else running.thread.switch())

    def _go_on(self, worker: int, resume: Callable[[], object]) -> None:
        running = self.workers[worker]
        assert running is not None
        try:
            resume()
        except OverDailyLimit:
            self.queues.waiting.append(running.message)
        except (TryAgain, Unreadable) as error:
            if isinstance(error.__cause__, ClientError) and error.__cause__.operation_name == "DetectText":
                self.world.throttled(running.message.partition("@")[0], running.thread)
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
            self._fault(running)
            running.thread.throw()  # GreenletExit: it ends at its current call

    def _fault(self, running: Running) -> None:
        self.world.faults += 1
        if self.world.faces is not None:
            self.world.faces.faulted.add(running.thread)

    def _new_reconcilers(self) -> list[Reconciler]:
        """One for each worker, with the settings of the world."""
        reconcilers = []
        for _ in range(WORKERS):
            client: Any = self.world
            allowance = self._allowance()
            labeller = Labeller(
                client,
                self._caller("DetectLabels", allowance),
                max_labels=self.world.wanted.max_labels,
                min_confidence=min(ASKED.min_confidence, self.world.wanted.floor),
            )
            detectors = []
            if self.world.text is not None:
                caller = self._caller("DetectText", allowance)
                detectors.append(TextDetector(client, caller, TextCriteria(self.world.text)))
            claims = self._claims(allowance)
            reconcilers.append(self._make(self.world, labeller, self._store, self.world.wanted, detectors, claims))
        return reconcilers

    def _claims(self, allowance: DailyLimit | Unlimited) -> FaceClaims | None:
        if self.world.faces is None:
            return None
        index = self._make_index(
            self.world.faces.collection,
            self._caller("IndexFaces", allowance),
            self.world.faces.asked,
            Pace(math.inf),
            new_id=lambda: str(next(self._calls)),
            sleep=lambda _seconds: None,
        )
        return self._make_claims(index, self._store, seconds=LEASE, now=lambda: self.world.clock() + self._paused)

    def _caller(self, api: str, allowance: DailyLimit | Unlimited) -> Caller:
        return self._make_caller(api, Pace(math.inf), allowance, sleep=lambda _seconds: None)

    def _apply(self, wanted: Wanted, text: float | None) -> None:
        """Apply other settings. Workers with the previous ones end, and each photo gets an event."""
        for worker in range(WORKERS):
            self._end(worker, deliver_again=True)
        self.world.wanted, self.world.text = wanted, text
        self.reconcilers = self._new_reconcilers()
        self.unheard.update(KEYS)

    def _relabel(self, key: str) -> None:
        self.world.switches += 1
        self.world.again[key] = iso_time(self.world.clock())
        self.queue.append(f"{key}@{self.world.again[key]}")

    def _allowance(self) -> DailyLimit | Unlimited:
        """A new allowance, as each execution environment has one."""
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
                self._move(mover, client_error("ServiceUnavailable", "", "SQS"))
            case 4:  # it dies
                self._move(mover, GreenletExit())
            case 5 if self.movers[mover] is None:  # the schedule runs once more than it should
                self._start(mover)
            case _:
                self._move(mover)

    def _folder_happens(self, who: int) -> None:
        folder = who // 8 % FOLDERS
        if not any(self.folders):  # the schedule runs once more than it should
            for each in range(FOLDERS):
                counts = self._make_counts(self.world.tables, "labels", max_actions=6, clock=lambda: 0.0)
                self.folders[each] = greenlet(counts.fold)
                self._fold(each, 1.0)
        elif who % 8 == 5:
            self._fold(folder, failure=client_error("ServiceUnavailable", "", "TransactWriteItems"))
        elif who == 6:
            self._fold(folder, failure=GreenletExit())
        else:
            for _ in range(who % 4):
                self._fold(folder)

    def _fold(self, folder: int, *until: float, failure: BaseException | None = None) -> None:
        thread = self.folders[folder]
        if thread is None:
            return
        if failure:
            thread.throw(failure)
        else:
            thread.switch(*until)
        if thread.dead:
            self.folders[folder] = None

    def _tick(self, seconds: float) -> None:
        """Time passes, messages that were received and not deleted are visible again, and a mover starts."""
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
