"""Whether labels come from this project's emulated Rekognition, and by which models.

Stored labels look alike whether AWS or the emulator returned them. The emulator therefore answers `PATH` on its
endpoint. The command asks an endpoint only if it is on a loopback address, which only the configuration of the AWS SDK
can name (AWS_ENDPOINT_URL, or endpoint_url in a profile). It never asks AWS, or another machine.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import threading
import urllib.request
from functools import cache
from typing import Any
from urllib.parse import urlsplit

PATH = "/_emulator/rekognition"
SECONDS = 1.0
_MAX_BYTES = 1_000_000


@cache
def labels_by(endpoint: str) -> str:
    """A line that names the emulator and its models, or "" if the endpoint is not this emulator.

    It asks once per process and endpoint, for at most SECONDS. Any failure means "".
    """
    if not _is_on_this_machine(endpoint):
        return ""
    answers: list[Any] = []
    # A thread, because urllib's timeout is one for each packet and not for the whole answer.
    thread = threading.Thread(target=lambda: answers.append(_get(endpoint.rstrip("/") + PATH)), daemon=True)
    thread.start()
    thread.join(SECONDS)
    return _line(answers[0]) if answers else ""


def _line(answer: Any) -> str:
    if not isinstance(answer, dict) or answer.get("emulator") is not True:
        return ""
    models = answer.get("models")
    names = ", ".join(map(str, models)) if isinstance(models, list) else ""
    return f"Labels by the emulated Rekognition: {names or 'no models installed'}"


def no_answer(error: Exception) -> str:
    """The endpoint on this machine that a failed request went to, without its path; "" for AWS or another machine.

    An endpoint of this machine that does not answer is an emulator that does not run, whatever the network is like.
    """
    endpoint = str(getattr(error, "kwargs", {}).get("endpoint_url", ""))
    if not _is_on_this_machine(endpoint):
        return ""
    parts = urlsplit(endpoint)
    return f"{parts.scheme}://{parts.netloc}"


def _is_on_this_machine(endpoint: str) -> bool:
    try:
        host = urlsplit(endpoint).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect could lead to another machine."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _get(url: str) -> Any:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects())
    try:
        with opener.open(url, timeout=SECONDS) as answer:
            return json.loads(answer.read(_MAX_BYTES))
    except (OSError, ValueError, http.client.HTTPException, RecursionError):
        return None
