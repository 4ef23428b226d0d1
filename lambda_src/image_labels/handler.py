"""The function's entry point. Clients and settings are made once, at the start."""

from __future__ import annotations

import gc

# The clients' service models are some 4 MB of JSON, none of which is garbage. The collector would traverse it again and
# again while it is read, which takes a third of the cold start (bench/cold_start.py).
gc.disable()

import os  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable, Mapping, Sequence  # noqa: E402
from typing import TYPE_CHECKING, Any  # noqa: E402

from image_labels.calls import Caller, Unlimited  # noqa: E402
from image_labels.clients import make_clients  # noqa: E402
from image_labels.events import Source, read  # noqa: E402
from image_labels.pace import Pace  # noqa: E402
from image_labels.photos import Photos  # noqa: E402
from image_labels.reconcile import Reconciler  # noqa: E402
from image_labels.rekognition import Labeller  # noqa: E402
from image_labels.settings import Settings  # noqa: E402
from image_labels.tables.store import Store  # noqa: E402
from image_labels.worker import Worker  # noqa: E402

if TYPE_CHECKING:
    from image_labels.calls import Allowance
    from image_labels.clients import Clients
    from image_labels.detectors.face_claims import FaceClaims
    from image_labels.detectors.finding import Detector
    from image_labels.queues.redelivery import Redelivery
    from image_labels.queues.waiting import WaitingPhotos
    from image_labels.selection import Wanted
    from image_labels.tables.counts import Counts

# Photos are counted, and waiting photos are moved, until so much of the function's time is over. A call that hangs then
# does not make the invocation time out. The next run does the rest.
COUNT_SHARE = 0.25
MOVE_SHARE = 0.6


class Function:
    """Dispatches events: a schedule to the counts and the queue of waiting photos, all others to the worker."""

    def __init__(
        self, worker: Worker, make_counts: Callable[[], Counts], make_waiting_photos: Callable[[], WaitingPhotos]
    ) -> None:
        self._worker = worker
        self._make_counts = make_counts
        self._make_waiting_photos = make_waiting_photos

    def handle(self, event: object, seconds_left: float) -> Mapping[str, Any]:
        """Raises EventError for an event of no known shape, answers.SomeFailed, and a Failure if photos cannot be
        counted, or waiting photos cannot be moved.
        """
        began = time.monotonic()
        work = read(event)
        if work.source is Source.SCHEDULE:
            counted: Mapping[str, int] = {}
            try:
                counted = self._make_counts().fold(began + seconds_left * COUNT_SHARE)
            finally:
                moved = self._make_waiting_photos().move(began + seconds_left * MOVE_SHARE)
            return {**counted, **moved}
        return self._worker.handle(work, seconds_left)


def make_function(
    environment: Mapping[str, str], *, clients: Clients | None = None, now: Callable[[], float] = time.time
) -> Function:
    """Create the function. None makes its AWS clients; `now` gives seconds since the epoch.

    Raises SettingsError if the environment variables are wrong.
    """
    settings = Settings.from_environment(environment)
    clients = clients or make_clients(settings.concurrency)
    allowance: Allowance = Unlimited()
    if settings.daily_image_limit is not None:
        from image_labels.daily_limit import DailyLimit  # not at the start: the import lengthens it

        allowance = DailyLimit(
            clients.dynamodb, clients.dynamodb_once, settings.labels_table, settings.daily_image_limit, now=now
        )
    wanted: Wanted = settings.wanted
    filters = None
    if settings.label_policy_id:
        from image_labels.policy import PolicyCriteria, read_policy  # not at the start: the import lengthens it

        wanted = policy = PolicyCriteria(
            settings.wanted,
            settings.label_policy_id,
            lambda: read_policy(clients.dynamodb, settings.labels_table, settings.label_policy_id),
        )
        filters = policy.request_filters
    store = Store(clients.dynamodb, settings.images_table, settings.labels_table, now=now)
    guard = None
    if settings.unwanted_id:
        from image_labels.unwanted.make import make_guard  # not at the start: the import lengthens it

        wanted, guard = make_guard(settings, clients, wanted, now)
    detectors: Sequence[Detector] = ()
    faces: FaceClaims | None = None
    if settings.has_detectors:
        # Not at the start: the import lengthens it.
        from image_labels.detectors.make import make_detectors, make_face_claims

        detectors = make_detectors(settings, clients.rekognition, allowance)
        faces = make_face_claims(settings, clients.rekognition, allowance, store)
    reconciler = Reconciler(
        Photos(clients.s3, settings.bucket),
        Labeller(
            clients.rekognition,
            Caller("DetectLabels", Pace(settings.detect_labels_per_second), allowance),
            max_labels=settings.requested_max_labels,
            min_confidence=settings.requested_min_confidence,
            filters=filters,
        ),
        store,
        wanted,
        detectors,
        faces,
        guard,
    )

    def make_redelivery() -> Redelivery:
        from image_labels.queues.redelivery import Redelivery  # only photos that fail or wait need it

        return Redelivery(
            clients.sqs,
            queue_url=settings.queue_url,
            dead_letter_queue_url=settings.dead_letter_queue_url,
            waiting_queue_url=settings.waiting_queue_url,
            max_receive_count=settings.max_receive_count,
            retry_delay=settings.retry_delay,
        )

    def make_waiting_photos() -> WaitingPhotos:
        from image_labels.queues.waiting import WaitingPhotos  # only the schedule needs it

        return WaitingPhotos(
            clients.sqs,
            allowance,
            queue_url=settings.queue_url,
            waiting_queue_url=settings.waiting_queue_url,
            max_backlog=settings.max_queue_backlog,
            now=now,
        )

    counts: list[Counts] = []

    def make_counts() -> Counts:
        from image_labels.tables.counts import Counts  # only the schedule needs it

        if not counts:
            counts.append(Counts(clients.dynamodb, settings.labels_table, now=now))
        return counts[0]

    return Function(
        Worker(reconciler, make_redelivery, settings.bucket, settings.concurrency), make_counts, make_waiting_photos
    )


_function = make_function(os.environ)

gc.freeze()
gc.enable()


def handler(event: object, context: Any) -> Mapping[str, Any]:
    """See image_labels.events for the events, and image_labels.answers for the answers."""
    return _function.handle(event, context.get_remaining_time_in_millis() / 1000)
