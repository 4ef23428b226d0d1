"""HTTP endpoint for the emulator's settings, on LocalStack's port.

    GET    /_emulator/rekognition         show label sources, installed models, settings, rules and counters
    PATCH  /_emulator/rekognition         change settings:  {"calls_per_second": 5, "latency_ms": 200}
    POST   /_emulator/rekognition/rules   add a rule or a list of rules:
                                          {"key_prefix": "images/a", "error": "ThrottlingException", "times": 2}
    DELETE /_emulator/rekognition/rules   remove all rules
    POST   /_emulator/rekognition/reset   restore the initial settings, remove all rules, reset the counters

All return status 200 with the answer of GET, or 400 with {"message": "…"}.
"""

from __future__ import annotations

import json
import logging
import threading
from typing import TYPE_CHECKING, Any

from localstack.http import Request, Response

from image_labels_emulator.rekognition import sources
from image_labels_emulator.rekognition.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from image_labels_emulator.rekognition.faults import Behaviour

LOG = logging.getLogger(__name__)
PATH = "/_emulator/rekognition"


class Admin:
    """The HTTP routes of one Behaviour."""

    def __init__(self, behaviour: Behaviour, models: Callable[[], Sequence[str]] = tuple) -> None:
        """`models` returns the names of the installed models that labels come from."""
        self._behaviour = behaviour
        self._models = models
        self._registered = False
        self._lock = threading.Lock()

    def register(self) -> None:
        """Add the routes to LocalStack's gateway, and log what this is. Idempotent."""
        from localstack.services.edge import ROUTER

        with self._lock:
            if self._registered:
                return
            for path, method, endpoint in (
                (PATH, "GET", self.show),
                (PATH, "PATCH", self.change),
                (f"{PATH}/rules", "POST", self.add_rules),
                (f"{PATH}/rules", "DELETE", self.clear_rules),
                (f"{PATH}/reset", "POST", self.reset),
            ):
                ROUTER.add(path, endpoint=endpoint, methods=[method])  # type: ignore[arg-type]
            self._registered = True
            LOG.info(self._about()[0])

    def show(self, _request: Request) -> Response:
        return self._answer(lambda: None)

    def change(self, request: Request) -> Response:
        return self._answer(lambda: self._behaviour.change(_body(request)))

    def add_rules(self, request: Request) -> Response:
        return self._answer(lambda: self._behaviour.add_rules(_body(request)))

    def clear_rules(self, _request: Request) -> Response:
        return self._answer(self._behaviour.clear_rules)

    def reset(self, _request: Request) -> Response:
        return self._answer(self._behaviour.reset)

    def _answer(self, act: Callable[[], None]) -> Response:
        try:
            act()
        except SettingsError as error:
            return _json({"message": str(error)}, 400)
        about, label_sources = self._about()
        what = {"emulator": True, "about": about, "label_sources": label_sources, "models": list(self._models())}
        return _json(what | self._behaviour.snapshot(), 200)

    def _about(self) -> tuple[str, list[str]]:
        """What this is, and where labels come from."""
        label_sources = sources.about(self._models())
        origin = ", or else ".join(label_sources)
        return (
            f"This is an emulator of Amazon Rekognition, not Amazon Rekognition. Labels come from {origin}.",
            label_sources,
        )


def _body(request: Request) -> Any:
    try:
        return json.loads(request.get_data())
    except ValueError as error:
        raise SettingsError(f"the body is not JSON: {error}") from None


def _json(content: dict[str, Any], status: int) -> Response:
    return Response(json.dumps(content), status=status, mimetype="application/json")
