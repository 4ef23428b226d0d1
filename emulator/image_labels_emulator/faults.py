"""Rules that make calls of AWS APIs fail or slow. `faults_admin` connects them to LocalStack and HTTP."""

from __future__ import annotations

import math
import re
import threading
from dataclasses import asdict, dataclass, fields
from functools import cache
from typing import Any, TypeGuard

import botocore.session
from botocore.exceptions import UnknownServiceError

CONNECTION_CUT = "connection-cut"
EXAMPLE = '{"service": "s3", "operation": "HeadObject", "fault": "InternalError", "status": 500, "times": 3}'


class RuleError(ValueError):
    """An invalid rule; the message is one sentence for the user."""


@dataclass(slots=True)
class Rule:
    """A fault or delay for calls of one operation.

    service, operation: the service as boto3 names it, the operation as the API reference names it: "s3", "HeadObject"
    containing: only calls whose parsed request has a string, at any depth, that contains this text
    fault: the error code of the answer; "connection-cut" closes the connection without an answer; None only delays
        the call
    status: HTTP status of the error code, 400 to 599; None for the other faults
    times: number of calls that the rule applies to; None for all
    delay_ms: delay before the fault, or before the call
    after: the call takes effect; delay and fault apply to its answer, whether success or error
    internal: the rule applies only to calls that LocalStack makes itself (its Rekognition reads S3, its Lambda polls
        SQS); otherwise only to calls of others
    struck: number of calls that the rule has been applied to
    """

    service: str
    operation: str
    containing: str = ""
    fault: str | None = None
    status: int | None = None
    times: int | None = None
    delay_ms: float = 0
    after: bool = False
    internal: bool = False
    struck: int = 0

    @classmethod
    def parse(cls, raw: object) -> Rule:
        """A rule from JSON. Raises RuleError."""
        if not isinstance(raw, dict):
            raise RuleError(f"a rule must be a JSON object, for example {EXAMPLE}")
        allowed = [one.name for one in fields(cls) if one.name != "struck"]
        for name in raw:
            if name not in allowed:
                raise RuleError(f"unknown field {name!r}; the fields of a rule are {', '.join(allowed)}")
        if not {"service", "operation"} <= raw.keys():
            raise RuleError(f"a rule requires service and operation, for example {EXAMPLE}")
        rule = cls(**raw)
        rule._check()
        return rule

    def _check(self) -> None:
        for name in ("service", "operation", "containing"):
            if not isinstance(getattr(self, name), str):
                raise RuleError(f"{name} must be a string, not {getattr(self, name)!r}")
        for name in ("after", "internal"):
            if not isinstance(getattr(self, name), bool):
                raise RuleError(f"{name} must be true or false, not {getattr(self, name)!r}")
        if self.operation not in _operations(self.service):
            raise RuleError(
                f"{self.service} has no operation {self.operation!r}; use a name from the API reference, "
                "for example 'HeadObject' for s3"
            )
        if self.times is not None and not (_is_whole(self.times) and self.times >= 1):
            raise RuleError(f"times must be a whole number of 1 or more, or null for all calls, not {self.times!r}")
        if not _is_number(self.delay_ms) or not 0 <= self.delay_ms < math.inf:
            raise RuleError(f"delay_ms must be a number of 0 or more, not {self.delay_ms!r}")
        self._check_fault()

    def _check_fault(self) -> None:
        if self.fault is None and self.delay_ms == 0:
            raise RuleError("a rule requires a fault, a delay_ms greater than 0, or both")
        if self.fault in (None, CONNECTION_CUT):
            if self.status is not None:
                raise RuleError(f"status requires an error code as the fault, not {self.fault or 'null'}")
            return
        # The code is written into headers and XML.
        if not isinstance(self.fault, str) or not re.fullmatch(r"[A-Za-z0-9._:-]+", self.fault):
            raise RuleError(
                f"fault must be an AWS error code such as 'SlowDown', {CONNECTION_CUT!r}, or null, not {self.fault!r}"
            )
        # No default, because clients decide by the status whether to retry.
        if not (_is_whole(self.status) and 400 <= self.status <= 599):
            raise RuleError(f"an error code requires a status from 400 to 599, not {self.status!r}")

    def _fits(self, service: str, operation: str, request: object, *, internal: bool) -> bool:
        return (
            (self.service, self.operation, self.internal) == (service, operation, internal)
            and (self.times is None or self.struck < self.times)
            and _contains(request, self.containing)
        )


class Rules:
    """The rules of one emulator. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[Rule] = []

    def add(self, raw: object) -> None:
        """Add a rule or a list of rules: all or none. Raises RuleError."""
        rules = [Rule.parse(one) for one in (raw if isinstance(raw, list) else [raw])]
        with self._lock:
            self._rules += rules

    def clear(self) -> None:
        """Remove all rules."""
        with self._lock:
            self._rules = []

    def strike(self, service: str, operation: str, request: object, *, internal: bool) -> Rule | None:
        """Count this call on the rule that applies, and return the rule: the oldest that matches and has calls left."""
        with self._lock:
            for rule in self._rules:
                if rule._fits(service, operation, request, internal=internal):
                    rule.struck += 1
                    return rule
        return None

    def snapshot(self) -> list[dict[str, Any]]:
        """The rules as JSON-ready values, oldest first."""
        with self._lock:
            return [asdict(rule) for rule in self._rules]


@cache
def _operations(service: str) -> frozenset[str]:
    """The operations of a service. Raises RuleError if there is no such service."""
    try:
        return frozenset(botocore.session.get_session().get_service_model(service).operation_names)
    except UnknownServiceError:
        raise RuleError(f"unknown service {service!r}; use boto3's name, for example 's3'") from None


def _contains(value: object, text: str) -> bool:
    """Whether a string in this value, or a key of a map in it, contains the text. Everything contains ""."""
    if not text:
        return True
    if isinstance(value, str):
        return text in value
    if isinstance(value, dict):
        return any(_contains(one, text) for pair in value.items() for one in pair)
    return isinstance(value, list) and any(_contains(one, text) for one in value)


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, float) or _is_whole(value)
