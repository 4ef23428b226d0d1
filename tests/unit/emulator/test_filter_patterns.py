"""Filter patterns: the examples of the CloudWatch Logs user guide, and refused patterns."""

from __future__ import annotations

import json
import operator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_labels_emulator.filter_patterns import Event, InvalidPatternError, compile_pattern

TRAIL: dict[str, Any] = {
    "eventType": "UpdateTrail",
    "sourceIPAddress": "111.111.111.111",
    "arrayKey": ["value", "another value"],
    "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
    "SomeObject": None,
    "cluster.name": "c",
}
USERS: dict[str, Any] = {
    "user": {"id": 1, "email": "John.Stiles@example.com"},
    "users": [{"id": 2, "email": "John.Doe@example.com"}, {"id": 3, "email": "Jane.Doe@example.com"}],
    "actions": ["GET", "PUT", "DELETE"],
    "coordinates": [[0, 1, 2], [4, 5, 6], [7, 8, 9]],
}
STILES = '$.user.email = "John.Stiles@example.com"'
NONE = '$.coordinates[0][1] = "nonmatch"'
OURS: dict[str, Any] = {"outcome": "labelled", "duration_ms": 12.5, "retry": True, "again": False, "n": "7", "a-b": -3}
MESSAGES = [f"[ERROR {error}" for error in ("400] BAD REQUEST", "401] UNAUTHORIZED REQUEST", "419] MISSING ARGUMENTS")]


def matches(pattern: str, message: str) -> bool:
    return compile_pattern(pattern).matches(Event.parse(message))


@pytest.mark.parametrize(
    ("fields", "pattern", "expected"),
    [
        (TRAIL, '{ $.eventType = "UpdateTrail" }', True),
        (TRAIL, "{$.eventType=UpdateTrail}", True),
        (TRAIL, '{ $.eventType = "updateTrail" }', False),
        (TRAIL, "{ $.sourceIPAddress != 123.123.* }", True),
        (TRAIL, "{ $.sourceIPAddress != 111.111.* }", False),
        (TRAIL, '{ $.eventType = "*" && $.sourceIPAddress != 123.123.* }', True),
        (TRAIL, '{ $.eventType = "*Trail" }', True),
        (TRAIL, '{ $.arrayKey[0] = "value" }', True),
        (TRAIL, "{ $.arrayKey[2] NOT EXISTS && $.objectList[1].id = 2 }", True),
        (TRAIL, "{ $.['cluster.name'] = \"c\" }", True),
        (TRAIL, "{ $.SomeObject IS NULL }", True),
        (TRAIL, "{ $.SomeOtherObject IS NULL }", False),
        (TRAIL, "{ $.SomeOtherObject NOT EXISTS }", True),
        (TRAIL, "{ $.SomeObject NOT EXISTS }", False),
        (TRAIL, '{ $.arrayKey != "value" }', False),
        (TRAIL, '{ $.SomeOtherObject != "value" }', False),
        (USERS, '{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }', True),
        (USERS, f"{{ {STILES} || {NONE} && {NONE} }}", True),
        (USERS, f"{{ ({STILES} || {NONE}) && {NONE} }}", False),
        (USERS, '{ ($.user.id = 2 && $.users[0].email = "nonmatch") || $.actions[2] = "GET" }', False),
        (OURS, "{ $.duration_ms = * }", True),
        (OURS, "{ $.duration_ms = 1.25e+1 }", True),
        (OURS, "{ $.duration_ms = 12* }", True),
        (OURS, "{ $.duration_ms >= 12.5 && $.duration_ms < 13 }", True),
        (OURS, "{ $.a-b<-2 }", True),
        (OURS, "{ $.n > 1 }", False),
        (OURS, "{ $.n = 7 }", True),
        (OURS, "{ $.retry IS TRUE && $.again IS FALSE }", True),
        (OURS, "{ $.duration_ms IS TRUE || $.retry = true }", False),
        (OURS, '{ $.outcome = "a" || ($.outcome = "label*" && ($.retry IS TRUE)) }', True),
    ],
)
def test_json_patterns(fields: dict[str, Any], pattern: str, expected: bool) -> None:
    assert matches(pattern, json.dumps(fields) + "\n") is expected


