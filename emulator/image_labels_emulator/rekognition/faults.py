"""Quota, latency, errors and counters of the emulated service.

`admin` changes them at run time. This module is independent of LocalStack and HTTP. Clock and sleep are parameters, so
that tests are fast and deterministic.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PREFIX = "REKOGNITION_EMULATOR_"
NONSENSE = "nonsense"  # a response with status 200 that is not JSON, as from a broken proxy
ERRORS = (
    "AccessDeniedException",
    "ImageTooLargeException",
    "InternalServerError",
    "InvalidImageFormatException",
    "InvalidParameterException",
    "InvalidS3ObjectException",
    "ProvisionedThroughputExceededException",
    "ThrottlingException",
    NONSENSE,
)
THROTTLING = ("ThrottlingException", "ProvisionedThroughputExceededException")


class SettingsError(ValueError):
    """An invalid setting or rule; the message is one sentence for the user."""


class FaultError(Exception):
    """The call must fail with `error`, one of ERRORS."""

    def __init__(self, error: str, reason: str, *, over_quota: bool = False) -> None:
        super().__init__(f"{error}: {reason}")
        self.error = error
        self.over_quota = over_quota


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of the emulated service.

    calls_per_second: quota, None for no quota; one second's calls (at least one) can be made at once
    throttle_error: error of calls over the quota, one of THROTTLING
    latency_ms, latency_jitter_ms: duration of a call, and maximum random addition
    error_rate, error_code: share (0 to 1) of calls that fail at random, and their error, one of ERRORS
    seed: seed of the random errors and the jitter; None for no seed
    """

    calls_per_second: float | None = None
    throttle_error: str = "ThrottlingException"
    latency_ms: float = 0.0
    latency_jitter_ms: float = 0.0
    error_rate: float = 0.0
    error_code: str = "InternalServerError"
    seed: int | None = None

    def __post_init__(self) -> None:
        for name in ("calls_per_second", "latency_ms", "latency_jitter_ms", "error_rate"):
            value = getattr(self, name)
            if value is None and name == "calls_per_second":
                continue
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
                raise SettingsError(f"{name} must be a number of 0 or more, not {value!r}")
        if self.calls_per_second == 0:
            raise SettingsError("calls_per_second must be greater than 0, or null for no quota")
        if self.error_rate > 1:
            raise SettingsError(f"error_rate must be a number from 0 to 1, not {self.error_rate!r}")
        _one_of("throttle_error", self.throttle_error, THROTTLING)
        _one_of("error_code", self.error_code, ERRORS)
        if self.seed is not None and (isinstance(self.seed, bool) or not isinstance(self.seed, int)):
            raise SettingsError(f"seed must be a whole number or null, not {self.seed!r}")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Settings from REKOGNITION_EMULATOR_CALLS_PER_SECOND etc.; empty means unset. Raises SettingsError."""
        given: dict[str, Any] = {}
        for setting in fields(cls):
            text = environment.get(PREFIX + setting.name.upper(), "")
            if not text:
                continue
            if setting.name in ("throttle_error", "error_code"):
                given[setting.name] = text
                continue
            try:
                given[setting.name] = int(text) if setting.name == "seed" else float(text)
            except ValueError:
                raise SettingsError(f"{PREFIX}{setting.name.upper()} must be a number, not {text!r}") from None
        return cls(**given)

    def changed(self, changes: object) -> Settings:
        """These settings with some of them replaced. Raises SettingsError."""
        if not isinstance(changes, dict):
            raise SettingsError('settings must be a JSON object, for example {"calls_per_second": 5}')
        names = [setting.name for setting in fields(self)]
        for name in changes:
            if name not in names:
                raise SettingsError(f"unknown setting {name!r}; the settings are {', '.join(names)}")
        return replace(self, **changes)


@dataclass(slots=True)
class Rule:
    """The next `times` calls (None: all) for keys that start with `key_prefix` fail with `error`."""

    key_prefix: str
    error: str
    times: int | None = None

    @classmethod
    def parse(cls, raw: object) -> Rule:
        """A rule from JSON. Raises SettingsError."""
        example = '{"key_prefix": "images/broken", "error": "ThrottlingException", "times": 2}'
        if not isinstance(raw, dict) or not {"key_prefix", "error"} <= raw.keys() <= {"key_prefix", "error", "times"}:
            raise SettingsError(f"a rule requires key_prefix and error, and may have times, for example {example}")
        prefix, error, times = raw["key_prefix"], raw["error"], raw.get("times")
        if not isinstance(prefix, str):
            raise SettingsError(f"key_prefix must be a string, not {prefix!r}")
        _one_of("error", error, ERRORS)
        if times is not None and (isinstance(times, bool) or not isinstance(times, int) or times < 1):
            raise SettingsError(f"times must be a whole number of 1 or more, or null for all calls, not {times!r}")
        return cls(prefix, error, times)


@dataclass(slots=True)
class Counters:
    """Calls since the start or the last reset. `photos` counts calls by bucket and key, including failed ones."""

    calls: int = 0
    answered: int = 0
    throttled: int = 0
    failed: int = 0
    photos: Counter[tuple[str, str]] = field(default_factory=Counter)


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

    def admit(self, bucket: str = "", key: str = "") -> None:
        """Count a call, and wait for its latency. `bucket` and `key` are empty for an image sent as bytes.

        Raises FaultError if the call is over the quota (without latency, as in the service), or fails by a rule or at
        random.
        """
        with self._lock:
            self._counters.calls += 1
            if bucket:
                self._counters.photos[bucket, key] += 1
            settings = self._settings
            if not self._take_token():
                self._counters.throttled += 1
                reason = f"more than {settings.calls_per_second:g} calls per second"
                raise FaultError(settings.throttle_error, reason, over_quota=True)
            pause = settings.latency_ms + self._random.random() * settings.latency_jitter_ms
            fault = self._rule_for(key) or self._random_fault()
        if pause > 0:
            self._sleep(pause / 1000)
        if fault:
            raise fault

    def answered(self) -> None:
        """Count a successful call."""
        with self._lock:
            self._counters.answered += 1

    def failed(self) -> None:
        """Count a call that failed for a reason other than the quota."""
        with self._lock:
            self._counters.failed += 1

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
            photos: dict[str, dict[str, int]] = {}
            for (bucket, key), calls in sorted(self._counters.photos.items()):
                photos.setdefault(bucket, {})[key] = calls
            counters = self._counters
            return {
                "settings": asdict(self._settings),
                "rules": [asdict(rule) for rule in self._rules],
                "counters": {
                    "calls": counters.calls,
                    "answered": counters.answered,
                    "throttled": counters.throttled,
                    "failed": counters.failed,
                    "photos": photos,
                },
            }

    def _start(self, settings: Settings) -> None:
        self._settings = settings
        self._random = random.Random(settings.seed)  # noqa: S311 - not for security
        self._tokens = self._burst
        self._refilled = self._clock()

    @property
    def _burst(self) -> float:
        return max(1.0, self._settings.calls_per_second or 0.0)

    def _take_token(self) -> bool:
        rate = self._settings.calls_per_second
        if rate is None:
            return True
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._refilled) * rate)
        self._refilled = now
        if self._tokens < 1 - 1e-9:  # tolerates rounding errors
            return False
        self._tokens -= 1
        return True

    def _rule_for(self, key: str) -> FaultError | None:
        for rule in self._rules:
            if key.startswith(rule.key_prefix) and rule.times != 0:
                if rule.times is not None:
                    rule.times -= 1
                return FaultError(rule.error, f"a rule for keys that start with {rule.key_prefix!r}")
        return None

    def _random_fault(self) -> FaultError | None:
        settings = self._settings
        if settings.error_rate and self._random.random() < settings.error_rate:
            return FaultError(settings.error_code, f"error_rate is {settings.error_rate:g}")
        return None


def _one_of(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise SettingsError(f"{name} must be one of {', '.join(allowed)}, not {value!r}")
