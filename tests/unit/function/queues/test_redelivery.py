"""Failed messages, on moto's SQS: their delays, and the attributes of dead letters."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber
from image_labels.events import ObjectRef, Task, notification, read
from image_labels.failures import Failed, Failure, NeedsOperator, NotAnEvent, OverDailyLimit, TryAgain
from image_labels.queues.redelivery import Redelivery

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

THROTTLED = TryAgain("DetectLabels: ThrottlingException: slow down", throttled=True)
FORBIDDEN = NeedsOperator("HeadObject: 403", "allow s3:GetObject")
OVER = OverDailyLimit(1000, "2026-11-25")
ATTEMPTS = 5


@dataclass
class Queues:
    """The queue of photos, the dead-letter queue and the queue of photos over the daily limit."""

    sqs: SQSClient
    photos: str
    dead_letters: str
    waiting: str

    def redelivery(self, sqs: SQSClient | None = None, jitter: float = 0.0) -> Redelivery:
        return Redelivery(
            lambda: sqs or self.sqs,
            queue_url=self.photos,
            dead_letter_queue_url=self.dead_letters,
            max_receive_count=ATTEMPTS,
            retry_delay=20,
            waiting_queue_url=self.waiting,
            jitter=lambda: jitter,
        )

    def failed(self, *failures: Failure, attempt: int = 1, body: str = "{}", photo: str = "s3://b/k") -> list[Failed]:
        """Messages just received, one for each failure."""
        for _ in failures:
            self.sqs.send_message(QueueUrl=self.photos, MessageBody=body)
        received: list[Any] = []
        while len(received) < len(failures):
            received += self.sqs.receive_message(QueueUrl=self.photos, MaxNumberOfMessages=10)["Messages"]
        return [
            Failed(Task(m["MessageId"], attempt=attempt, body=m["Body"], receipt_handle=m["ReceiptHandle"]), f, photo)
            for m, f in zip(received, failures, strict=True)
        ]

    def dead_letter_messages(self) -> list[Any]:
        return self._received(self.dead_letters)

    def waiting_messages(self) -> list[Any]:
        return self._received(self.waiting)

    def _received(self, url: str) -> list[Any]:
        answer = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
        return list(answer.get("Messages", []))


def attributes(message: Any) -> dict[str, str]:
    return {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}


def ids(failed: Sequence[Failed]) -> list[str]:
    return [each.message.id for each in failed]


@pytest.fixture
def queues(aws: None) -> Queues:
    sqs = boto3.client("sqs")
    photos = sqs.create_queue(QueueName="photos", Attributes={"VisibilityTimeout": "360"})["QueueUrl"]
    others = [sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("dead-letters", "waiting")]
    return Queues(sqs, photos, *others)


def test_delays_grow_to_an_hour(queues: Queues) -> None:
    redelivery = queues.redelivery()
    assert [redelivery.delay(attempt) for attempt in (1, 2, 3, 4, 5, 999)] == [20, 80, 320, 1280, 3600, 3600]


def test_delays_of_photos_that_failed_together_are_spread(queues: Queues) -> None:
    assert [queues.redelivery(jitter=jitter).delay(1) for jitter in (-1, 1)] == [15, 25]


def test_failed_messages_get_the_delay_of_their_attempt(queues: Queues) -> None:
    failed = queues.failed(*[THROTTLED] * 12, attempt=3)  # more than SQS takes in one call
    with Stubber(queues.sqs) as stub:
        for part in (failed[:10], failed[10:]):
            entries = [
                {"Id": str(n), "ReceiptHandle": each.message.receipt_handle, "VisibilityTimeout": 320}
                for n, each in enumerate(part)
            ]
            stub.add_response(
                "change_message_visibility_batch",
                {"Successful": [], "Failed": []},
                {"QueueUrl": queues.photos, "Entries": entries},
            )
        assert queues.redelivery().hand_back(failed) == ids(failed)
        stub.assert_no_pending_responses()
    assert queues.dead_letter_messages() == []


def test_failed_message_is_visible_again_after_the_delay(queues: Queues) -> None:
    (failed,) = queues.failed(THROTTLED)
    redelivery = Redelivery(
        lambda: queues.sqs,
        queue_url=queues.photos,
        dead_letter_queue_url=queues.dead_letters,
        waiting_queue_url=queues.waiting,
        max_receive_count=ATTEMPTS,
        retry_delay=1,
        jitter=lambda: 0.0,
    )
    redelivery.hand_back([failed])
    again = queues.sqs.receive_message(QueueUrl=queues.photos, WaitTimeSeconds=10)["Messages"]
    assert [message["MessageId"] for message in again] == [failed.message.id]


@pytest.mark.parametrize(
    ("failure", "next_step"),
    [
        (THROTTLED, "when what caused it is over, send it back from the dead-letter queue with `image-labels redrive`"),
        (FORBIDDEN, "allow s3:GetObject; then send it back from the dead-letter queue with `image-labels redrive`"),
    ],
    ids=["throttled", "forbidden"],
)
def test_dead_letter_has_the_cause_and_the_next_step(
    queues: Queues, caplog: pytest.LogCaptureFixture, failure: Failure, next_step: str
) -> None:
    failed = queues.failed(failure, attempt=ATTEMPTS, body='{"the": "event"}', photo="s3://photos/images/a b.jpg")
    assert queues.redelivery().hand_back(failed) == []
    (message,) = queues.dead_letter_messages()
    assert message["Body"] == '{"the": "event"}'  # unchanged, so that it can be sent back
    why = attributes(message)
    assert why.pop("FailedAt").endswith("+00:00")
    assert why == {
        "Photo": "s3://photos/images/a b.jpg",
        "Cause": failure.cause,
        "NextStep": next_step,
        "Attempts": "5",
    }
    (line,) = caplog.records
    assert line.levelno == logging.ERROR
    fields = line.__dict__
    assert (fields["photo"], fields["cause"], fields["next_step"]) == (why["Photo"], why["Cause"], why["NextStep"])


def test_unreadable_message_is_a_dead_letter_at_its_first_attempt(queues: Queues) -> None:
    (failed,) = queues.failed(NotAnEvent("the message's body is not JSON"), body="?" * 65_536, photo="")
    poison = Failed(Task(failed.message.id, error="not JSON", body=failed.message.body), failed.failure, "")
    assert queues.redelivery().hand_back([poison]) == []
    (message,) = queues.dead_letter_messages()
    assert len(message["Body"]) == 65_536
    assert "Photo" not in attributes(message)
    assert "find the sender" in attributes(message)["NextStep"]


def test_first_attempt_returns_to_the_queue_beside_a_last_attempt(queues: Queues) -> None:
    last, first = queues.failed(THROTTLED, attempt=ATTEMPTS), queues.failed(THROTTLED, attempt=1)
    assert queues.redelivery().hand_back([*last, *first]) == ids(first)


@pytest.mark.parametrize("attempt", [1, ATTEMPTS, ATTEMPTS + 1])
def test_photo_over_the_daily_limit_waits_at_any_attempt(
    queues: Queues, caplog: pytest.LogCaptureFixture, attempt: int
) -> None:
    failed = queues.failed(OVER, attempt=attempt, body='{"the": "event"}')
    with Stubber(queues.sqs) as stub:  # one call only: the answer makes SQS delete the message
        stub.add_response(
            "send_message_batch",
            {"Successful": [{"Id": "0", "MessageId": "1", "MD5OfMessageBody": ""}], "Failed": []},
            {"QueueUrl": queues.waiting, "Entries": [{"Id": "0", "MessageBody": '{"the": "event"}'}]},
        )
        assert queues.redelivery().hand_back(failed) == []
    assert queues.redelivery().hand_back(failed) == []
    assert [message["Body"] for message in queues.waiting_messages()] == ['{"the": "event"}']
    assert queues.dead_letter_messages() == []
    assert caplog.records == []


def test_photo_over_the_limit_does_not_affect_the_others_of_its_batch(queues: Queues) -> None:
    last, first, over = (
        queues.failed(failure, attempt=attempt, body=failure.cause)
        for failure, attempt in ((FORBIDDEN, ATTEMPTS), (THROTTLED, 1), (OVER, 1))
    )
    assert queues.redelivery().hand_back([*last, *over, *first]) == ids(first)
    assert [message["Body"] for message in queues.dead_letter_messages()] == [FORBIDDEN.cause]
    assert [message["Body"] for message in queues.waiting_messages()] == [OVER.cause]


def test_only_the_message_that_the_waiting_queue_refuses_returns_to_the_queue(
    queues: Queues, caplog: pytest.LogCaptureFixture
) -> None:
    failed = queues.failed(OVER, OVER, OVER, photo="s3://b/images/x.jpg")
    entry = {"Id": "0", "ReceiptHandle": failed[1].message.receipt_handle, "VisibilityTimeout": 20}
    with Stubber(queues.sqs) as stub:
        taken = [{"Id": id_, "MessageId": id_, "MD5OfMessageBody": ""} for id_ in ("0", "2")]
        refused = [{"Id": "1", "SenderFault": False, "Code": "InternalError", "Message": "sorry"}]
        stub.add_response("send_message_batch", {"Successful": taken, "Failed": refused})
        stub.add_response(
            "change_message_visibility_batch",
            {"Successful": [], "Failed": []},
            {"QueueUrl": queues.photos, "Entries": [entry]},
        )
        assert queues.redelivery().hand_back(failed) == [failed[1].message.id]
        stub.assert_no_pending_responses()
    (line,) = caplog.records
    assert line.__dict__["cause"] == "SendMessageBatch: InternalError: sorry"
    assert line.__dict__["consequence"] == "the queue of waiting photos does not take s3://b/images/x.jpg"


def test_photo_of_an_event_without_a_message_can_wait(queues: Queues) -> None:
    ref = ObjectRef("b", "images/red flower.jpg")
    over = ("s3://b/images/red flower.jpg", notification(ref))
    assert queues.redelivery().let_wait([over]) == [True]
    (message,) = queues.waiting_messages()
    assert read(json.loads(message["Body"])).tasks[0].objects == (ref,)
    assert replace(queues, waiting=f"{queues.waiting}-gone").redelivery().let_wait([over]) == [False]


def test_message_returns_to_the_queue_if_the_waiting_queue_fails(
    queues: Queues, caplog: pytest.LogCaptureFixture
) -> None:
    (failed,) = queues.failed(OVER, attempt=2)
    entry = {"Id": "0", "ReceiptHandle": failed.message.receipt_handle, "VisibilityTimeout": 80}
    with Stubber(queues.sqs) as stub:
        stub.add_client_error("send_message_batch", "AccessDenied", "no sqs:SendMessage")
        stub.add_response(
            "change_message_visibility_batch",
            {"Successful": [], "Failed": []},
            {"QueueUrl": queues.photos, "Entries": [entry]},
        )
        assert queues.redelivery().hand_back([failed]) == [failed.message.id]
        stub.assert_no_pending_responses()
    (line,) = caplog.records
    assert "the queue of waiting photos does not take s3://b/k" in line.__dict__["consequence"]
    assert "SendMessage" in line.__dict__["next_step"]


def test_photo_that_cannot_wait_at_its_last_attempt_is_a_dead_letter(queues: Queues) -> None:
    (failed,) = queues.failed(OVER, attempt=ATTEMPTS)
    assert replace(queues, waiting=f"{queues.waiting}-gone").redelivery().hand_back([failed]) == []
    (message,) = queues.dead_letter_messages()
    assert attributes(message)["Cause"] == "the daily limit of 1,000 images is reached for 2026-11-25 (UTC)"
    assert "why the queue of waiting photos did not take it; then send it back" in attributes(message)["NextStep"]


def test_characters_that_sqs_refuses_are_escaped(queues: Queues) -> None:
    failed = queues.failed(THROTTLED, attempt=ATTEMPTS, photo="s3://b/\x01\udc80\U0001f415.jpg")
    queues.redelivery().hand_back(failed)
    (message,) = queues.dead_letter_messages()
    assert attributes(message)["Photo"] == "s3://b/\\u0001\\udc80\U0001f415.jpg"


def test_long_cause_is_truncated(queues: Queues) -> None:
    queues.redelivery().hand_back(queues.failed(TryAgain("x" * 70_000), attempt=ATTEMPTS))
    (message,) = queues.dead_letter_messages()
    assert attributes(message)["Cause"] == "x" * 1000


def test_messages_stay_in_the_queue_if_sqs_fails(queues: Queues, caplog: pytest.LogCaptureFixture) -> None:
    last, first = queues.failed(FORBIDDEN, attempt=ATTEMPTS), queues.failed(THROTTLED, attempt=1)
    with Stubber(queues.sqs) as stub:
        stub.add_client_error("send_message", "AccessDenied", "no sqs:SendMessage")
        stub.add_client_error("change_message_visibility_batch", "InternalError", "")
        assert queues.redelivery().hand_back([*last, *first]) == ids([*last, *first])
    refused, late = caplog.records
    assert "SQS will move it" in refused.__dict__["consequence"]
    assert "SendMessage" in refused.__dict__["next_step"]
    assert "visibility time-out" in late.__dict__["consequence"]


def test_message_that_sqs_does_not_delay_is_logged(queues: Queues, caplog: pytest.LogCaptureFixture) -> None:
    (failed,) = queues.failed(THROTTLED)
    with Stubber(queues.sqs) as stub:
        refused = {"Id": "0", "SenderFault": True, "Code": "ReceiptHandleIsInvalid"}
        stub.add_response("change_message_visibility_batch", {"Successful": [], "Failed": [refused]})
        assert queues.redelivery().hand_back([failed]) == [failed.message.id]
    assert "ReceiptHandleIsInvalid" in caplog.records[0].__dict__["cause"]


def test_no_client_is_made_without_a_failed_message() -> None:
    def no_client() -> SQSClient:
        pytest.fail("a client was made")

    redelivery = Redelivery(
        no_client,
        queue_url="",
        dead_letter_queue_url="",
        waiting_queue_url="",
        max_receive_count=ATTEMPTS,
        retry_delay=20,
    )
    assert redelivery.hand_back([]) == []
    assert redelivery.let_wait([]) == ()
