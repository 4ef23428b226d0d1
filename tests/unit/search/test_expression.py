"""What may be asked, what it means, and what is said of what may not."""
# ruff: noqa: RUF001 - other quotes and dashes than the straight ones are what some tests are about

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_labels.search.expression import MAX_LENGTH, MAX_NESTING, Expression, ExpressionError, NeedsScan, parse
from image_labels.search.formula import MAX_CONJUNCTIONS, And, Atom, Node, Not, Or


@pytest.mark.parametrize(
    ("text", "means"),
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
        ("dog>90 AND dog<90", ""),
        ("dog AND NOT dog>=90", '"dog" AND NOT "dog" 90000..100000'),
        ("do* AND NOT dog", '"do*" AND NOT "dog"'),
        ("Hot-dog_1/2", '"hot-dog_1/2"'),
    ],
)
def test_expression_means_its_conjunctions(text: str, means: str) -> None:
    assert parse(text).normalised == means


@pytest.mark.parametrize(
    ("text", "place", "said"),
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
        ("d*g", "^", "one *, at its end"),
        ("dog**", "^", "one *, at its end"),
        ("cat OR *", "       ^", "needs a beginning"),
        ("x" * 256, "^", "at most 255 bytes"),
        ("犬 dog", "   ^", "side by side"),  # a terminal shows it two columns wide
        ("dog\ncat", "    ^", "side by side"),
    ],
)
def test_error_points_at_the_place(text: str, place: str, said: str) -> None:
    with pytest.raises(ExpressionError) as info:
        parse(text)
    assert said in info.value.message
    assert str(info.value) == f"{info.value.message}\n{text}\n{place}".replace("dog\ncat", "dog cat")
    assert 0 <= info.value.position <= len(text)


OTHER_NOTATIONS = [
    # what is written, where the mark is, what the message says, and what is suggested
    ("“traffic light”", 0, "“ is a typographic quote", ['"traffic light"']),
    ("dog AND „traffic light“", 8, "„ is a typographic quote", ['dog AND "traffic light"']),
    ("«traffic light» OR ‘hot dog’", 0, "« is a typographic quote", ['"traffic light" OR "hot dog"']),
    ("‘traffic light’", 0, "‘ is a typographic quote", ['"traffic light"']),
    ("”traffic light”", 0, "” is a typographic quote", ['"traffic light"']),
    ("“women’s clothing”", 0, "typographic", ['"women’s clothing"']),
    ("“dog” AND “cat”", 0, "typographic", ["dog AND cat"]),
    ("“traffic light", 0, "typographic", ['"traffic light"']),
    ("“traf*”", 0, "typographic", ["traf*"]),
    (r"\"traffic light\" AND dog", 0, "no \\ before it", ['"traffic light" AND dog']),
    ("dog && cat", 4, "to require both labels, use AND", ["dog AND cat"]),
    ("dog&&cat", 0, "&& is not an operator", ["dog AND cat"]),
    ("dog & cat", 4, "& is not an operator", ["dog AND cat"]),
    ("dog || cat", 4, "to accept either label, use OR", ["dog OR cat"]),
    ("(dog|cat) && !bird", 1, "| is not an operator", ["(dog OR cat) AND NOT bird"]),
    ("!dog", 0, "! is not an operator", ["NOT dog"]),
    ("dog AND !(cat OR bird)", 8, "! is not an operator", ["dog AND NOT (cat OR bird)"]),
    ("-dog", 0, "- is not an operator", ["NOT dog"]),
    ("beach -dog", 6, "put NOT before it", ["beach AND NOT dog"]),
    ('beach -"traffic light"', 6, "put NOT before it", ['beach AND NOT "traffic light"']),
    ("beach –dog", 6, "put NOT before it", ["beach AND NOT dog"]),
    ("+dog", 0, "to require all labels", ["dog"]),
    ("+dog +beach -cat", 0, "to require all labels", ["dog AND beach AND NOT cat"]),
    ("dog, cat", 0, "AND requires both, OR accepts either", ["dog AND cat", "dog OR cat"]),
    ("dog,cat;bird", 0, "does not separate", ["dog AND cat AND bird", "dog OR cat OR bird"]),
    ("dog, AND cat", 0, "does not separate", ["dog AND cat"]),
    ("dog,", 0, "does not separate", ["dog"]),
    ("dog = 95", 4, "= is not a comparison", ["dog>=95"]),
    ("dog==95%", 3, "== is not a comparison", ["dog>=95%"]),
    ("dog=>95", 3, "=> is not a comparison", ["dog>=95"]),
    ("dog=<95", 3, "=< is not a comparison", ["dog<=95"]),
    ("dog!=95", 0, "NOT excludes", ["(dog<95 OR dog>95)"]),
    ("dog:95", 0, ": is not a comparison", ["dog>=95"]),
    ("dog: 95 AND cat", 0, ": is not a comparison", ["dog>=95 AND cat"]),
    ("dog:>95", 0, ": is not a comparison", ["dog>95"]),
    ("dog≥95", 0, "≥ is not a comparison", ["dog>=95"]),
    ("label:dog", 0, "is not needed", ["dog"]),
    ('label="traffic light"', 5, "= is not a comparison", ['"traffic light"']),
    (
        "“traffic light” && -dog, cat",
        0,
        "typographic",
        ['"traffic light" AND NOT dog AND cat', '"traffic light" AND NOT dog OR cat'],
    ),
    ("traffic light", 8, "stand side by side", ['"traffic light"', "traffic AND light", "traffic OR light"]),
]


