"""DetectLabels' answers and errors as our types; botocore's Stubber checks both against the service model."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from botocore.stub import Stubber
from image_labels.calls import Caller, Unreadable
from image_labels.failures import Failure, InvalidRequest, NeedsOperator, OverDailyLimit, TryAgain
from image_labels.model import Instance, Label, Labels, Photo, Rejected
from image_labels.pace import Pace
from image_labels.rekognition import Labeller

if TYPE_CHECKING:
    from mypy_boto3_rekognition import RekognitionClient

PHOTO = Photo("photos-bucket", "images/a b.jpg", "abc", None, 4711)
REQUEST = {
    "Image": {"S3Object": {"Bucket": "photos-bucket", "Name": "images/a b.jpg"}},
    "MaxLabels": 10,
    "MinConfidence": 80.0,
}


@pytest.fixture
def stub() -> Iterator[Stubber]:
    with Stubber(boto3.client("rekognition")) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


class Images:
    """An allowance of `allowed` images a day; `taken` are those that were not given back."""

    def __init__(self, allowed: int = 10) -> None:
        self.allowed = allowed
        self.today = "2026-11-25"
        self.by_day: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        return self.by_day.total()

    def take(self) -> str:
        if self.by_day[self.today] == self.allowed:
            raise OverDailyLimit(self.allowed, self.today)
        self.by_day[self.today] += 1
        return self.today

    def give_back(self, day: str) -> None:
        assert self.by_day[day]
        self.by_day[day] -= 1

    def renew(self, day: str) -> str:
        if day == self.today:
            return day
        self.give_back(day)
        return self.take()

    def left(self) -> float:
        return self.allowed - self.by_day[self.today]


def labeller(stub: Stubber, images: Images | None = None, pace: Pace | None = None) -> Labeller:
    return labeller_of(stub.client, images, pace)


def labeller_of(client: Any, images: Images | None = None, pace: Pace | None = None) -> Labeller:
    return Labeller(
        cast("RekognitionClient", client),
        Caller("DetectLabels", pace or Pace(1000), images, sleep=lambda _seconds: None),
        max_labels=10,
        min_confidence=80.0,
    )


def labels_of(asked: Labeller, photo: Photo = PHOTO) -> Labels:
    outcome = asked.detect(photo)
    assert isinstance(outcome, Labels)
    return outcome


def rejection_of(asked: Labeller, photo: Photo = PHOTO) -> str:
    outcome = asked.detect(photo)
    assert isinstance(outcome, Rejected)
    return outcome.reason


class Answers:
    """A client of Rekognition that gives these answers, or raises them, one after the other."""

    def __init__(self, *answers: Any) -> None:
        self.left = list(answers)

    def detect_labels(self, **_: Any) -> Any:
        answer = self.left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def refusal(code: str, status: int = 400, message: str = "the service's words") -> ClientError:
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(cast("Any", response), "DetectLabels")


THROTTLED = refusal("ThrottlingException")
BROKEN = refusal("InternalServerError", 500)


def test_answer_becomes_labels(stub: Stubber) -> None:
    box = {"Left": 0.1, "Top": 0.2, "Width": 0.3, "Height": 0.4}
    answer = {
        "Labels": [
            {
                "Name": "Mobile Phone",
                "Confidence": 99.9,
                "Instances": [{"BoundingBox": box, "Confidence": 99.5}],
                "Parents": [{"Name": "Phone"}, {"Name": "Electronics"}],
                "Aliases": [{"Name": "Cell Phone"}],
                "Categories": [{"Name": "Technology and Computing"}],
            },
            {"Name": "Urban", "Confidence": 85.0, "Instances": [], "Parents": [], "Aliases": [], "Categories": []},
        ],
        "LabelModelVersion": "3.0",
    }
    stub.add_response("detect_labels", answer, REQUEST)
    labels = labels_of(labeller(stub))
    assert labels.model_version == "3.0"
    phone = Label(
        "Mobile Phone",
        99.9,
        ("Phone", "Electronics"),
        ("Cell Phone",),
        ("Technology and Computing",),
        (Instance(0.1, 0.2, 0.3, 0.4, 99.5),),
    )
    assert labels.labels == (phone, Label("Urban", 85.0))


def test_request_names_the_version_if_there_is_one(stub: Stubber) -> None:
    photo = Photo("photos-bucket", "k", "abc", "3sL4kqtJlcpXroDTDmJ", 1)
    image = {"S3Object": {"Bucket": "photos-bucket", "Name": "k", "Version": "3sL4kqtJlcpXroDTDmJ"}}
    stub.add_response("detect_labels", {"Labels": []}, REQUEST | {"Image": image})
    assert labels_of(labeller(stub), photo).labels == ()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("InvalidImageFormatException", "not a JPEG or PNG"),
        ("ImageTooLargeException", "15 MB"),
        ("InvalidParameterException", "80 to 10,000"),
    ],
)
def test_object_that_can_never_be_labelled_is_rejected_with_a_reason(stub: Stubber, code: str, words: str) -> None:
    stub.add_client_error("detect_labels", code, "the service's words")
    reason = rejection_of(labeller(stub))
    assert reason.startswith(f"{code}: ")
    assert words in reason
    assert "the service's words" in reason


@pytest.mark.parametrize(
    ("code", "kind", "throttled"),
    [
        ("ThrottlingException", TryAgain, True),
        ("ProvisionedThroughputExceededException", TryAgain, True),
        ("InternalServerError", TryAgain, False),
        ("SomethingNew", TryAgain, False),
        ("ValidationException", InvalidRequest, False),
        ("AccessDeniedException", NeedsOperator, False),
        ("InvalidS3ObjectException", Unreadable, False),
    ],
)
def test_other_errors_are_classified(code: str, kind: type[Failure], throttled: bool) -> None:
    with pytest.raises(Failure) as raised:
        labeller_of(Answers(*[refusal(code)] * 3)).detect(PHOTO)
    assert type(raised.value) is kind
    assert code in raised.value.cause
    assert raised.value.next_step
    assert getattr(raised.value, "throttled", False) is throttled


@pytest.mark.parametrize(
    "answer",
    [{}, {"Labels": None}, {"Labels": 7}, {"Labels": [{"Confidence": 1.0}]}, {"Labels": [{"Name": "x"}]}, None],
)
def test_unreadable_answer_is_retried(answer: Any) -> None:
    with pytest.raises(TryAgain, match="answer cannot be read"):
        labeller_of(Answers(answer)).detect(PHOTO)


GOOD_BOX = {"Left": 0.1, "Top": 0.2, "Width": 0.3, "Height": 0.4}


@pytest.mark.parametrize(
    "damage",
    [
        {"Instances": [{"Confidence": 99.0}, {"BoundingBox": GOOD_BOX, "Confidence": 98.0}]},
        {"Instances": [{"BoundingBox": None, "Confidence": 99.0}, {"BoundingBox": GOOD_BOX, "Confidence": 98.0}]},
        {"Instances": [{"BoundingBox": {"Left": 0.1}}, {"BoundingBox": GOOD_BOX, "Confidence": 98.0}]},
        {"Instances": [{"BoundingBox": GOOD_BOX}, {"BoundingBox": GOOD_BOX, "Confidence": 98.0}]},
        {"Instances": [{"BoundingBox": GOOD_BOX | {"Top": float("nan")}, "Confidence": 1.0}, None, 7]},
        {"Instances": None},
        {"Parents": [{}, None, {"Name": None}, {"Name": "Pet"}]},
        {"Parents": None, "Aliases": [{"Name": ""}], "Categories": None},
    ],
)
def test_unreadable_parts_of_a_label_are_left_out(damage: dict[str, Any]) -> None:
    """The call is billed, so the rest of its answer is used."""
    answers = Answers({"Labels": [{"Name": "Dog", "Confidence": 99.0} | damage, {"Name": "Grass", "Confidence": 90.0}]})
    dog, grass = labels_of(labeller_of(answers)).labels
    assert (dog.name, dog.confidence, grass.name) == ("Dog", 99.0, "Grass")
    assert dog.instances in ((), (Instance(0.1, 0.2, 0.3, 0.4, 98.0),))
    assert set(dog.parents) <= {"Pet"}
    assert not answers.left


@pytest.mark.parametrize("label", [{"Name": "Cat"}, {"Confidence": 90.0}, {"Name": "Cat", "Confidence": "high"}, None])
def test_unreadable_label_is_left_out(label: Any) -> None:
    labels = labels_of(labeller_of(Answers({"Labels": [label, {"Name": "Dog", "Confidence": 99.0}]}))).labels
    assert [each.name for each in labels] == ["Dog"]


def test_key_that_rekognition_refuses_is_rejected() -> None:
    message = "1 validation error detected: Value 'x' at 'image.s3Object.name' failed to satisfy constraint: too long"
    reason = rejection_of(labeller_of(Answers(refusal("ValidationException", message=message))))
    assert re.match(r"ValidationException: .*s3Object\.name", reason)


def test_photo_over_15_mb_is_rejected_without_a_call() -> None:
    images = Images()
    largest = replace(PHOTO, size=15 * 1024 * 1024)
    assert labels_of(labeller_of(Answers({"Labels": []}), images), largest).labels == ()
    reason = rejection_of(labeller_of(Answers(), images), replace(PHOTO, size=largest.size + 1))
    assert reason.startswith("ImageTooLargeException: it has 15,728,641 bytes; at most 15 MB")
    assert images.taken == 1


@pytest.mark.parametrize(
    "failure",
    [THROTTLED, BROKEN, refusal("BadGateway", 502), ReadTimeoutError(endpoint_url="https://rekognition")],
    ids=str,
)
def test_transient_failure_is_retried_at_the_pace(failure: Exception) -> None:
    clock = [0.0]
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)

    answers = Answers(failure, failure, {"Labels": []})
    labeller_of(answers, pace=Pace(1, clock=lambda: clock[0], sleep=sleep)).detect(PHOTO)
    assert waits == [1, 2]  # the clock stands still, so each attempt waits for a separate turn
    assert not answers.left


@pytest.mark.parametrize("failure", [THROTTLED, BROKEN, ReadTimeoutError(endpoint_url="https://rekognition")], ids=str)
def test_call_is_attempted_three_times(failure: Exception) -> None:
    answers = Answers(failure, failure, failure, {"Labels": []})
    with pytest.raises((TryAgain, ReadTimeoutError)):
        labeller_of(answers).detect(PHOTO)
    assert len(answers.left) == 1


def test_abandoned_photo_is_not_attempted_again() -> None:
    over = threading.Event()
    answers = Answers(THROTTLED, {"Labels": []})
    client = cast("Any", answers)
    caller = Caller("DetectLabels", Pace(1000), sleep=lambda _seconds: over.set())
    asks = Labeller(client, caller, max_labels=10, min_confidence=80.0)
    with pytest.raises(TryAgain, match="ended"):
        asks.detect(PHOTO, over.is_set)
    assert len(answers.left) == 1


def test_each_attempt_that_may_be_billed_counts_towards_the_limit() -> None:
    silence = ReadTimeoutError(endpoint_url="https://rekognition")
    images = Images()
    labeller_of(Answers(silence, THROTTLED, {"Labels": []}), images).detect(PHOTO)
    assert images.taken == 2
    images = Images(1)
    with pytest.raises(OverDailyLimit):
        labeller_of(Answers(silence), images).detect(PHOTO)


@pytest.mark.parametrize("code", ["InvalidImageFormatException", "ImageTooLargeException", "InvalidParameterException"])
def test_rejection_counts_towards_the_limit(stub: Stubber, code: str) -> None:
    images = Images()
    stub.add_client_error("detect_labels", code, "")
    assert rejection_of(labeller(stub, images))
    assert images.taken == 1


def test_answer_counts_towards_the_limit_even_if_it_is_empty(stub: Stubber) -> None:
    images = Images()
    stub.add_response("detect_labels", {"Labels": []})
    labeller(stub, images).detect(PHOTO)
    assert images.taken == 1
    stub.add_response("detect_labels", {})
    with pytest.raises(TryAgain):
        labeller(stub, images).detect(PHOTO)
    assert images.taken == 2


@pytest.mark.parametrize(
    "code", ["ThrottlingException", "InternalServerError", "AccessDeniedException", "InvalidS3ObjectException"]
)
def test_refused_call_does_not_count_towards_the_limit(code: str) -> None:
    images = Images()
    with pytest.raises(Failure):
        labeller_of(Answers(*[refusal(code)] * 3), images).detect(PHOTO)
    assert images.taken == 0


@pytest.mark.parametrize(
    ("error", "taken"),
    [
        (EndpointConnectionError(endpoint_url="https://rekognition"), 0),
        (ReadTimeoutError(endpoint_url="https://rekognition"), 3),
    ],
    ids=["never sent", "sent, and perhaps billed"],
)
def test_call_without_an_answer_counts_if_it_may_be_billed(error: Exception, taken: int) -> None:
    images = Images()
    with pytest.raises(type(error)):
        labeller_of(Answers(error, error, error), images).detect(PHOTO)
    assert images.taken == taken


def test_photo_over_the_limit_makes_no_call_and_takes_no_turn(stub: Stubber) -> None:
    waits: list[float] = []
    pace = Pace(1, clock=lambda: 0.0, sleep=waits.append)
    for _ in range(3):
        with pytest.raises(OverDailyLimit, match="daily limit of 0 images is reached"):
            labeller(stub, Images(0), pace).detect(PHOTO)
    stub.add_response("detect_labels", {"Labels": []})
    labeller(stub, Images(1), pace).detect(PHOTO)
    assert waits == []


def waiting_for(happens: Callable[[], None]) -> Pace:
    """A pace at which the second caller waits, and something happens during the wait."""
    pace = Pace(1, clock=lambda: 0.0, sleep=lambda _seconds: happens())
    pace.wait()
    return pace


def test_image_counts_on_the_day_of_the_call(stub: Stubber) -> None:
    images = Images()

    def midnight() -> None:
        images.today = "2026-11-26"

    stub.add_response("detect_labels", {"Labels": []})
    labeller(stub, images, waiting_for(midnight)).detect(PHOTO)
    assert images.by_day == {"2026-11-25": 0, "2026-11-26": 1}


def test_photo_whose_turn_comes_on_a_full_day_is_over_the_limit(stub: Stubber) -> None:
    images = Images(1)

    def midnight() -> None:
        images.today = "2026-11-26"
        images.take()

    with pytest.raises(OverDailyLimit, match="2026-11-26"):  # and Rekognition is not called
        labeller(stub, images, waiting_for(midnight)).detect(PHOTO)
    assert images.by_day == {"2026-11-25": 0, "2026-11-26": 1}


def test_photo_abandoned_before_the_call_takes_no_turn(stub: Stubber) -> None:
    waits: list[float] = []
    pace = Pace(1, clock=lambda: 0.0, sleep=waits.append)
    for _ in range(3):
        with pytest.raises(TryAgain, match="the invocation ended"):
            labeller(stub, Images(), pace).detect(PHOTO, lambda: True)
    assert waits == []


def test_photo_abandoned_before_its_turn_is_not_sent(stub: Stubber) -> None:
    """If a thread outlives its invocation, its photo is back in the queue, and another invocation sends it."""
    images, over = Images(), threading.Event()
    with pytest.raises(TryAgain, match="the invocation ended before it was the photo's turn"):
        labeller(stub, images, waiting_for(over.set)).detect(PHOTO, over.is_set)
    assert images.taken == 0
