"""One run: sends the photos of a selection at the pace of the function, and follows them until they are done.

It can end at any point, and nothing is lost: a photo that was sent is in the queue, and one that was not is left for
the next run. A photo that is sent twice costs the function a read and a HeadObject.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Protocol

from image_labels.queues.sending import BATCH, send

from image_labels_cli.feeding.follower import SETTLED, Outcome, Rule, as_now
from image_labels_cli.inventory.items import MAX_KEYS
from image_labels_cli.queue_depth import depth

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from image_labels_cli.feeding.inspection import Inspection
    from image_labels_cli.feeding.pending import Pending, Sent
    from image_labels_cli.feeding.room import Room
    from image_labels_cli.feeding.selection import Photo, Selection
    from image_labels_cli.inventory.items import Items
    from image_labels_cli.patience import Patience
    from image_labels_cli.stop import Stop
    from image_labels_cli.times import Time

# Seconds between two looks at the queues that seldom change.
LOOK_SECONDS = 5.0
# Seconds between two inspections of the dead-letter queue and of photos that may have changed, and the number of the
# latter per inspection: 12,000 lists an hour cost $0.06.
INSPECT_SECONDS = 300.0
MAX_LISTS = 1000
# A photo without an outcome is given up after both queues were empty for so long: SQS's counts lag by up to a minute.
QUIET_SECONDS = 60.0
# Sending ends at so many more dead letters, if they are also this share of the photos sent: then the function fails at
# every photo, and a million more would only have to be sent back.
MAX_FAILURES = 100
MAX_FAILED_SHARE = 0.1
TICK = 0.25
SEND_TRIES = 5


class Shown(Protocol):
    """The progress: see image_labels_cli.progress.Bar."""

    def set(self, completed: int) -> None: ...

    def say(self, text: str) -> None: ...


@dataclass(frozen=True)
class Queues:
    """The queue of photos and that of photos over the daily limit, "" in a deployment without one."""

    client: SQSClient
    url: str
    waiting_url: str


@dataclass
class Result:
    """What happened to the photos. It is complete at any point at which the run ends.

    `done_before` were done when it was their turn, so they were not sent. `sent` are in the queue or have an outcome.
    `refused` by SQS, with the first `refusal`. `halt` says why the run sent no more, if something needs a person.
    """

    chosen: int
    sent: int = 0
    done_before: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    refused: int = 0
    refusal: str | None = None
    halt: str | None = None
    stopped: bool = False

    @property
    def done(self) -> int:
        """The photos that the function has done, during the run or before it was their turn."""
        return self.done_before + sum(self.outcomes[outcome] for outcome in SETTLED)

    @property
    def ended(self) -> int:
        """The photos with any end, for the progress."""
        return self.done_before + self.outcomes.total() + self.refused

    @property
    def unknown(self) -> int:
        """The photos that were sent and have no outcome yet."""
        return self.sent - self.outcomes.total()

    @property
    def not_sent(self) -> int:
        return self.chosen - self.sent - self.done_before - self.refused


class Run:
    """Sends a selection. `body` makes the message for a photo."""

    def __init__(
        self,
        selection: Selection,
        pending: Pending,
        *,
        queues: Queues,
        items: Items,
        rule: Rule,
        body: Callable[[Photo], str],
        room: Room,
        inspection: Inspection,
        patience: Patience,
        stop: Stop,
        time: Time,
        pace: float,
    ) -> None:
        self.result = Result(selection.taken)
        self._selection = selection
        self._pending = pending
        self._queues = queues
        self._items = items
        self._rule = rule
        self._body = body
        self._room = room
        self._inspection = inspection
        self._patience = patience
        self._stop = stop
        self._time = time
        self._least = max(1, min(BATCH, int(pace)))
        self._all_sent = False
        self._over_limit = 0  # messages over the daily limit, at the last look
        self._looked = -LOOK_SECONDS
        self._inspected = time.clock()
        self._dead = 0  # letters, at the last look
        self._quiet_since: float | None = None

    def run(self, shown: Shown) -> None:
        """Send and follow until all photos have an outcome, or none is to be expected, or `stop`.

        Raises AWS's errors that do not pass by themselves, and those that last too long.
        """
        self._patience.tell = shown.say
        try:
            self._dead = self._inspection.dead_letters()
            while not self._stop.requested and not self._is_over():
                self._look_at_queues()
                busy = self._feed()
                busy = self._follow() or busy
                self._inspect_if_due()
                self._show(shown)
                if not busy:
                    self._time.sleep(TICK)
        except KeyboardInterrupt:
            self._stop.requested = True
            raise
        finally:
            self.result.stopped = self._stop.requested

    def _is_over(self) -> bool:
        if self.result.halt or (self._all_sent and not self._pending):
            return True
        if self._quiet_since is None or self._time.clock() - self._quiet_since < QUIET_SECONDS:
            return False
        self._inspect(everything=True)
        return True

    # -- sending

    def _feed(self) -> bool:
        """Send as many photos as there is room for. Returns whether there is more to do at once."""
        # While photos wait for another day, more would only wait behind them, and uploads of that day behind those.
        if self._all_sent or self._over_limit:
            return False
        free = self._patience(self._room.free)
        if free < self._least:
            return False
        photos = self._selection.next(min(free, MAX_KEYS))
        if not photos:
            self._all_sent = True
            return True
        items = self._patience(lambda: self._items.get([photo.key for photo in photos]))
        to_send: list[Photo] = []
        for photo in photos:
            item = items.get(photo.key)
            if self._rule.outcome(photo, item) in SETTLED:
                self.result.done_before += 1
            else:
                to_send.append(as_now(photo, item))
        for start in range(0, len(to_send), BATCH):
            self._send(to_send[start : start + BATCH])
        return True

    def _send(self, photos: Sequence[Photo]) -> None:
        """Send the photos of one request. Those that SQS refuses repeatedly are counted."""
        at = self._time.clock()
        for tried in range(SEND_TRIES):
            bodies = [self._body(photo) for photo in photos]
            refused = self._patience(partial(send, self._queues.client, self._queues.url, bodies))
            accepted = [photo for n, photo in enumerate(photos) if n not in refused]
            self._pending.add(accepted, at)
            self.result.sent += len(accepted)
            self._room.take(len(accepted))
            photos = [photo for n, photo in enumerate(photos) if n in refused]
            if not photos or self._stop.requested:
                return
            if tried < SEND_TRIES - 1:
                self._time.sleep(2.0**tried)
        self.result.refused += len(photos)
        self.result.refusal = self.result.refusal or next(iter(refused.values())).cause

    # -- following

    def _follow(self) -> bool:
        """Ask for photos that were sent. Returns whether there are more to ask for at once."""
        due = self._pending.due(self._time.clock(), MAX_KEYS)
        if not due:
            return False
        items = self._patience(lambda: self._items.get(list({sent.photo.key for sent in due})))
        later: list[Sent] = []
        for sent in due:
            outcome = self._rule.outcome(sent.photo, items.get(sent.photo.key))
            if outcome is None:
                later.append(sent)
            else:
                self._end([sent], outcome)
        self._pending.ask_later(later, self._time.clock())
        return len(due) == MAX_KEYS

    def _end(self, sent: Sequence[Sent], outcome: Outcome) -> None:
        self._pending.done(sent)
        self.result.outcomes[outcome] += len(sent)
        self._quiet_since = None
        if outcome is Outcome.OTHER_SETTINGS:
            self.result.halt = "the function has other settings than this command"

    # -- queues

    def _look_at_queues(self) -> None:
        now = self._time.clock()
        if now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        url = self._queues.waiting_url
        self._over_limit = self._patience(lambda: depth(self._queues.client, url)).total if url else 0
        if not self._all_sent or self._over_limit or self._patience(self._in_queue):
            self._quiet_since = None
        elif self._quiet_since is None:
            self._quiet_since = now

    def _in_queue(self) -> int:
        return depth(self._queues.client, self._queues.url).total

    def _inspect_if_due(self) -> None:
        now = self._time.clock()
        # Photos over the daily limit only wait, perhaps for hours.
        if now - self._inspected < INSPECT_SECONDS or not self._pending or self._over_limit:
            return
        self._inspected = now
        self._inspect(everything=False)

    def _inspect(self, *, everything: bool) -> None:
        dead = self._inspection.dead_letters()
        if dead and (everything or dead != self._dead):
            self._dead = dead
            with closing(self._inspection.failed(self._stop)) as failed:
                for sent in failed:
                    if sent in self._pending.find(sent.photo.key):
                        self._end([sent], Outcome.FAILED)
        most = len(self._pending) if everything else MAX_LISTS
        for sent, outcome in self._inspection.changed(self._time.clock() - QUIET_SECONDS, most, self._stop):
            self._end([sent], outcome)
        if self.result.outcomes[Outcome.FAILED] > max(MAX_FAILURES, MAX_FAILED_SHARE * self.result.sent):
            self.result.halt = "too many photos fail"

    def _show(self, shown: Shown) -> None:
        shown.set(self.result.ended)
        rejected = self.result.outcomes[Outcome.REJECTED]
        failed = self.result.outcomes[Outcome.FAILED] + self.result.refused
        if self._over_limit:
            shown.say(f"daily limit: {self._over_limit:,} waiting")
        elif self._room.is_full:
            shown.say(f"waiting photos: {self._room.waiting:,}")
        elif rejected or failed:
            shown.say(", ".join(f"{n:,} {what}" for n, what in ((rejected, "rejected"), (failed, "failed")) if n))
