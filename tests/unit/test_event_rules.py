"""EventBridge rules of the emulator on object keys: what matches, and which event patterns are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from image_labels_emulator import event_rules
from localstack.aws.api.events import InvalidEventPatternException
from localstack.services.events.rule import RuleService
from localstack.utils.event_matcher import matches_event

KEYS = ["images/ä ö/ü+%.JPG", "images/.jpg", "images/a/b.png", "images/a*b.jpg", "images/c\n.jpg", "my images/d.jpg"]


@pytest.fixture(autouse=True)
def installed() -> None:
    event_rules.install()


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ([{"wildcard": "images/*.jpg"}], [1, 3, 4]),
        ([{"wildcard": "*images/*/*.*"}], [0, 2]),
        ([{"wildcard": "images/a\\*b.*"}], [3]),
        ([{"wildcard": "images/a.b.jpg"}], []),
        ([{"prefix": "images/ä ö/"}], [0]),
        ([{"suffix": {"equals-ignore-case": ".jpg"}}], [0, 1, 3, 4, 5]),
        (["images/a/b.png", {"wildcard": "*.JPG"}, {"prefix": "my images/"}], [0, 2, 5]),
        ([{"anything-but": {"wildcard": "images/*"}}], [5]),
    ],
)
def test_conditions_on_the_key(conditions: list[Any], expected: list[int]) -> None:
    pattern = json.dumps({"source": ["aws.s3"], "detail": {"object": {"key": conditions}}})
    events = [{"source": "aws.s3", "detail": {"object": {"key": key}}} for key in KEYS]
    assert [n for n, event in enumerate(events) if matches_event(pattern, event)] == expected


@pytest.mark.parametrize("condition", [{"wildcard": "a**b"}, {"wildcard": 1}, {"glob": "*"}, {"prefix": ["a", "b"]}])
def test_rule_with_a_pattern_that_is_not_valid_is_refused(condition: Any) -> None:
    pattern = json.dumps({"detail": {"object": {"key": [condition]}}})
    with pytest.raises(InvalidEventPatternException, match="Event pattern is not valid"):
        RuleService.create_rule_service("rule", "us-east-1", "000000000000", event_pattern=pattern)


def test_valid_rules_are_made() -> None:
    pattern, rate = '{"source": ["aws.s3"]}', "rate(5 minutes)"
    assert RuleService.create_rule_service("rule", event_pattern=pattern).rule.event_pattern == pattern
    scheduled = RuleService.create_rule_service("rule", schedule_expression=rate, event_bus_name="default")
    assert scheduled.rule.schedule_expression == rate
