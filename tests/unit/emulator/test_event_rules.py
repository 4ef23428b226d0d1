"""The emulator's EventBridge rules: matches of object keys, and refused event patterns."""

from __future__ import annotations

import json
from typing import Any

import pytest
from image_labels_emulator import event_rules
from image_labels_emulator.rule_complexity import complexity
from localstack.aws.api.events import InvalidEventPatternException
from localstack.services.events.rule import RuleService
from localstack.utils.event_matcher import matches_event

# From event-ruler's tests, which call it the Quamina exploder.
QUAMINA = (
    "aahed* aal*ii aargh* aarti* a*baca *abaci a*back ab*acs abaf*t *abaka ab*amp a*band *abase abash* abas*k ab*ate "
    "aba*ya abbas* abbed* ab*bes abbey* *abbot ab*cee abea*m abe*ar a*bele a*bers abet*s *abhor abi*de a*bies *abled"
)
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
def test_invalid_pattern_is_refused(condition: Any) -> None:
    pattern = json.dumps({"detail": {"object": {"key": [condition]}}})
    with pytest.raises(InvalidEventPatternException, match="Event pattern is not valid"):
        RuleService.create_rule_service("rule", "us-east-1", "000000000000", event_pattern=pattern)


def test_valid_rules_are_created() -> None:
    pattern, rate = '{"source": ["aws.s3"]}', "rate(5 minutes)"
    assert RuleService.create_rule_service("rule", event_pattern=pattern).rule.event_pattern == pattern
    scheduled = RuleService.create_rule_service("rule", schedule_expression=rate, event_bus_name="default")
    assert scheduled.rule.schedule_expression == rate


@pytest.mark.parametrize(
    ("wildcards", "expected"),
    [
        # From event-ruler's tests, MachineComplexityEvaluatorTest.java.
        (["*"], 1),
        (["*ab"], 2),
        (["*aa"], 3),
        (["*", "ab*c"], 3),
        (["abc"], 1),
        (["a*b"], 2),
        (["aa*"], 2),
        (["a*bc"], 2),
        (["a*bb"], 3),
        (["a*bcb"], 3),
        (["a*bbb"], 4),
        (["*ab*ad"], 4),
        (["*ab*d"], 3),
        (["*aba*"], 4),
        (["a*b*bb"], 5),
        (["a*b*cb"], 4),
        (["a*b*cd"], 3),
        (["a*b*b"], 4),
        (["a*bb*"], 4),
        (["ab*b*"], 3),
        (["*ab*b*b*"], 7),
        (["*a*a*a*a*a*a*a*a*"], 17),
        (["a*a*a*a*a*a*"], 11),
        (["ab*c", "x*xx"], 3),
        (["*abc", "*abcde"], 4),
        (["a*bcd", "ab*cd"], 4),
        (["a*bc", "a*bcde"], 4),
        (["a*aaa", "aa*aa"], 7),
        (["a*bc", "abc*d"], 4),
        (["a*aaa", "aaa*a"], 6),
        (["a*aax", "aaa*x"], 5),
        (["a*bc", "abc*"], 4),
        (["a*aa", "aaa*"], 5),
        (["abc*", "abcde*"], 3),
        (["ab*cd", "ab*wx", "ab*yz"], 6),
        (["ab*c", "ab*c"], 2),
        (QUAMINA.split(), 45),
        (["F*eatureFeature", "Fe*atureFeature", "Fea*tureFeature"], 10),
        # From the module.
        (["images/*.jpg"], 2),
        (["images/*.JPEG", "images/*.JPG", "images/*.PNG"], 6),
        ([f"images/*{suffix}" for suffix in (".JPEG", ".JPG", ".PNG", ".jpeg", ".jpg", ".png")], 12),
        # Bytes, not characters: two of the three start with the same byte.
        (["*\u00e9\u00e8"], 3),
        (["a\\*b"], 1),
        ([], 0),
    ],
)
def test_complexity_equals_that_of_event_ruler(wildcards: list[str], expected: int) -> None:
    assert complexity(wildcards) == expected


# Reports about EventBridge itself: three of these in a rule were accepted, four refused
# (github.com/vals-ai/Valkyrie, pull request 278); and four of one folder refused, two accepted, four of none accepted.
@pytest.mark.parametrize(
    ("wildcards", "refused"),
    [
        ([f"*:stack/{name}Stack/*" for name in ("Shared", "Data", "Web")], False),
        ([f"*:stack/{name}Stack/*" for name in ("Shared", "Data", "Web", "Monitoring")], True),
        ([f"*/datasync/*.{suffix}" for suffix in ("bif", "tif")], False),
        ([f"*/datasync/*.{suffix}" for suffix in ("bif", "tif", "tiff", "svs")], True),
        ([f"*.{suffix}" for suffix in ("bif", "tif", "tiff", "svs")], False),
        ([f"images/*{suffix}" for suffix in (".JPEG", ".JPG", ".PNG", ".jpeg", ".jpg", ".png")], True),
    ],
)
@pytest.mark.parametrize("where", ["key", "anything-but", "$or"])
def test_too_complex_rule_is_refused(wildcards: list[str], refused: bool, where: str) -> None:
    conditions: list[Any] = [{"wildcard": wildcard} for wildcard in wildcards]
    detail: Any = {
        "key": {"object": {"key": ["exact", {"prefix": "other/"}, *conditions]}},
        "anything-but": {"object": {"key": [{"anything-but": {"wildcard": wildcards}}]}},
        "$or": {"object": {"$or": [{"key": conditions[:1]}, {"size": [1], "key": conditions[1:]}]}},
    }[where]
    pattern = json.dumps({"source": ["aws.s3"], "detail": detail})
    if not refused:
        assert RuleService.create_rule_service("rule", event_pattern=pattern).rule.event_pattern == pattern
        return
    with pytest.raises(InvalidEventPatternException) as error:
        RuleService.create_rule_service("rule", event_pattern=pattern)
    assert str(error.value).startswith("Event pattern is not valid. Reason: Rule is too complex - try using fewer")
