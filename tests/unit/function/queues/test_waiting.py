"""Photos over the daily limit, on moto's SQS: how many are moved back, and that none is lost."""

from __future__ import annotations

import logging
import math
import random
import time
from collections import deque
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.stub import Stubber
from image_labels.calls import Unlimited
from image_labels.failures import NeedsOperator
from image_labels.queues.waiting import HIDDEN_SECONDS, MAX_LOOKS, OLD_SECONDS, WaitingPhotos
from support.replaced import Replaced

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

NEVER = math.inf
DAY = 24 * 3600


class Left(Unlimited):
    """An allowance with a given number of images left."""

    def __init__(self, images: float) -> None:
        self.images = images

    def left(self) -> float:
        return self.images


@dataclass
class Queues:
    """The queue of photos and the queue of waiting photos."""

    sqs: SQSClient
    photos: str
    waiting: str

    def mover(self, left: float, *, max_backlog: int = 1000, sqs: Any = None, **options: Any) -> WaitingPhotos:
        client = sqs or self.sqs

        def receive_at_once(*, WaitTimeSeconds: int, **request: Any) -> Any:  # noqa: N803
            """Without long polling: moto has one server, which knows all messages."""
            assert WaitTimeSeconds
            return client.receive_message(**request)

        polling = cast("SQSClient", Replaced(client, receive_message=receive_at_once))
        return WaitingPhotos(
            lambda: polling,
            Left(left),
            queue_url=self.photos,
            waiting_queue_url=self.waiting,
            max_backlog=max_backlog,
            **options,
        )

    def let_wait(self, *bodies: str) -> None:
        for body in bodies:
            self.sqs.send_message(QueueUrl=self.waiting, MessageBody=body)

    def bodies(self, url: str) -> list[str]:
        """All messages that can be received."""
        found: list[str] = []
        while messages := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            found += [message["Body"] for message in messages]
        return sorted(found)

    def count(self, url: str) -> int:
        """The number of messages, including hidden ones."""
        names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        return sum(map(int, self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values()))


@pytest.fixture
def queues(aws: None) -> Queues:
    sqs = boto3.client("sqs")
    return Queues(sqs, *(sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("photos", "waiting")))


def names(number: int) -> list[str]:
    return [f"photo {n:03}" for n in range(number)]


