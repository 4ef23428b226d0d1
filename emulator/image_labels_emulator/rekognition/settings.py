"""Settings and rules of the emulated service: quotas, latency and errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

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
OPERATIONS = (
    "CompareFaces",
    "CreateCollection",
    "DeleteCollection",
    "DeleteFaces",
    "DescribeCollection",
    "DetectFaces",
    "DetectLabels",
    "DetectModerationLabels",
    "DetectText",
    "IndexFaces",
    "ListCollections",
    "ListFaces",
    "ListTagsForResource",
    "SearchFaces",
    "SearchFacesByImage",
    "TagResource",
    "UntagResource",
)
THROTTLING = ("ThrottlingException", "ProvisionedThroughputExceededException")


class SettingsError(ValueError):
    """An invalid setting or rule; the message is one sentence for the user."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of the emulated service.

    calls_per_second: quota of each operation, as in AWS every operation has a quota of its own; None for no quota; one
        second's calls (at least one) can be made at once
    quotas: calls per second of some operations by name, instead of calls_per_second; None for no quota
    throttle_error: error of calls over the quota, one of THROTTLING
    latency_ms, latency_jitter_ms: duration of a call, and maximum random addition
    error_rate, error_code: share (0 to 1) of calls that fail at random, and their error, one of ERRORS
    seed: seed of the random errors and the jitter; None for no seed
    """

    calls_per_second: float | None = None
    quotas: Mapping[str, float | None] = field(default_factory=dict)
    throttle_error: str = "ThrottlingException"
    latency_ms: float = 0.0
    latency_jitter_ms: float = 0.0
    error_rate: float = 0.0
    error_code: str = "InternalServerError"
    seed: int | None = None

    def __post_init__(self) -> None:
        for name in ("latency_ms", "latency_jitter_ms", "error_rate"):
            _check_number(name, getattr(self, name))
        if not isinstance(self.quotas, Mapping):
            raise SettingsError('quotas must be a JSON object, for example {"DetectFaces": 5}')
        for operation, quota in self.quotas.items():
            _one_of("operations in quotas", operation, OPERATIONS)
            _check_quota(f"the quota of {operation}", quota)
        _check_quota("calls_per_second", self.calls_per_second)
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
            if setting.name == "quotas":
                given[setting.name] = _parse_quotas(text)
                continue
            try:
                given[setting.name] = int(text) if setting.name == "seed" else float(text)
            except ValueError:
                raise SettingsError(f"{PREFIX}{setting.name.upper()} must be a number, not {text!r}") from None
        return cls(**given)

    def quota(self, operation: str) -> float | None:
        """Calls per second of an operation; None for no quota."""
        return self.quotas.get(operation, self.calls_per_second)

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
    """The next `times` calls (None: all) for keys that start with `key_prefix` fail with `error`.

    `operation` limits the rule to one operation. The key of a call without an image in S3 is empty.
    """

    key_prefix: str
    error: str
    times: int | None = None
    operation: str | None = None

    @classmethod
    def parse(cls, raw: object) -> Rule:
        """A rule from JSON. Raises SettingsError."""
        example = '{"key_prefix": "images/broken", "error": "ThrottlingException", "times": 2}'
        required, optional = {"key_prefix", "error"}, {"times", "operation"}
        if not isinstance(raw, dict) or not required <= raw.keys() <= required | optional:
            raise SettingsError(
                f"a rule requires key_prefix and error, and may have times and operation, for example {example}"
            )
        prefix, error, times, operation = raw["key_prefix"], raw["error"], raw.get("times"), raw.get("operation")
        if not isinstance(prefix, str):
            raise SettingsError(f"key_prefix must be a string, not {prefix!r}")
        _one_of("error", error, ERRORS)
        if times is not None and (isinstance(times, bool) or not isinstance(times, int) or times < 1):
            raise SettingsError(f"times must be a whole number of 1 or more, or null for all calls, not {times!r}")
        if operation is not None:
            _one_of("operation", operation, OPERATIONS)
        return cls(prefix, error, times, operation)

    def applies(self, operation: str, key: str) -> bool:
        return self.times != 0 and self.operation in (None, operation) and key.startswith(self.key_prefix)


def _parse_quotas(text: str) -> dict[str, float]:
    """`DetectFaces=5,IndexFaces=2` as quotas."""
    try:
        pairs = [entry.split("=") for entry in text.split(",")]
        return {operation.strip(): float(quota) for operation, quota in pairs}
    except ValueError:
        raise SettingsError(f"{PREFIX}QUOTAS must be like DetectFaces=5,IndexFaces=2, not {text!r}") from None


def _check_quota(name: str, value: object) -> None:
    if value is None:
        return
    _check_number(name, value)
    if value == 0:
        raise SettingsError(f"{name} must be greater than 0, or null for no quota")


def _check_number(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
        raise SettingsError(f"{name} must be a number of 0 or more, not {value!r}")


def _one_of(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise SettingsError(f"{name} must be one of {', '.join(allowed)}, not {value!r}")