@pytest.mark.parametrize(("text", "place", "said", "suggested"), OTHER_NOTATIONS)
def test_other_notations_are_told_apart_and_corrected(text: str, place: int, said: str, suggested: list[str]) -> None:
    with pytest.raises(ExpressionError) as info:
        parse(text)
    assert said in info.value.message
    assert info.value.position == place
    assert list(info.value.suggestions) == suggested
    for each in suggested:
        parse(each)
        assert each in info.value.message or len(suggested) == 3


@pytest.mark.parametrize("text", ["&&", "-", "dog | | cat", "dog=cat", "dog AND “"])
def test_what_cannot_be_corrected_has_no_suggestion(text: str) -> None:
    with pytest.raises(ExpressionError) as info:
        parse(text)
    assert info.value.suggestions == ()


@pytest.mark.parametrize(
    "text",
    [
        "hot-dog",
        "women’s",
        "a:b",
        "dog and not cat",
        "dog AnD CaT",
        '"dog, cat"',
        '"-dog" OR "a && b"',
        "'“dog”'",
        "1/2",
    ],
)
def test_what_only_looks_like_another_notation_is_a_term(text: str) -> None:
    assert parse(text)


@given(st.text(alphabet="ab “”‘’«»„&|!-+,;:=<>≥95%()\"'\\*\x1b\u202e ANDORT", max_size=25))
def test_every_suggestion_can_be_parsed(text: str) -> None:
    outcome = parsed(text)
    if isinstance(outcome, ExpressionError):
        for each in outcome.suggestions:
            assert parse(each)
        assert re.search(r"\n *\^$", str(outcome))


def test_mark_is_below_its_place_behind_what_is_written_as_an_escape() -> None:
    with pytest.raises(ExpressionError) as info:
        parse("a\x1bb\u202e cat")
    assert str(info.value).splitlines()[1:] == [r"a\x1bb\u202e cat", " " * 13 + "^"]


def test_text_that_is_no_unicode_is_refused_and_can_be_shown() -> None:
    with pytest.raises(ExpressionError) as info:
        parse("dog OR \udcff")
    assert str(info.value).encode()


def test_what_is_too_long_is_refused() -> None:
    assert parse("x OR " * 199 + "12345").normalised
    with pytest.raises(ExpressionError, match=r"1,001 characters; at most 1,000 are allowed"):
        parse("x" * (MAX_LENGTH + 1))


def test_what_is_too_deep_is_refused() -> None:
    assert parse("(" * MAX_NESTING + "dog" + ")" * MAX_NESTING)
    assert parse("NOT " * MAX_NESTING + "dog")
    for text in ("(" * 21 + "dog" + ")" * 21, "NOT " * 21 + "dog"):
        with pytest.raises(ExpressionError, match="nested more than 20 deep") as info:
            parse(text)
        assert info.value.position == MAX_NESTING * (1 if text[0] == "(" else len("NOT "))


