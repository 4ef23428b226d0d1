"""Rules by which calls of AWS APIs fail or are slow; `faults_admin` ties them to LocalStack and HTTP."""

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
    """A rule that makes no sense; the message is a sentence for the person who gave it."""


@dataclass(slots=True)
class Rule:
    """What happens to calls of one operation.

    service, operation: as boto3 names the service and the API reference the operation: "s3", "HeadObject"
    containing: only calls in whose parsed request some string, at any depth, contains this text
    fault: an error code that the call is answered with; "connection-cut": its connection is closed without an answer;
        None: no fault, the call is only slow
    status: HTTP status, 400 to 599, that an error code is answered with; None for the other faults
    times: only the next so many calls; None for all
    delay_ms: how long a call waits, before the fault or, without one, before it goes on
    after: the call takes effect first; delay and fault are those of its answer, be it a success or an error
    internal: the rule is for calls that LocalStack makes itself (its Rekognition reads S3, its Lambda polls SQS) and
        for no others
    struck: how many calls it has been applied to
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
            raise RuleError(f"a rule is a JSON object, for example {EXAMPLE}")
        allowed = [one.name for one in fields(cls) if one.name != "struck"]
        for name in raw:
            if name not in allowed:
                raise RuleError(f"a rule has no {name!r}; it may have {', '.join(allowed)}")
        if not {"service", "operation"} <= raw.keys():
            raise RuleError(f"a rule needs service and operation, for example {EXAMPLE}")
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
                f"{self.service} has no operation {self.operation!r}; the API reference has the names, "
                "for example 'HeadObject' of s3"
            )
        if self.times is not None and not (_is_whole(self.times) and self.times >= 1):
            raise RuleError(f"times must be a whole number of 1 or more, or null for always, not {self.times!r}")
        if not _is_number(self.delay_ms) or not 0 <= self.delay_ms < math.inf:
            raise RuleError(f"delay_ms must be a number of 0 or more, not {self.delay_ms!r}")
        self._check_fault()

    def _check_fault(self) -> None:
        if self.fault is None and self.delay_ms == 0:
            raise RuleError("a rule needs a fault, a delay_ms of more than 0, or both")
        if self.fault in (None, CONNECTION_CUT):
            if self.status is not None:
                raise RuleError(f"status goes with an error code, not with fault {self.fault or 'null'}")
            return
        # It goes into headers and XML.
        if not isinstance(self.fault, str) or not re.fullmatch(r"[A-Za-z0-9._:-]+", self.fault):
            raise RuleError(
                f"fault must be an AWS error code such as 'SlowDown', {CONNECTION_CUT!r}, or null, not {self.fault!r}"
            )
        # No default: clients decide by it whether to try again.
        if not (_is_whole(self.status) and 400 <= self.status <= 599):
            raise RuleError(f"an error code needs a status from 400 to 599, not {self.status!r}")

    def _fits(self, service: str, operation: str, request: object, *, internal: bool) -> bool:
        return (
            (self.service, self.operation, self.internal) == (service, operation, internal)
            and (self.times is None or self.struck < self.times)
            and _contains(request, self.containing)
        )


class Rules:
    """The rules of one emulator; safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[Rule] = []

    def add(self, raw: object) -> None:
        """Add a rule, or a list of them, all or none. Raises RuleError."""
        rules = [Rule.parse(one) for one in (raw if isinstance(raw, list) else [raw])]
        with self._lock:
            self._rules += rules

    def clear(self) -> None:
        """Drop all rules."""
        with self._lock:
            self._rules = []

    def strike(self, service: str, operation: str, request: object, *, internal: bool) -> Rule | None:
        """The rule that this call falls under, counted; of several the oldest that is not used up."""
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
        raise RuleError(f"there is no service {service!r}; boto3 has the names, for example 's3'") from None


def _contains(value: object, text: str) -> bool:
    """Whether a string in this value, keys of maps included, contains the text; everything contains ""."""
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
