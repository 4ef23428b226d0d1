"""The grammar of expressions, and the messages for invalid ones."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_labels.search.expression import MAX_LENGTH, MAX_NESTING, ExpressionError, NeedsScan, parse
from image_labels.search.formula import MAX_CONJUNCTIONS
from support.searches import parse_or_error


@pytest.mark.parametrize(
    ("text", "conjunctions"),
    [
        ("dog", '"dog"'),
        ("  DOG\t", '"dog"'),
        ("straße", '"strasse"'),
        ('"Traffic   Light"', '"traffic light"'),
        ("'women\"s'", r'"women\"s"'),
        ('"women\'s clothing"', '"women\'s clothing"'),
        ("traf*", '"traf*"'),
        ('"traffic l*"', '"traffic l*"'),
        ('"traffic *"', '"traffic *"'),
        ("*light", '"*light"'),
        ("*LIGHT*", '"*light*"'),
        ('"* light"', '"* light"'),
        ('"* Traffic  light *"', '"* traffic light *"'),
        ("*og>=95", '"*og" 95000..100000'),
        ("dog and cat", '"cat" AND "dog"'),
        ("dog Or cat", '"cat" OR "dog"'),
        ("a OR b AND NOT c", '"a" OR "b" AND NOT "c"'),
        ("(a OR b) AND NOT c", '"a" AND NOT "c" OR "b" AND NOT "c"'),
        ("NOT (a OR b) AND c", '"c" AND NOT "a" AND NOT "b"'),
        ("NOT (a AND b) AND c", '"c" AND NOT "a" OR "c" AND NOT "b"'),
        ("NOT NOT a", '"a"'),
        ('"and" OR "not"', '"and" OR "not"'),
        ("dog>=95", '"dog" 95000..100000'),
        ("dog > 95", '"dog" 95001..100000'),
        ("dog<=95.5%", '"dog" 0..95500'),
        ("dog<95", '"dog" 0..94999'),
        ("dog<95.0001", '"dog" 0..95000'),
        ("dog>=.5", '"dog" 500..100000'),
        ('"Traffic Light">=90', '"traffic light" 90000..100000'),
        ("dog>=90 AND dog<95", '"dog" 90000..94999'),
        ("do*>=90 AND do*<95", '"do*" 0..94999 AND "do*" 90000..100000'),
        ("dog AND dog", '"dog"'),
        ("dog OR dog AND cat", '"dog"'),
        ("dog AND NOT dog", ""),
        ("dog>=95 AND NOT dog>90", ""),
        ("dog AND NOT do*", ""),
        ("dog AND NOT *o*", ""),
        ("*dog AND NOT *og", ""),
        ("dog* AND NOT *og*", ""),
        ("*dog* AND NOT *og", '"*dog*" AND NOT "*og"'),
        ("*og AND NOT *dog", '"*og" AND NOT "*dog"'),
        ("*o>90 AND *o<99", '"*o" 0..98999 AND "*o" 90001..100000'),
        ("dog>90 AND dog<90", ""),
        ("dog AND NOT dog>=90", '"dog" AND NOT "dog" 90000..100000'),
        ("do* AND NOT dog", '"do*" AND NOT "dog"'),
        ("Hot-dog_1/2", '"hot-dog_1/2"'),
    ],
)
def test_expression_is_parsed_into_conjunctions(text: str, conjunctions: str) -> None:
    assert parse(text).normalised == conjunctions


@pytest.mark.parametrize(
    ("text", "mark", "message"),
    [
        ("", "^", "is empty"),
        ("   ", "^", "is empty"),
        ("dog cat", "    ^", '"dog cat" if that is one label, dog AND cat or dog OR cat if it is two'),
        ("dog NOT cat", "    ^", "AND or OR is missing"),
        ('"dog" cat', "      ^", "AND or OR is missing"),
        ("(dog cat)", "     ^", "dog and cat stand side by side"),
        ("dog AND", "       ^", "ends where a term is expected"),
        ("dog AND OR cat", "        ^", "OR stands where a term, NOT or ( is expected"),
        ("AND", "^", "put it in quotes"),
        ("()", " ^", ") stands where"),
        ("dog AND (cat OR bird", "        ^", "this ( is never closed"),
        ("dog)", "   ^", "has no ( before it"),
        ('dog AND "cat', "        ^", "never closed"),
        ('dog AND ""', "        ^", "nothing between the quotes"),
        ("dog=95", "   ^", "not a comparison"),
        ("dog=>95", "   ^", "not a comparison"),
        (">=95", "^", ">= stands where"),
        ("dog>=", "   ^", "a number from 0 to 100"),
        ("dog>=high", "     ^", "a number from 0 to 100"),
        ("dog>=100.1", "     ^", "a number from 0 to 100"),
        ("dog>=-1", "     ^", "a number from 0 to 100"),
        ("dog>=95>=90", "       ^", "one comparison"),
        ("(dog)>=95", "     ^", "AND or OR is missing"),
        ("d*g", "^", "a * at its beginning and one at its end"),
        ("dog**", "^", "a * at its beginning and one at its end"),
        ("cat OR *", "       ^", "* needs letters"),
        ("cat OR **", "       ^", "* needs letters"),
        ("cat OR '* *'", "       ^", "* needs letters"),
        ("x" * 256, "^", "at most 255 bytes"),
        ("犬 dog", "   ^", "side by side"),  # two columns wide on a terminal
        ("dog\ncat", "    ^", "side by side"),
    ],
)
def test_error_marks_the_mistake(text: str, mark: str, message: str) -> None:
    with pytest.raises(ExpressionError) as info:
        parse(text)
    assert message in info.value.message
    assert str(info.value) == f"{info.value.message}\n{text}\n{mark}".replace("dog\ncat", "dog cat")
    assert 0 <= info.value.position <= len(text)


def test_mark_is_in_the_right_column_after_escapes() -> None:
    with pytest.raises(ExpressionError) as info:
        parse("a\x1bb\u202e cat")
    assert str(info.value).splitlines()[1:] == [r"a\x1bb\u202e cat", " " * 13 + "^"]


def test_invalid_unicode_is_refused_with_a_printable_message() -> None:
    with pytest.raises(ExpressionError) as info:
        parse("dog OR \udcff")
    assert str(info.value).encode()


def test_expression_that_is_too_long_is_refused() -> None:
    assert parse("x OR " * 199 + "12345").normalised
    with pytest.raises(ExpressionError, match=r"1,001 characters; at most 1,000 are allowed"):
        parse("x" * (MAX_LENGTH + 1))


def test_expression_that_is_nested_too_deeply_is_refused() -> None:
    assert parse("(" * MAX_NESTING + "dog" + ")" * MAX_NESTING)
    assert parse("NOT " * MAX_NESTING + "dog")
    for text in ("(" * 21 + "dog" + ")" * 21, "NOT " * 21 + "dog"):
        with pytest.raises(ExpressionError, match="nested more than 20 deep") as info:
            parse(text)
        assert info.value.position == MAX_NESTING * (1 if text[0] == "(" else len("NOT "))


def test_expression_with_too_many_conjunctions_is_refused() -> None:
    assert len(parse(" OR ".join(f"t{n}" for n in range(50))).conjunctions) == MAX_CONJUNCTIONS
    for text in (
        " OR ".join(f"t{n}" for n in range(51)),
        " AND ".join(f"(a{n} OR b{n})" for n in range(6)),
        " AND ".join(f"(a{n} OR b{n})" for n in range(30)),  # 2 to the power of 30: refused early
        "NOT (" + " OR ".join(f"(a{n} AND b{n})" for n in range(30)) + ")",
    ):
        with pytest.raises(ExpressionError, match="more than 50 alternatives"):
            parse(text)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("NOT dog", "^"),
        ("NOT dog AND NOT cat", "^"),
        ("NOT (dog OR cat)", "^"),
        ("dog OR NOT cat", "       ^"),
        ("dog AND (cat OR NOT bird) OR NOT (fish AND cow)", "                             ^"),
    ],
)
def test_not_alone_needs_a_scan(text: str, place: str) -> None:
    expression = parse(text)
    with pytest.raises(NeedsScan) as info:
        expression.refuse_not_alone()
    assert "--scan" in info.value.message
    assert "indexed by the labels that they have" in info.value.message
    assert str(info.value).endswith(f"\n{text}\n{place}")


def test_not_with_a_term_in_each_branch_needs_no_scan() -> None:
    parse("dog AND NOT cat OR bird AND NOT (cow OR fish)").refuse_not_alone()
    parse("NOT (NOT dog OR cat)").refuse_not_alone()


def test_positive_terms_are_in_the_order_of_the_text() -> None:
    assert [atom.text for atom in parse("zebra AND NOT cat OR dog AND ant AND NOT bee").positive()] == [
        "zebra",
        "dog",
        "ant",
    ]


@given(st.text(alphabet="ab*()\"'<>=9. ANDORT", max_size=40))
def test_any_text_is_parsed_or_refused_with_a_position(text: str) -> None:
    outcome = parse_or_error(text)
    if isinstance(outcome, ExpressionError):
        assert 0 <= outcome.position <= len(text)
        assert re.search(r"\n *\^$", str(outcome))
    else:
        assert parse(outcome.text) == outcome