def test_all_waiting_messages_are_moved_if_there_is_room(queues: Queues, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    queues.let_wait(*names(23))
    assert queues.mover(1000).move(NEVER) == {"moved": 23, "waiting": 0}
    assert queues.bodies(queues.photos) == names(23)
    assert queues.count(queues.waiting) == 0
    (record,) = caplog.records
    assert (record.levelno, record.message) == (logging.INFO, "waiting photos moved")
    assert (record.__dict__["moved"], record.__dict__["waiting"]) == (23, 0)


def test_all_waiting_messages_are_moved_when_the_limit_was_removed(queues: Queues) -> None:
    queues.let_wait(*names(3))
    assert queues.mover(Unlimited().left()).move(NEVER) == {"moved": 3, "waiting": 0}


@pytest.mark.parametrize("left", [1000, Unlimited().left()], ids=["limit", "no limit"])
def test_backlog_of_the_queue_of_photos_is_limited(queues: Queues, left: float) -> None:
    """Otherwise new photos and deletions would wait behind a day's backlog."""
    queues.let_wait(*names(40))
    mover = queues.mover(left, max_backlog=15, max_looks=1)  # each look hides ten messages for a minute
    assert mover.move(NEVER) == {"moved": 15, "waiting": 25}
    assert mover.move(NEVER) == {"moved": 0, "waiting": 25}  # none was processed in between
    (done,) = queues.sqs.receive_message(QueueUrl=queues.photos)["Messages"]
    queues.sqs.delete_message(QueueUrl=queues.photos, ReceiptHandle=done["ReceiptHandle"])
    assert mover.move(NEVER) == {"moved": 1, "waiting": 24}
    assert queues.count(queues.photos) == 15


@pytest.mark.parametrize("room", [1, 10, 12])
def test_messages_are_moved_up_to_what_the_day_has_left(queues: Queues, room: int) -> None:
    queues.let_wait(*names(23))
    assert queues.mover(room).move(NEVER) == {"moved": room, "waiting": 23 - room}
    assert len(queues.bodies(queues.photos)) == room
    assert queues.count(queues.waiting) == 23 - room


def test_messages_in_the_queue_of_photos_reduce_the_room(queues: Queues) -> None:
    queues.let_wait(*names(5))
    for delay in (0, 0, 900):
        queues.sqs.send_message(QueueUrl=queues.photos, MessageBody="new", DelaySeconds=delay)
    queues.sqs.receive_message(QueueUrl=queues.photos)  # one is in flight
    assert queues.mover(4).move(NEVER) == {"moved": 1, "waiting": 4}


@pytest.mark.parametrize("left", [0, -3])
def test_no_message_is_moved_without_room(queues: Queues, caplog: pytest.LogCaptureFixture, left: int) -> None:
    caplog.set_level(logging.INFO)
    queues.let_wait(*names(5))
    assert queues.mover(left).move(NEVER) == {"moved": 0, "waiting": 5}
    assert queues.count(queues.photos) == 0
    assert caplog.records == []


def test_empty_waiting_queue_costs_one_call(queues: Queues) -> None:
    class NotAsked(Left):
        def left(self) -> float:
            pytest.fail("the table was read")

    with Stubber(queues.sqs) as stub:
        stub.add_response("get_queue_attributes", {"Attributes": {"ApproximateNumberOfMessages": "0"}})
        photos = WaitingPhotos(
            lambda: queues.sqs,
            NotAsked(9),
            queue_url=queues.photos,
            waiting_queue_url=queues.waiting,
            max_backlog=1000,
        )
        assert photos.move(NEVER) == {"moved": 0, "waiting": 0}


def test_no_message_is_moved_or_hidden_without_time(queues: Queues) -> None:
    queues.let_wait(*names(5))
    assert queues.mover(9).move(time.monotonic() - 1) == {"moved": 0, "waiting": 5}
    assert queues.bodies(queues.waiting) == names(5)  # and hides none


def test_move_ends_when_the_time_is_over(queues: Queues) -> None:
    queues.let_wait(*names(23))
    seconds = [0.0]

    def slow(**request: Any) -> Any:
        seconds[0] += 40
        return queues.sqs.delete_message_batch(**request)

    mover = queues.mover(99, sqs=Replaced(queues.sqs, delete_message_batch=slow), clock=lambda: seconds[0])
    assert mover.move(36) == {"moved": 10, "waiting": 13}
    assert queues.count(queues.waiting) == 13


def test_message_that_sqs_does_not_send_is_not_deleted(queues: Queues, caplog: pytest.LogCaptureFixture) -> None:
    def all_but_the_second(*, QueueUrl: str, Entries: list[Any]) -> Any:  # noqa: N803
        answer: Any = queues.sqs.send_message_batch(QueueUrl=QueueUrl, Entries=[Entries[0], *Entries[2:]])
        return answer | {"Failed": [{"Id": Entries[1]["Id"], "SenderFault": False, "Code": "InternalError"}]}

    queues.let_wait(*names(3))
    mover = queues.mover(9, sqs=Replaced(queues.sqs, send_message_batch=all_but_the_second))
    assert mover.move(NEVER) == {"moved": 2, "waiting": 1}
    assert queues.bodies(queues.photos) == ["photo 000", "photo 002"]
    assert queues.count(queues.waiting) == 1
    line = next(record for record in caplog.records if record.levelno == logging.WARNING)
    assert line.__dict__["cause"].startswith("SendMessageBatch: InternalError")


def test_lost_answer_of_sqs_duplicates_messages_and_loses_none(
    queues: Queues, caplog: pytest.LogCaptureFixture
) -> None:
    def answer_is_lost(**request: Any) -> None:
        queues.sqs.send_message_batch(**request)
        raise ClientError({"Error": {"Code": "ServiceUnavailable", "Message": ""}}, "SendMessageBatch")

    queues.let_wait(*names(3))
    mover = queues.mover(9, sqs=Replaced(queues.sqs, send_message_batch=answer_is_lost))
    assert mover.move(NEVER) == {"moved": 0, "waiting": 3}
    assert [record.__dict__["cause"] for record in caplog.records] == ["SendMessageBatch: ServiceUnavailable: "]
    assert queues.bodies(queues.photos) == names(3)
    assert queues.count(queues.waiting) == 3


def test_message_that_is_being_moved_is_hidden_from_other_movers(queues: Queues) -> None:
    queues.let_wait("photo")

    def send(**request: Any) -> Any:
        assert "Messages" not in queues.sqs.receive_message(QueueUrl=queues.waiting)
        assert HIDDEN_SECONDS >= 60
        return queues.sqs.send_message_batch(**request)

    assert queues.mover(9, sqs=Replaced(queues.sqs, send_message_batch=send)).move(NEVER)["moved"] == 1


def test_missing_permission_is_logged_as_an_error_and_raised(queues: Queues, caplog: pytest.LogCaptureFixture) -> None:
    def refused(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "ReceiveMessage")

    queues.let_wait("photo")
    with pytest.raises(NeedsOperator, match="AccessDenied"):
        queues.mover(9, sqs=Replaced(queues.sqs, receive_message=refused)).move(NEVER)
    (record,) = caplog.records
    assert (record.levelno, record.message) == (logging.ERROR, "waiting photos not moved")
    assert "allow ReceiveMessage" in record.__dict__["next_step"]


@pytest.mark.parametrize(
    ("operation", "answer"),
    [
        ("get_queue_attributes", {"moved": 0, "waiting": 0}),
        ("receive_message", {"moved": 0, "waiting": 12}),
        ("send_message_batch", {"moved": 0, "waiting": 12}),
    ],
)
def test_transient_error_is_logged_as_a_warning_and_not_raised(
    queues: Queues, caplog: pytest.LogCaptureFixture, operation: str, answer: dict[str, int]
) -> None:
    def broken(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "InternalError", "Message": ""}}, operation)

    queues.let_wait(*names(12))
    assert queues.mover(99, sqs=Replaced(queues.sqs, **{operation: broken})).move(NEVER) == answer
    (record,) = caplog.records
    assert (record.levelno, record.message) == (logging.WARNING, "waiting photos not moved")
    assert record.__dict__["next_step"] == "nothing: it is tried again within minutes"