def test_what_has_too_many_alternatives_is_refused() -> None:
    assert len(parse(" OR ".join(f"t{n}" for n in range(50))).conjunctions) == MAX_CONJUNCTIONS
    for text in (
        " OR ".join(f"t{n}" for n in range(51)),
        " AND ".join(f"(a{n} OR b{n})" for n in range(6)),
        " AND ".join(f"(a{n} OR b{n})" for n in range(30)),  # 2 to the power of 30: refused before it is multiplied out
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


def test_not_beside_a_term_in_each_branch_needs_none() -> None:
    parse("dog AND NOT cat OR bird AND NOT (cow OR fish)").refuse_not_alone()
    parse("NOT (NOT dog OR cat)").refuse_not_alone()


def test_positive_terms_are_in_the_order_in_which_they_were_written() -> None:
    assert [atom.text for atom in parse("zebra AND NOT cat OR dog AND ant AND NOT bee").positive()] == [
        "zebra",
        "dog",
        "ant",
    ]


# -- the normal form means what the tree means

NAMES = ("a", "ab", "abc", "b")
atoms = st.builds(
    Atom,
    st.sampled_from(NAMES),
    st.booleans(),
    st.sampled_from([0, 0, 40_000, 60_000]),
    st.sampled_from([100_000, 100_000, 70_000, 50_000]),
)
trees: st.SearchStrategy[Node] = st.recursive(
    atoms,
    lambda parts: st.one_of(
        st.builds(Not, parts),
        st.builds(And, st.tuples(parts, parts)),
        st.builds(Or, st.tuples(parts, parts)),
    ),
    max_leaves=6,
)
photos = st.dictionaries(st.sampled_from(NAMES), st.sampled_from([30_000, 40_000, 55_000, 65_000, 100_000]))


def written(node: Node) -> str:
    match node:
        case Atom():
            name = node.text + "*" * node.prefix
            # Two bounds on one term are two terms; only for a prefix is that not the same.
            low = f"{name}>={node.low / 1000}" if node.low else ""
            high = f"{name}<={node.high / 1000}" if node.high < 100_000 else ""
            return f"({low} AND {high})" if low and high else low or high or name
        case Not():
            return f"NOT {written(node.part)}" if isinstance(node.part, Atom) else f"NOT ({written(node.part)})"
        case And():
            return " AND ".join(f"({written(part)})" for part in node.parts)
        case Or():
            return " OR ".join(f"({written(part)})" for part in node.parts)


def holds(node: Node, photo: dict[str, int]) -> bool:
    """The tree as it stands, without any normal form."""
    match node:
        case Atom():
            has = {
                confidence
                for term, confidence in photo.items()
                if (term.startswith(node.text) if node.prefix else term == node.text)
            }
            if node.prefix:
                return (
                    any(node.low <= confidence for confidence in has)
                    and any(confidence <= node.high for confidence in has)
                    and bool(has)
                )
            return any(node.low <= confidence <= node.high for confidence in has)
        case Not():
            return not holds(node.part, photo)
        case And():
            return all(holds(part, photo) for part in node.parts)
        case Or():
            return any(holds(part, photo) for part in node.parts)


@given(trees, photos)
def test_conjunctions_mean_what_was_written(tree: Node, photo: dict[str, int]) -> None:
    text = written(tree)
    outcome = parsed(text)
    if isinstance(outcome, ExpressionError):
        assert re.search("alternatives|nested", outcome.message), text
    else:
        assert outcome.matches(photo) == holds(tree, photo), text


@given(st.text(alphabet="ab*()\"'<>=9. ANDORT", max_size=40))
def test_any_text_is_understood_or_refused_with_a_place(text: str) -> None:
    outcome = parsed(text)
    if isinstance(outcome, ExpressionError):
        assert 0 <= outcome.position <= len(text)
        assert re.search(r"\n *\^$", str(outcome))
    else:
        assert parse(outcome.text) == outcome


def parsed(text: str) -> Expression | ExpressionError:
    try:
        return parse(text)
    except ExpressionError as error:
        return error
