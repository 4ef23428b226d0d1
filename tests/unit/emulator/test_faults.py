"""Rules for faults: the calls that they apply to, their number, and the messages about invalid rules."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from image_labels_emulator.faults import RuleError, Rules

HEAD: dict[str, Any] = {"service": "s3", "operation": "HeadObject", "fault": "InternalError", "status": 500}


def strike(rules: Rules, request: object = None, operation: str = "HeadObject", *, internal: bool = False) -> str:
    rule = rules.strike("s3", operation, request, internal=internal)
    return (rule.fault or "slow") if rule else "ok"


def with_rules(*raw: object) -> Rules:
    rules = Rules()
    rules.add(list(raw))
    return rules


def test_rule_applies_to_external_calls_of_its_operation() -> None:
    rules = with_rules(HEAD)
    assert strike(rules) == "InternalError"
    assert strike(rules, operation="GetObject") == "ok"
    assert rules.strike("dynamodb", "HeadObject", None, internal=False) is None
    assert strike(rules, internal=True) == "ok"


def test_internal_rule_does_not_apply_to_external_calls() -> None:
    rules = with_rules(HEAD | {"internal": True})
    assert (strike(rules), strike(rules, internal=True)) == ("ok", "InternalError")


@pytest.mark.parametrize(
    ("request_", "struck"),
    [
        ({"Bucket": "b", "Key": "images/a.jpg"}, True),
        ({"TransactItems": [{"Put": {"Item": {"PK": {"S": "images/a.jpg"}}}}]}, True),
        ({"RequestItems": {"images/table": {"Keys": []}}}, True),
        ({"Key": "other/a.jpg", "MaxKeys": 3, "Body": b"images/", "Flag": None}, False),
        (None, False),
    ],
)
def test_containing_matches_strings_at_any_depth(request_: object, struck: bool) -> None:
    assert (strike(with_rules(HEAD | {"containing": "images/"}), request_) != "ok") == struck


def test_oldest_rule_with_remaining_times_applies() -> None:
    rules = with_rules(HEAD | {"times": 2}, HEAD | {"fault": "connection-cut", "status": None})
    assert [strike(rules) for _ in range(4)] == ["InternalError"] * 2 + ["connection-cut"] * 2
    assert [(rule["times"], rule["struck"]) for rule in rules.snapshot()] == [(2, 2), (None, 2)]
    rules.clear()
    assert strike(rules) == "ok"
    assert rules.snapshot() == []


def test_rule_can_delay_without_a_fault() -> None:
    assert strike(with_rules({"service": "s3", "operation": "HeadObject", "delay_ms": 1.5})) == "slow"


def test_times_is_exact_with_many_threads() -> None:
    rules = with_rules(HEAD | {"times": 100})
    struck: list[str] = []
    threads = [threading.Thread(target=lambda: struck.extend(strike(rules) for _ in range(50))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert struck.count("InternalError") == 100


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("images/", "a rule must be a JSON object, for example {"),
        ({"service": "s3", "fault": "SlowDown", "status": 503}, "a rule requires service and operation"),
        (HEAD | {"delay": 5}, "unknown field 'delay'; the fields of a rule are service, operation"),
        (HEAD | {"struck": 5}, "unknown field 'struck'"),
        (HEAD | {"service": "S3"}, "unknown service 'S3'"),
        (HEAD | {"service": None}, "service must be a string, not None"),
        (HEAD | {"operation": "head_object"}, "s3 has no operation 'head_object'"),
        (HEAD | {"containing": None}, "containing must be a string"),
        (HEAD | {"times": 0}, "times must be a whole number of 1 or more"),
        (HEAD | {"times": True}, "times must be a whole number of 1 or more"),
        (HEAD | {"delay_ms": -1}, "delay_ms must be a number of 0 or more"),
        (HEAD | {"delay_ms": float("nan")}, "delay_ms must be a number of 0 or more"),
        (HEAD | {"delay_ms": None}, "delay_ms must be a number of 0 or more"),
        (HEAD | {"after": 1}, "after must be true or false"),
        (HEAD | {"internal": "no"}, "internal must be true or false"),
        (HEAD | {"fault": "Slow Down"}, "fault must be an AWS error code such as 'SlowDown', 'connection-cut'"),
        (HEAD | {"fault": ["SlowDown"]}, "fault must be an AWS error code"),
        (HEAD | {"status": None}, "an error code requires a status from 400 to 599, not None"),
        (HEAD | {"status": 200}, "an error code requires a status from 400 to 599, not 200"),
        (HEAD | {"fault": "connection-cut"}, "status requires an error code as the fault, not connection-cut"),
        (HEAD | {"fault": None, "delay_ms": 5}, "status requires an error code as the fault, not null"),
        (HEAD | {"fault": None, "status": None}, "a rule requires a fault, a delay_ms greater than 0, or both"),
    ],
)
def test_invalid_rules_are_refused(rule: object, words: str) -> None:
    rules = Rules()
    with pytest.raises(RuleError, match="^" + words):
        rules.add([HEAD, rule])
    assert rules.snapshot() == []
