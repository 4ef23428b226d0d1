"""The pace at which the queue of photos is filled: the function has work, and new uploads wait for seconds only."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from image_labels_cli.feeding.room import AHEAD_SECONDS, Room
from image_labels_cli.stop import Stop
from support.busy_queue import BusyQueue

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

HOUR = 3600.0


def room(queue: BusyQueue, pace: float) -> Room:
    return Room(cast("SQSClient", queue), "url", pace, clock=queue.clock, sleep=queue.sleep)


def feed(queue: BusyQueue, pace: float, seconds: float) -> Room:
    """Send as many messages as there is room for, until the time is over."""
    fed = room(queue, pace)
    while queue.now < seconds:
        free = fed.free()
        queue.send(free)
        fed.take(free)
        queue.sleep(BusyQueue.STEP)
    return fed


@pytest.mark.parametrize("pace", [0.5, 5.0, 50.0, 1000.0])
@pytest.mark.parametrize("lag", [0.0, 3.0, 15.0, 60.0])
def test_function_is_busy_and_an_upload_waits_for_seconds(pace: float, lag: float) -> None:
    """SQS documents that its counts may lag by a minute."""
    queue = BusyQueue(pace, lag)
    feed(queue, pace, HOUR)
    assert queue.served / queue.could >= 0.95
    assert queue.deepest() <= AHEAD_SECONDS + 1


def test_slower_function_gets_no_more_than_the_limit() -> None:
    """The queue of a function that takes half of the pace is full, and no fuller."""
    queue = BusyQueue(25.0, lag=3.0)
    feed(queue, 50.0, HOUR)
    assert queue.depths[-1][1] <= AHEAD_SECONDS * 50
    assert queue.served / queue.could >= 0.99


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_uploads_go_first(share: float) -> None:
    """What uploads leave of the quota is used, and they wait no longer than behind a full queue."""
    queue = BusyQueue(50.0, lag=3.0, uploads=50 * share)
    feed(queue, 50.0, HOUR)
    assert queue.served / queue.could >= 0.95
    assert queue.deepest() <= AHEAD_SECONDS + 3


def test_nothing_is_sent_while_uploads_fill_the_queue() -> None:
    queue = BusyQueue(50.0)
    queue.send(5000)
    waiting = room(queue, 50.0)
    waits: list[int] = []
    assert waiting.wait(Stop(), waits.append)
    assert queue.now == pytest.approx(5000 / 50 - AHEAD_SECONDS, abs=1.5)
    assert waits[0] == 5000


@pytest.mark.parametrize("idle", [60.0, 12 * HOUR])
def test_no_flood_follows_a_pause(idle: float) -> None:
    """Photos over the daily limit are waited for for hours. The counts show late what was sent after that."""
    queue = BusyQueue(50.0, lag=15.0)
    fed = feed(queue, 50.0, 60.0)
    queue.sleep(idle)
    start = queue.now
    while queue.now < start + 60:
        free = fed.free()
        queue.send(free)
        fed.take(free)
        queue.sleep(BusyQueue.STEP)
    assert queue.deepest(after=start) <= AHEAD_SECONDS


def test_ctrl_c_ends_the_wait() -> None:
    queue, stop = BusyQueue(1.0), Stop()
    queue.send(1000)

    def press(_waiting: int) -> None:
        stop.requested = queue.now > 5

    assert room(queue, 1.0).wait(stop, press) == 0
    assert queue.now < 10