@pytest.mark.parametrize("message", ["not JSON", "[1]", '"text"', "7", '{"outcome": ', ""])
def test_json_patterns_match_json_objects_only(message: str) -> None:
    assert not matches("{ $.outcome NOT EXISTS }", message)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("ERROR", [True, True, True]),
        ("ERROR ARGUMENTS", [False, False, True]),
        ("error", [False, False, False]),
        ("?BAD ?ARGUMENTS", [True, False, True]),
        ("?BAD ?ARGUMENTS REQUEST", [True, True, False]),
        ('"UNAUTHORIZED REQUEST"', [False, True, False]),
        ("ERROR -ARGUMENTS", [True, True, False]),
        ('-"401] UN"', [True, False, True]),
        ("", [True, True, True]),
        ('" "', [True, True, True]),
    ],
)
def test_terms(pattern: str, expected: list[bool]) -> None:
    assert [matches(pattern, message) for message in MESSAGES] == expected
    assert matches('" "', "word")


@pytest.mark.parametrize(
    "pattern",
    [
        "%AUTHORIZED%",
        "{ $.eventType = %Trail% }",
        "{ $.* = 1 }",
        "{ $.a[*] = 1 }",
        "[ip, user, ...]",
        "no-quotes",
        '"open',
        '{ $.outcome = "labelled"',
        "{ }",
        "{ $.a }",
        "{ $.a = }",
        "{ a = 1 }",
        "{ $.a == 1 }",
        "{ $.a = 1 $.b = 2 }",
        "{ $.a = 1 & $.b = 2 }",
        "{ $.a = 1 || }",
        "{ ($.a = 1 }",
        "{ $.a = 1) }",
        "{ $.a > high }",
        '{ $.a > "1" }',
        "{ $.a EXISTS }",
        "{ $.a IS NOT NULL }",
        "{ $.a IS 1 }",
        "{ $.a = two words }",
    ],
)
def test_unsupported_patterns_are_refused(pattern: str) -> None:
    with pytest.raises(InvalidPatternError) as raised:
        compile_pattern(pattern)
    assert str(raised.value).startswith(f"Invalid filter pattern {pattern}: ")


def test_nesting_of_parentheses_is_limited() -> None:
    assert matches("{ " + "(" * 50 + "$.a = 1" + ")" * 50 + " }", '{"a": 1}')
    assert matches("{ " + " || ".join(["($.a = 1)"] * 100) + " }", '{"a": 1}')
    for depth in (51, 100_000):
        with pytest.raises(InvalidPatternError, match="nested more than 50 deep"):
            compile_pattern("{ " + "(" * depth + "$.a = 1" + ")" * depth + " }")


@given(st.text(), st.text())
def test_quoted_text_equals_itself_and_nothing_else(text: str, other: str) -> None:
    text = text.replace("*", "")
    quoted = text.replace("\\", r"\\").replace('"', r"\"")
    assert matches(f'{{ $.a = "{quoted}" }}', json.dumps({"a": text}))
    assert matches(f'{{ $.a != "{quoted}" }}', json.dumps({"a": other})) is (other != text)


@given(
    st.sampled_from(["<", "<=", ">", ">=", "=", "!="]),
    st.integers(-5, 5),
    st.integers(-5, 5) | st.sampled_from([-0.5, 1e3]),
)
def test_numbers_compare_as_numbers(symbol: str, number: int, value: float) -> None:
    compare = {
        "<": operator.lt,
        "<=": operator.le,
        ">": operator.gt,
        ">=": operator.ge,
        "=": operator.eq,
        "!=": operator.ne,
    }[symbol]
    assert matches(f"{{ $.a {symbol} {number} }}", json.dumps({"a": value})) is compare(value, number)


truths = st.dictionaries(st.sampled_from("abc"), st.booleans(), min_size=3)
expressions = st.recursive(
    st.sampled_from("abc").map(lambda name: (f"$.{name} IS TRUE", name)),
    lambda inner: st.tuples(inner, st.sampled_from([("&&", "and"), ("||", "or")]), inner, st.booleans()).map(
        lambda parts: (
            f"({parts[0][0]} {parts[1][0]} {parts[2][0]})"
            if parts[3]
            else f"{parts[0][0]} {parts[1][0]} {parts[2][0]}",
            f"({parts[0][1]} {parts[1][1]} {parts[2][1]})"
            if parts[3]
            else f"{parts[0][1]} {parts[1][1]} {parts[2][1]}",
        )
    ),
)


@given(expressions, truths)
def test_and_binds_closer_than_or_as_in_python(expression: tuple[str, str], truth: dict[str, bool]) -> None:
    pattern, python = expression
    assert matches(f"{{ {pattern} }}", json.dumps(truth)) is eval(python, {}, truth)  # noqa: S307 - our own text


@given(st.text(max_size=30))
def test_any_text_is_a_pattern_or_refused(text: str) -> None:
    for pattern in (text, f"{{{text}}}", f"{{ $.a = {text} }}"):
        try:
            matches(pattern, "{}")
        except InvalidPatternError:
            continue
