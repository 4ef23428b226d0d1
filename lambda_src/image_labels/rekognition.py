"""DetectLabels: the request, the answer as our types, and the classification of its errors.

https://docs.aws.amazon.com/rekognition/latest/APIReference/API_DetectLabels.html
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError  # noqa: A004

from image_labels.aws_errors import code_of, message_of
from image_labels.backoff import waits
from image_labels.failures import Failure, NeedsOperator, TryAgain, failure_of
from image_labels.model import Instance, Label, Labels, Rejected
from image_labels.selection import FILTERED, Criteria

if TYPE_CHECKING:
    from mypy_boto3_rekognition import RekognitionClient
    from mypy_boto3_rekognition.type_defs import (
        DetectLabelsRequestTypeDef,
        DetectLabelsResponseTypeDef,
        GeneralLabelsSettingsTypeDef,
        S3ObjectTypeDef,
    )

    from image_labels.model import Photo
    from image_labels.pace import Pace

    # The id of the label policy, and its filters of the request.
    RequestFilters = tuple[str, GeneralLabelsSettingsTypeDef]

T = TypeVar("T")

# Errors that no retry can help, with an explanation for each.
# https://docs.aws.amazon.com/rekognition/latest/dg/limits.html
_REJECTIONS = {
    "InvalidImageFormatException": "it is not a JPEG or PNG that can be decoded",
    "ImageTooLargeException": "it is too large: at most 15 MB and 10,000 pixels a side are allowed",
    "InvalidParameterException": "its size in pixels is probably not allowed: a side has 80 to 10,000",
}
# The largest object that is allowed, whichever of its two meanings "15 MB" has in the limits above.
MAX_BYTES = 15 * 1024 * 1024
# Seconds, more or less, before a second and a third attempt. There are no more: a photo that is throttled goes back to
# the queue, which costs nothing, while waiting here is billed and delays the other photos of the batch.
PAUSES = (0.5, 1.0)


class Unreadable(NeedsOperator):
    """Rekognition cannot read the object: it was deleted or replaced in the meantime, or the configuration is wrong."""


class Allowance(Protocol):
    """The images that may still be sent to Rekognition: see image_labels.daily_limit.DailyLimit."""

    def take(self) -> str: ...

    def give_back(self, day: str) -> None: ...

    def renew(self, day: str) -> str: ...

    def left(self) -> float: ...


class Unlimited:
    """The allowance where there is no limit: nothing is counted."""

    def take(self) -> str:
        """Returns no day, because nothing is counted."""
        return ""

    def give_back(self, day: str) -> None:
        """Does nothing, because nothing was counted."""

    def renew(self, day: str) -> str:
        """Returns the day unchanged."""
        return day

    def left(self) -> float:
        """Infinitely many."""
        return float("inf")


class Labeller:
    """Calls DetectLabels at a pace and within an allowance, with the filters of the label policy, if any."""

    def __init__(
        self,
        client: RekognitionClient,
        pace: Pace,
        allowance: Allowance | None = None,
        *,
        max_labels: int,
        min_confidence: float,
        filters: Callable[[], RequestFilters] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._sleep = sleep
        self._client = client
        self._pace = pace
        self._allowance: Allowance = allowance or Unlimited()
        self._asked = Criteria(max_labels, min_confidence)
        self._filters = filters

    def detect(self, photo: Photo, abandoned: Callable[[], bool] = lambda: False) -> Labels | Rejected:
        """The labels of exactly this version of the photo, which Rekognition reads from S3 itself, or its rejection.

        Raises Unreadable, InvalidRequest, NeedsOperator, TryAgain, OverDailyLimit, or botocore's errors.
        `abandoned` says whether the invocation has returned the photo to its sender. Then Rekognition is not called,
        and TryAgain is raised.

        Each attempt keeps the pace and counts towards the daily limit. Answers and rejections are billed. A request
        that was sent and not answered may be billed, so it stays counted. A request that Rekognition refused or never
        received is given back.
        """
        if photo.size > MAX_BYTES:
            # Not left to Rekognition: which error it gives for such an object in S3 is not documented.
            return Rejected(
                f"ImageTooLargeException: it has {photo.size:,} bytes; at most 15 MB ({MAX_BYTES:,} bytes) are allowed "
                "(Rekognition was not asked)"
            )
        for pause in waits(PAUSES):
            try:
                return self._attempt(photo, abandoned)
            except (TryAgain, HTTPClientError, ConnectionError) as error:
                if not _is_transient(error):
                    raise
            self._sleep(pause)
        return self._attempt(photo, abandoned)

    def _attempt(self, photo: Photo, abandoned: Callable[[], bool]) -> Labels | Rejected:
        s3_object: S3ObjectTypeDef = {"Bucket": photo.bucket, "Name": photo.key}
        if photo.version_id is not None:
            s3_object["Version"] = photo.version_id
        request: DetectLabelsRequestTypeDef = {
            "Image": {"S3Object": s3_object},
            "MaxLabels": self._asked.max_labels,
            "MinConfidence": self._asked.min_confidence,
        }
        asked = self._asked.text
        if self._filters is not None:
            policy_id, general_labels = self._filters()
            if general_labels:
                request |= {"Features": ["GENERAL_LABELS"], "Settings": {"GeneralLabels": general_labels}}
                asked += f"{FILTERED}{policy_id}"
        day = self._take_turn(abandoned)
        try:
            answer = self._client.detect_labels(**request)
        except ClientError as error:
            outcome = _outcome_of(error, photo)
            if isinstance(outcome, Rejected):
                return outcome
            self._allowance.give_back(day)
            raise outcome from error
        except BotoCoreError as error:
            if not isinstance(error, HTTPClientError):
                self._allowance.give_back(day)
            raise
        try:
            return _labels(answer, asked)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise TryAgain(f"DetectLabels: the answer has no labels that can be read ({error!r})") from error

    def _take_turn(self, abandoned: Callable[[], bool]) -> str:
        """Wait for the turn of the photo, and return the day that the image counts on.

        It is counted before the wait, so that a photo over the limit takes no turn. If Lambda freezes the execution
        environment during the wait, the wait may end on another day.
        """
        day = self._allowance.take()
        self._pace.wait()
        day = self._allowance.renew(day)
        if abandoned():  # checked last, because the steps before take time
            self._allowance.give_back(day)
            raise TryAgain("the invocation ended before it was the photo's turn")
        return day


def _is_transient(error: Exception) -> bool:
    """Whether an immediate attempt may help: Rekognition throttled, failed, or was not reached."""
    if not isinstance(error, TryAgain):
        return True
    refusal = error.__cause__
    return isinstance(refusal, ClientError) and (error.throttled or _status(refusal) >= 500)


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _outcome_of(error: ClientError, photo: Photo) -> Rejected | Failure:
    code, message = code_of(error), message_of(error)
    if code in _REJECTIONS:
        return Rejected(f"{code}: {_REJECTIONS[code]} (Rekognition says: {message})")
    if code == "ValidationException" and "s3Object" in message:
        return Rejected(f"{code}: Rekognition does not take the object's key or version ({message})")
    if code == "InvalidS3ObjectException":
        return Unreadable(
            f"DetectLabels: {code}: {message}",
            f"see that bucket {photo.bucket} is in the function's Region, that the function's role may "
            "s3:GetObject the key (and s3:GetObjectVersion, and use its KMS key), and that it is not archived",
        )
    return failure_of(error)


def _labels(answer: DetectLabelsResponseTypeDef, asked: str) -> Labels:
    """Raises KeyError, TypeError or ValueError if there is no list of labels, or none of them can be read."""
    given = answer["Labels"]
    labels = tuple(_readable(_label, iter(given)))
    if given and not labels:
        raise ValueError("no label has a name and a confidence")
    return Labels(labels, str(answer.get("LabelModelVersion", "")), asked=asked)


def _label(label: Mapping[str, Any]) -> Label:
    return Label(
        name=_name(label),
        confidence=min(100.0, max(0.0, _number(label["Confidence"]))),
        parents=tuple(_readable(_name, label.get("Parents"))),
        aliases=tuple(_readable(_name, label.get("Aliases"))),
        categories=tuple(_readable(_name, label.get("Categories"))),
        instances=tuple(_readable(_instance, label.get("Instances"))),
    )


def _instance(instance: Mapping[str, Any]) -> Instance:
    box = instance["BoundingBox"]
    left, top, width, height = (_number(box[side]) for side in ("Left", "Top", "Width", "Height"))
    return Instance(left, top, width, height, _number(instance["Confidence"]))


def _readable(read: Callable[[Any], T], values: Iterable[object] | None) -> Iterator[T]:
    """The values that can be read. The rest is left out: the answer is billed, and the readable part is useful."""
    for value in values or ():
        try:
            yield read(value)
        except (AttributeError, KeyError, TypeError, ValueError):
            continue


def _name(value: Mapping[str, Any]) -> str:
    name = value["Name"]
    if not isinstance(name, str) or not name:
        raise ValueError("a name is a text")
    return name


def _number(value: object) -> float:
    number = float(value)  # type: ignore[arg-type]
    if not math.isfinite(number):
        raise ValueError("a confidence or a side of a box is a finite number")
    return number
