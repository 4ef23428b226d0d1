"""Quota, latency, errors and counters of the emulated service.

`admin` changes them at run time. This module is independent of LocalStack and HTTP. Clock and sleep are parameters, so
that tests are fast and deterministic.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from image_labels_emulator.rekognition.settings import Rule, Settings

if TYPE_CHECKING:
    from collections.abc import Callable

DETECT_LABELS = "DetectLabels"


class FaultError(Exception):
    """The call must fail with `error`, one of ERRORS."""

    def __init__(self, error: str, reason: str, *, over_quota: bool = False) -> None:
        super().__init__(f"{error}: {reason}")
        self.error = error
        self.over_quota = over_quota


@dataclass(slots=True)
class Calls:
    """Calls since the start or the last reset."""

    calls: int = 0
    answered: int = 0
    throttled: int = 0
    failed: int = 0


@dataclass(slots=True)
class Counters:
    """Calls by operation. `photos` counts those of DetectLabels by bucket and key, including failed ones."""

    operations: defaultdict[str, Calls] = field(default_factory=lambda: defaultdict(Calls))
    photos: Counter[tuple[str, str]] = field(default_factory=Counter)

    def snapshot(self) -> dict[str, Any]:
        """JSON-ready: the calls of all operations together, of each, and by photo."""
        by_operation = {name: asdict(calls) for name, calls in sorted(self.operations.items())}
        photos: dict[str, dict[str, int]] = {}
        for (bucket, key), calls in sorted(self.photos.items()):
            photos.setdefault(bucket, {})[key] = calls
        total = {name: sum(calls[name] for calls in by_operation.values()) for name in asdict(Calls())}
        return total | {"operations": by_operation, "photos": photos}


class Behaviour:
    """Quota, latency, errors and counters of one emulated service. Thread-safe."""

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._initial = settings or Settings()
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._rules: list[Rule] = []
        self._counters = Counters()
        self._start(self._initial)

    def admit(self, bucket: str = "", key: str = "", operation: str = DETECT_LABELS) -> None:
        """Count a call, and wait for its latency. `bucket` and `key` are empty without an image in S3.

        Raises FaultError if the call is over the quota (without latency, as in the service), or fails by a rule or at
        random.
        """
        with self._lock:
            calls = self._counters.operations[operation]
            calls.calls += 1
            if bucket and operation == DETECT_LABELS:
                self._counters.photos[bucket, key] += 1
            settings = self._settings
            quota = settings.quota(operation)
            if quota is not None and not self._take_token(operation, quota):
                calls.throttled += 1
                reason = f"more than {quota:g} calls per second"
                raise FaultError(settings.throttle_error, reason, over_quota=True)
            pause = settings.latency_ms + self._random.random() * settings.latency_jitter_ms
            fault = self._rule_for(operation, key) or self._random_fault()
        if pause > 0:
            self._sleep(pause / 1000)
        if fault:
            raise fault

    def answered(self, operation: str = DETECT_LABELS) -> None:
        """Count a successful call."""
        with self._lock:
            self._counters.operations[operation].answered += 1

    def failed(self, operation: str = DETECT_LABELS) -> None:
        """Count a call that failed for a reason other than the quota."""
        with self._lock:
            self._counters.operations[operation].failed += 1

    def change(self, changes: object) -> None:
        """Change some settings, and restart quota and randomness. Raises SettingsError."""
        with self._lock:
            self._start(self._settings.changed(changes))

    def add_rules(self, raw: object) -> None:
        """Add a rule or a list of rules. If several match a key, the oldest applies. Raises SettingsError."""
        rules = [Rule.parse(one) for one in (raw if isinstance(raw, list) else [raw])]
        with self._lock:
            self._rules += rules

    def clear_rules(self) -> None:
        """Remove all rules."""
        with self._lock:
            self._rules = []

    def reset(self) -> None:
        """Restore the initial settings, remove all rules, and reset the counters."""
        with self._lock:
            self._rules = []
            self._counters = Counters()
            self._start(self._initial)

    def snapshot(self) -> dict[str, Any]:
        """Settings, rules and counters as JSON-ready values."""
        with self._lock:
            return {
                "settings": asdict(self._settings),
                "rules": [asdict(rule) for rule in self._rules],
                "counters": self._counters.snapshot(),
            }

    def _start(self, settings: Settings) -> None:
        self._settings = settings
        self._random = random.Random(settings.seed)  # noqa: S311 - not for security
        self._tokens: dict[str, tuple[float, float]] = {}  # by operation: how many, and when they were counted

    def _take_token(self, operation: str, rate: float) -> bool:
        now = self._clock()
        burst = max(1.0, rate)
        tokens, counted = self._tokens.get(operation, (burst, now))
        tokens = min(burst, tokens + (now - counted) * rate)
        admitted = tokens >= 1 - 1e-9  # tolerates rounding errors
        self._tokens[operation] = (tokens - admitted, now)
        return admitted

    def _rule_for(self, operation: str, key: str) -> FaultError | None:
        for rule in self._rules:
            if rule.applies(operation, key):
                if rule.times is not None:
                    rule.times -= 1
                return FaultError(rule.error, f"a rule for keys that start with {rule.key_prefix!r}")
        return None

    def _random_fault(self) -> FaultError | None:
        settings = self._settings
        if settings.error_rate and self._random.random() < settings.error_rate:
            return FaultError(settings.error_code, f"error_rate is {settings.error_rate:g}")
        return None