def test_answer_counts_the_messages_moved_before_an_error(queues: Queues, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    receives = count()

    def breaks(**request: Any) -> Any:
        if next(receives):
            raise EndpointConnectionError(endpoint_url="https://sqs")
        return queues.sqs.receive_message(**request)

    queues.let_wait(*names(12))
    assert queues.mover(99, sqs=Replaced(queues.sqs, receive_message=breaks)).move(NEVER) == {
        "moved": 10,
        "waiting": 2,
    }
    assert [record.message for record in caplog.records] == ["waiting photos not moved", "waiting photos moved"]


def test_message_that_has_waited_long_is_sent_again_and_does_not_expire(queues: Queues) -> None:
    queues.let_wait(*names(12))
    sent: list[str] = []

    def receive_old(**request: Any) -> Any:
        """Messages that were sent a second too long ago, until they are sent again."""
        answer: Any = queues.sqs.receive_message(**request)
        for message in answer.get("Messages", []):
            if message["Body"] not in sent:
                message["Attributes"]["SentTimestamp"] = str(round((time.time() - OLD_SECONDS - 1) * 1000))
        return answer

    def send(*, QueueUrl: str, Entries: list[Any]) -> Any:  # noqa: N803
        assert QueueUrl == queues.waiting
        sent.extend(entry["MessageBody"] for entry in Entries)
        return queues.sqs.send_message_batch(QueueUrl=QueueUrl, Entries=Entries)

    mover = queues.mover(0, sqs=Replaced(queues.sqs, receive_message=receive_old, send_message_batch=send))
    assert mover.move(NEVER) == {"moved": 0, "waiting": 12}
    assert sorted(sent) == names(12)
    assert queues.count(queues.waiting) == 12
    assert queues.count(queues.photos) == 0


def test_message_that_does_not_expire_soon_is_not_sent_again(queues: Queues) -> None:
    queues.let_wait("photo")

    def not_sent(**_: Any) -> None:
        pytest.fail("it was sent again")

    mover = queues.mover(0, sqs=Replaced(queues.sqs, send_message_batch=not_sent))
    assert mover.move(NEVER) == {"moved": 0, "waiting": 1}


def test_message_is_soon_visible_again_if_there_was_no_room_for_it(queues: Queues) -> None:
    """Otherwise it would be missing when the limit is raised a moment later."""
    queues.let_wait("photo")
    queues.mover(0, glance_seconds=1).move(NEVER)
    assert "Messages" not in queues.sqs.receive_message(QueueUrl=queues.waiting)
    assert queues.sqs.receive_message(QueueUrl=queues.waiting, VisibilityTimeout=0, WaitTimeSeconds=10)["Messages"]
    assert queues.mover(1).move(NEVER) == {"moved": 1, "waiting": 0}


@dataclass
class Backlog:
    """A queue of `size` messages, sent within a day. It delivers them in no order and keeps them for 14 days."""

    size: int
    chance: random.Random = field(default_factory=lambda: random.Random(25))  # noqa: S311 - a simulation
    now: float = 0.0
    sent: dict[str, float] = field(default_factory=dict)  # by body
    visible: list[str] = field(default_factory=list)
    hidden: deque[tuple[float, str]] = field(default_factory=deque)
    expired: int = 0
    receives: int = 0

    def __post_init__(self) -> None:
        self.sent = {str(n): self.chance.uniform(-DAY, 0) for n in range(self.size)}
        self.visible = list(self.sent)

    def mover(self) -> WaitingPhotos:
        """A mover that has no room."""
        client = cast("Any", self)
        return WaitingPhotos(
            lambda: client,
            Left(0),
            queue_url="photos",
            waiting_queue_url="waiting",
            max_backlog=1000,
            now=lambda: self.now,
        )

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        while self.hidden and self.hidden[0][0] <= self.now:
            self.visible.append(self.hidden.popleft()[1])
        alive = [body for body in self.visible if self.now - self.sent[body] < 14 * DAY]
        self.expired += len(self.visible) - len(alive)
        self.visible = alive

    # -- the client's methods

    def get_queue_attributes(self, *, QueueUrl: str, **_: Any) -> Any:  # noqa: N803
        messages = len(self.visible) + len(self.hidden) if QueueUrl == "waiting" else 0
        return {"Attributes": {"ApproximateNumberOfMessages": str(messages)}}

    def receive_message(self, *, MaxNumberOfMessages: int, VisibilityTimeout: int, **_: Any) -> Any:  # noqa: N803
        self.receives += 1
        messages = []
        for _n in range(min(MaxNumberOfMessages, len(self.visible))):
            place = self.chance.randrange(len(self.visible))
            self.visible[place], self.visible[-1] = self.visible[-1], self.visible[place]
            body = self.visible.pop()
            self.hidden.append((self.now + VisibilityTimeout, body))
            attributes = {"SentTimestamp": str(round(self.sent[body] * 1000))}
            messages.append({"Body": body, "ReceiptHandle": body, "Attributes": attributes})
        return {"Messages": messages}

    def send_message_batch(self, *, QueueUrl: str, Entries: list[Any]) -> Any:  # noqa: N803
        assert QueueUrl == "waiting"
        self.sent |= {entry["MessageBody"]: self.now for entry in Entries}
        self.visible += [entry["MessageBody"] for entry in Entries]
        return {"Successful": Entries}

    def delete_message_batch(self, *, Entries: list[Any], **_: Any) -> Any:  # noqa: N803
        gone = {entry["ReceiptHandle"] for entry in Entries}
        self.hidden = deque(each for each in self.hidden if each[1] not in gone)
        return {}


def test_no_message_of_a_backlog_of_15_days_expires_in_any_order() -> None:
    """20,000 photos wait for 15 days without room, with one move per hour instead of twelve."""
    backlog = Backlog(20_000)
    backlog.pass_time(6 * DAY)  # nothing is old until then
    for _ in range(9 * 24):
        backlog.pass_time(3600)
        assert backlog.mover().move(NEVER) == {"moved": 0, "waiting": 20_000 - backlog.expired}
    assert backlog.expired == 0
    assert backlog.receives == 9 * 24 * MAX_LOOKS


def test_each_message_of_a_small_backlog_is_received_once() -> None:
    backlog = Backlog(23)
    backlog.mover().move(NEVER)
    assert backlog.receives == 4  # the last one is empty
