"""Repeats requests that AWS throttles or does not answer: a run of hours must outlast minutes without a network."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError  # noqa: A004
from image_labels.aws_errors import Kind, kind_of
from image_labels.failures import TryAgain

from image_labels_cli.times import Time

if TYPE_CHECKING:
    from image_labels_cli.stop import Stop

T = TypeVar("T")

# Seconds. The client itself makes three attempts within seconds, before this begins.
FIRST_PAUSE = 1.0
MAX_PAUSE = 30.0
GIVE_UP_SECONDS = 30 * 60
STEP = 0.5  # how soon Ctrl-C ends a pause


class Patience:
    """Makes requests, each until AWS answers it, for up to GIVE_UP_SECONDS.

    `tell` gets the reason for each pause, in a few words. Before the first answer, nothing is repeated: the Region or
    the proxy is probably wrong.
    """

    def __init__(self, stop: Stop, time: Time | None = None) -> None:
        self.tell: Callable[[str], None] = lambda _text: None
        self._stop = stop
        self._time = time or Time()
        self._answered = False

    def __call__(self, request: Callable[[], T]) -> T:
        """The answer to the request.

        Raises its last error after GIVE_UP_SECONDS, or at once if it would not pass by itself. Raises KeyboardInterrupt
        if stopped during a pause.
        """
        until: float | None = None
        pause = FIRST_PAUSE
        while True:
            try:
                answer = request()
            except (BotoCoreError, ClientError, TryAgain) as error:
                until = self._time.clock() + GIVE_UP_SECONDS if until is None else until
                if not (self._answered and passes(error)) or self._time.clock() >= until:
                    raise
                self.tell("AWS throttles" if _throttles(error) else "AWS does not answer")
                self._wait(pause)
                pause = min(MAX_PAUSE, 2 * pause)
            else:
                self._answered = True
                return answer

    def _wait(self, seconds: float) -> None:
        until = self._time.clock() + seconds
        while (left := until - self._time.clock()) > 0:
            if self._stop.requested:
                raise KeyboardInterrupt
            self._time.sleep(min(STEP, left))
        if self._stop.requested:
            raise KeyboardInterrupt


def at_once(request: Callable[[], T]) -> T:
    """The answer to a request that is not repeated."""
    return request()


def passes(error: Exception) -> bool:
    """Whether the same request may succeed some minutes later."""
    if isinstance(error, ClientError):
        return _throttles(error) or error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400) >= 500
    return isinstance(error, (TryAgain, HTTPClientError, ConnectionError))


def _throttles(error: Exception) -> bool:
    if isinstance(error, ClientError):
        return kind_of(error) is Kind.THROTTLED
    return isinstance(error, TryAgain) and error.throttled
