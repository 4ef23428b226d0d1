"""Calls of Rekognition on a photo: pace, daily allowance, retries, and the classification of errors.

Each API has its own Caller, because each has its own quota. All share one allowance, because each call is billed.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError  # noqa: A004

from image_labels.aws_errors import code_of, message_of
from image_labels.backoff import waits
from image_labels.failures import Failure, NeedsOperator, TryAgain, failure_of
from image_labels.model import Rejected

if TYPE_CHECKING:
    from typing import Protocol

    from mypy_boto3_rekognition.type_defs import S3ObjectTypeDef

    from image_labels.model import Photo
    from image_labels.pace import Pace

    class Allowance(Protocol):
        """The images that may still be sent to Rekognition: see image_labels.daily_limit.DailyLimit.

        Only for the type checker, because making a protocol lengthens the cold start.
        """

        def take(self) -> str: ...

        def give_back(self, day: str) -> None: ...

        def renew(self, day: str) -> str: ...

        def left(self) -> float: ...


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
_TOO_LATE = "the invocation ended before it was the photo's turn"


class Unreadable(NeedsOperator):
    """Rekognition cannot read the object: it was deleted or replaced in the meantime, or the configuration is wrong."""


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


class Caller:
    """Calls one API of Rekognition, such as DetectLabels, at a pace and within an allowance."""

    def __init__(
        self,
        api: str,
        pace: Pace,
        allowance: Allowance | None = None,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._api = api
        self._pace = pace
        self._allowance: Allowance = allowance or Unlimited()
        self._sleep = sleep

    def call(
        self,
        photo: Photo,
        send: Callable[[], Mapping[str, Any]],
        read: Callable[[Mapping[str, Any]], T],
        abandoned: Callable[[], bool] = lambda: False,
    ) -> T | Rejected:
        """What `read` makes of the answer to `send`, or the rejection of the photo.

        Raises Unreadable, InvalidRequest, NeedsOperator, TryAgain, OverDailyLimit, or botocore's errors.
        `read` raises AttributeError, KeyError, TypeError or ValueError for an answer that it cannot read.
        `abandoned` says whether the invocation has returned the photo to its sender. Then Rekognition is not called,
        and TryAgain is raised.

        Each attempt keeps the pace and counts towards the daily limit. Answers and rejections are billed. A request
        that was sent and not answered may be billed, so it stays counted. A request that Rekognition refused or never
        received is given back.
        """
        for pause in waits(PAUSES):
            try:
                return self._attempt(photo, send, read, abandoned)
            except (TryAgain, HTTPClientError, ConnectionError) as error:
                if not _is_transient(error):
                    raise
            self._sleep(pause)
        return self._attempt(photo, send, read, abandoned)

    def _attempt(
        self,
        photo: Photo,
        send: Callable[[], Mapping[str, Any]],
        read: Callable[[Mapping[str, Any]], T],
        abandoned: Callable[[], bool],
    ) -> T | Rejected:
        day = self._take_turn(abandoned)
        try:
            answer = send()
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
            return read(answer)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise TryAgain(f"{self._api}: the answer cannot be read ({error!r})") from error

    def _take_turn(self, abandoned: Callable[[], bool]) -> str:
        """Wait for the turn of the photo, and return the day that the image counts on.

        It is counted before the wait, so that a photo over the limit takes no turn. If Lambda freezes the execution
        environment during the wait, the wait may end on another day.
        """
        if abandoned():
            raise TryAgain(_TOO_LATE)
        day = self._allowance.take()
        self._pace.wait()
        day = self._allowance.renew(day)
        if abandoned():  # checked again, because the steps before take time
            self._allowance.give_back(day)
            raise TryAgain(_TOO_LATE)
        return day


def s3_object(photo: Photo) -> S3ObjectTypeDef:
    """Exactly this version of the photo, which Rekognition reads from S3 itself."""
    found: S3ObjectTypeDef = {"Bucket": photo.bucket, "Name": photo.key}
    if photo.version_id is not None:
        found["Version"] = photo.version_id
    return found


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
            f"{error.operation_name}: {code}: {message}",
            f"see that bucket {photo.bucket} is in the function's Region, that the function's role may "
            "s3:GetObject the key (and s3:GetObjectVersion, and use its KMS key), and that it is not archived",
        )
    return failure_of(error)


def readable(read: Callable[[Any], T], values: Iterable[object] | None) -> Iterator[T]:
    """The values that can be read. The rest is left out: the answer is billed, and the readable part is useful."""
    for value in values or ():
        try:
            yield read(value)
        except (AttributeError, KeyError, TypeError, ValueError):
            continue


def text_in(value: Mapping[str, Any], member: str) -> str:
    """A member of an answer that is a text. Raises KeyError or ValueError."""
    text = value[member]
    if not isinstance(text, str) or not text:
        raise ValueError(f"{member} is a text")
    return text


def number(value: object) -> float:
    """A number of an answer. Raises TypeError or ValueError."""
    found = float(value)  # type: ignore[arg-type]
    if not math.isfinite(found):
        raise ValueError("a confidence or a side of a box is a finite number")
    return found


def percent(value: object) -> float:
    """A confidence of an answer, from 0 to 100. Raises TypeError or ValueError."""
    return min(100.0, max(0.0, number(value)))


def box(value: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """Left, top, width and height of a BoundingBox. Raises KeyError, TypeError or ValueError."""
    left, top, width, height = (number(value[side]) for side in ("Left", "Top", "Width", "Height"))
    return left, top, width, height
