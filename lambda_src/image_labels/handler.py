"""The function's entry: everything is made once at start, then an event in, an answer out."""

from __future__ import annotations

import gc

# The clients' service models are some 4 MB of JSON, of which nothing is garbage: the collector would go through all
# of it again and again while it is read, for a third of the cold start (bench/cold_start.py).
gc.disable()

import os  # noqa: E402
from collections.abc import Mapping  # noqa: E402
from typing import Any  # noqa: E402

from image_labels.clients import make_clients  # noqa: E402
from image_labels.pace import Pace  # noqa: E402
from image_labels.photos import Photos  # noqa: E402
from image_labels.queues.redelivery import Redelivery  # noqa: E402
from image_labels.reconcile import Reconciler  # noqa: E402
from image_labels.rekognition import Allowance, Labeller, Unlimited  # noqa: E402
from image_labels.settings import Settings  # noqa: E402
from image_labels.tables.store import Store  # noqa: E402
from image_labels.worker import Worker, seconds_left  # noqa: E402


def make_worker(environment: Mapping[str, str]) -> Worker:
    """Put the function together. Raises SettingsError if the environment variables are wrong."""
    settings = Settings.from_environment(environment)
    clients = make_clients(settings.concurrency)
    allowance: Allowance = Unlimited()
    if settings.daily_image_limit is not None:
        from image_labels.daily_limit import DailyLimit  # the cold start of those who have no limit does without

        allowance = DailyLimit(
            clients.dynamodb, clients.dynamodb_once, settings.labels_table, settings.daily_image_limit
        )
    reconciler = Reconciler(
        Photos(clients.s3, settings.bucket),
        Labeller(
            clients.rekognition,
            Pace(settings.detect_labels_per_second),
            allowance,
            max_labels=settings.max_labels,
            min_confidence=settings.min_confidence,
        ),
        Store(clients.dynamodb, settings.images_table, settings.labels_table),
        settings.fingerprint,
    )
    redelivery = Redelivery(
        clients.sqs,
        queue_url=settings.queue_url,
        dead_letter_queue_url=settings.dead_letter_queue_url,
        waiting_queue_url=settings.waiting_queue_url,
        max_receive_count=settings.max_receive_count,
        retry_delay=settings.retry_delay,
    )

    def move_waiting(until: float) -> Mapping[str, int]:
        from image_labels.queues.waiting import WaitingPhotos  # few starts are for a schedule: the others do without

        waiting = WaitingPhotos(
            clients.sqs,
            allowance,
            queue_url=settings.queue_url,
            waiting_queue_url=settings.waiting_queue_url,
            ahead=settings.move_ahead,
        )
        return waiting.move(until)

    return Worker(reconciler, redelivery, settings.bucket, settings.concurrency, move_waiting)


_worker = make_worker(os.environ)

gc.freeze()
gc.enable()


def handler(event: object, context: object) -> Mapping[str, Any]:
    """See image_labels.events for the events, and image_labels.worker for the answers."""
    return _worker.handle(event, seconds_left(context))
