"""DetectLabels' answers and errors as our types; botocore's Stubber checks both against the service model."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from botocore.stub import Stubber
from image_labels.failures import Failure, NeedsOperator, OverDailyLimit, TryAgain
from image_labels.pace import Pace
from image_labels.photos import Photo
from image_labels.rekognition import Instance, Label, Labeller, Rejected, Unreadable

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
    """An allowance of so many images a day; `taken` are those that were not given back."""

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
    client = cast("RekognitionClient", stub.client)
    return Labeller(client, pace or Pace(1000), images, max_labels=10, min_confidence=80.0)


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
    labels = labeller(stub).detect(PHOTO)
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


def test_version_is_asked_for_when_there_is_one(stub: Stubber) -> None:
    photo = Photo("photos-bucket", "k", "abc", "3sL4kqtJlcpXroDTDmJ", 1)
    image = {"S3Object": {"Bucket": "photos-bucket", "Name": "k", "Version": "3sL4kqtJlcpXroDTDmJ"}}
    stub.add_response("detect_labels", {"Labels": []}, REQUEST | {"Image": image})
    assert labeller(stub).detect(photo).labels == ()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("InvalidImageFormatException", "not a JPEG or PNG"),
        ("ImageTooLargeException", "15 MB"),
        ("InvalidParameterException", "80 to 10,000"),
    ],
)
def test_what_can_never_be_labelled_is_rejected_with_a_reason(stub: Stubber, code: str, words: str) -> None:
    stub.add_client_error("detect_labels", code, "the service's words")
    with pytest.raises(Rejected) as raised:
        labeller(stub).detect(PHOTO)
    assert raised.value.reason.startswith(f"{code}: ")
    assert words in raised.value.reason
    assert "the service's words" in raised.value.reason


@pytest.mark.parametrize(
    ("code", "kind", "throttled"),
    [
        ("ThrottlingException", TryAgain, True),
        ("ProvisionedThroughputExceededException", TryAgain, True),
        ("InternalServerError", TryAgain, False),
        ("SomethingNew", TryAgain, False),
        ("AccessDeniedException", NeedsOperator, False),
        ("InvalidS3ObjectException", Unreadable, False),
    ],
)
def test_other_errors_say_whose_turn_it_is(stub: Stubber, code: str, kind: type[Failure], throttled: bool) -> None:
    stub.add_client_error("detect_labels", code, "the service's words", http_status_code=400)
    with pytest.raises(Failure) as raised:
        labeller(stub).detect(PHOTO)
    assert type(raised.value) is kind
    assert code in raised.value.cause
    assert raised.value.next_step
    assert getattr(raised.value, "throttled", False) is throttled


@pytest.mark.parametrize("answer", [{}, {"Labels": [{"Confidence": 1.0}]}, {"Labels": [{"Name": "x"}]}])
def test_nonsense_is_tried_again(stub: Stubber, answer: dict[str, Any]) -> None:
    stub.add_response("detect_labels", answer)
    with pytest.raises(TryAgain, match="not an answer"):
        labeller(stub).detect(PHOTO)


@pytest.mark.parametrize("code", ["InvalidImageFormatException", "ImageTooLargeException", "InvalidParameterException"])
def test_rejection_counts_towards_the_limit(stub: Stubber, code: str) -> None:
    images = Images()
    stub.add_client_error("detect_labels", code, "")
    with pytest.raises(Rejected):
        labeller(stub, images).detect(PHOTO)
    assert images.taken == 1


def test_answer_counts_towards_the_limit_even_if_it_is_none(stub: Stubber) -> None:
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
def test_refused_call_does_not_count(stub: Stubber, code: str) -> None:
    images = Images()
    stub.add_client_error("detect_labels", code, "")
    with pytest.raises(Failure):
        labeller(stub, images).detect(PHOTO)
    assert images.taken == 0


@pytest.mark.parametrize(
    ("error", "taken"),
    [
        (EndpointConnectionError(endpoint_url="https://rekognition"), 0),
        (ReadTimeoutError(endpoint_url="https://rekognition"), 1),
    ],
    ids=["never sent", "sent, and perhaps paid for"],
)
def test_call_without_an_answer_counts_if_it_may_be_paid_for(error: Exception, taken: int) -> None:
    class Silent:
        def detect_labels(self, **_: Any) -> None:
            raise error

    images = Images()
    with pytest.raises(type(error)):
        Labeller(cast("Any", Silent()), Pace(1000), images, max_labels=10, min_confidence=80.0).detect(PHOTO)
    assert images.taken == taken


def test_photo_over_the_limit_neither_asks_nor_takes_a_turn(stub: Stubber) -> None:
    waits: list[float] = []
    pace = Pace(1, clock=lambda: 0.0, sleep=waits.append)
    for _ in range(3):
        with pytest.raises(OverDailyLimit, match="daily limit of 0 images is reached"):
            labeller(stub, Images(0), pace).detect(PHOTO)
    stub.add_response("detect_labels", {"Labels": []})
    labeller(stub, Images(1), pace).detect(PHOTO)
    assert waits == []


def waiting_for(meanwhile: Callable[[], None]) -> Pace:
    """A pace at which the second caller waits, and this happens meanwhile."""
    pace = Pace(1, clock=lambda: 0.0, sleep=lambda _seconds: meanwhile())
    pace.wait()
    return pace


def test_image_counts_on_the_day_on_which_rekognition_is_asked(stub: Stubber) -> None:
    images = Images()

    def midnight() -> None:
        images.today = "2026-11-26"

    stub.add_response("detect_labels", {"Labels": []})
    labeller(stub, images, waiting_for(midnight)).detect(PHOTO)
    assert images.by_day == {"2026-11-25": 0, "2026-11-26": 1}


def test_photo_whose_turn_comes_on_a_day_that_is_full_waits(stub: Stubber) -> None:
    images = Images(1)

    def midnight() -> None:
        images.today = "2026-11-26"
        images.take()

    with pytest.raises(OverDailyLimit, match="2026-11-26"):  # and Rekognition is not asked
        labeller(stub, images, waiting_for(midnight)).detect(PHOTO)
    assert images.by_day == {"2026-11-25": 0, "2026-11-26": 1}


def test_photo_that_nobody_wants_any_more_when_its_turn_comes_is_not_asked_about(stub: Stubber) -> None:
    """A thread that outlives its invocation: the photo has been handed back, and somebody else asks about it."""
    images, over = Images(), threading.Event()
    with pytest.raises(TryAgain, match="the invocation ended before it was the photo's turn"):
        labeller(stub, images, waiting_for(over.set)).detect(PHOTO, over.is_set)
    assert images.taken == 0
