"""Random photos and expressions, strict and as people type them: a search finds exactly the photos that match, on pages
of any size.
"""

from __future__ import annotations

import os
from itertools import count, pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from image_labels.model import Label
from image_labels.search.driver import Limits
from image_labels.search.expression import NeedsScan, parse
from image_labels.search.finder import MAX_PAGE, Finder
from image_labels.search.hints import quoted
from image_labels.tables.terms import rank, terms_of, thousandths
from support.searches import keys, pages
from support.seed import Photos, write_photos

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DEFAULT_COLLECTIONS = 30
COLLECTIONS = int(os.environ.get("COLLECTIONS", DEFAULT_COLLECTIONS))
# Small requests, so that a search of a few photos takes several of them.
SMALL_REQUESTS = Limits(min_rows=2, max_first_rows=3, winning_photos=4)

NAMES = ("A", "Ab", "Abc", "B", "C", "A B", "B C A")
confidences = st.sampled_from((100.0, 97.5, 97.499, 90.0, 60.123, 0.0))
some_labels = st.lists(
    st.builds(
        Label,
        st.sampled_from(NAMES),
        confidences,
        st.lists(st.sampled_from(NAMES), max_size=1).map(tuple),
        st.lists(st.sampled_from(NAMES), max_size=1).map(tuple),
    ),
    max_size=4,
).map(tuple)
some_photos = st.dictionaries(
    st.builds(
        lambda folder, n, tail: f"{folder}/{n}{tail}",
        st.sampled_from("xy"),
        st.integers(0, 30),
        st.sampled_from(["", "#ü" * 400]),
    ),
    some_labels,
    min_size=3,
    max_size=25,
)
bounds = st.sampled_from(["", "", "", ">=97.5", ">97.499", "<97.5", "<=60.123", ">100", ">=0"])
plain_terms = st.builds(lambda name, bound: quoted(name) + bound, st.sampled_from([*NAMES, "D"]), bounds)
patterns = st.builds(
    lambda name, bound: f"{name}{bound}",
    st.sampled_from(["a*", "ab*", "c*", "d*", "*b", "*bc", "*d", "*b*", "*bc*", "*d*", '"* b"', '"*b *"']),
    bounds,
)
some_expressions = st.recursive(
    st.one_of(plain_terms, plain_terms, patterns),
    lambda parts: st.one_of(
        st.builds("({} AND {})".format, parts, parts),
        st.builds("({} AND NOT {})".format, parts, parts),
        st.builds("({} OR {})".format, parts, parts),
        st.builds("NOT {}".format, parts),
    ),
    max_leaves=5,
)
# Alternatives, each of terms side by side: words, which may be a label together, quoted labels and patterns.
some_typed = st.lists(
    st.lists(
        st.sampled_from(["a", "b", "c", "d", "as", "bs", '"a b"', '"b c as"', "*b", "a*"]), min_size=1, max_size=4
    ),
    min_size=1,
    max_size=2,
)
numbers = count(1)


def finder_of(dynamodb: DynamoDBClient, photos: Photos, terms_in_row: int | None) -> Finder:
    """A search in new tables with these photos."""
    number = next(numbers)
    images_table, labels_table = f"images-{number}", f"labels-{number}"
    for table, names in ((images_table, ["PK"]), (labels_table, ["Term", "Rank"])):
        dynamodb.create_table(
            TableName=table,
            KeySchema=[
                {"AttributeName": name, "KeyType": kind}  # type: ignore[typeddict-item]
                for name, kind in zip(names, ("HASH", "RANGE"), strict=False)
            ],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
            BillingMode="PAY_PER_REQUEST",
        )
    write_photos(dynamodb, photos, images_table=images_table, labels_table=labels_table, terms_in_row=terms_in_row)
    return Finder(dynamodb, labels_table=labels_table, images_table=images_table, limits=SMALL_REQUESTS)


@pytest.mark.parametrize("terms_in_row", [None, 3])
def test_any_expression_finds_exactly_the_photos_that_match(dynamodb: DynamoDBClient, terms_in_row: int | None) -> None:
    @settings(
        max_examples=COLLECTIONS,
        deadline=None,
        database=None,
        derandomize=COLLECTIONS == DEFAULT_COLLECTIONS,  # the same examples in each `make test`, others in `make prove`
        suppress_health_check=list(HealthCheck),
    )
    @given(
        some_photos,
        st.lists(some_expressions, min_size=2, max_size=2),
        some_typed,
        st.integers(1, 7),
        st.sampled_from(["", "x/"]),
    )
    def check(photos: Photos, expressions: list[str], typed: list[list[str]], limit: int, key_prefix: str) -> None:
        finder = finder_of(dynamodb, photos, terms_in_row)
        vocabulary = {term.text for term in finder.vocabulary()}
        as_typed = " OR ".join(map(" ".join, typed))
        as_strict = " OR ".join(" AND ".join(strictly(words, vocabulary)) for words in typed)
        resolved = finder.resolve(as_typed).expression
        assert parse(resolved).normalised == parse(as_strict).normalised, as_typed
        for expression in (*expressions, resolved):
            assert_finds_matching_photos(finder, photos, expression, limit, key_prefix)

    check()


def strictly(words: list[str], vocabulary: set[str]) -> list[str]:
    """The terms that these words stand for. The longest name first, of equals the first, also in the other number."""
    for length in range(len(words), 0, -1):
        for start in range(len(words) - length + 1):
            part = words[start : start + length]
            if length > 1 and any('"' in word or "*" in word for word in part):
                continue
            text = " ".join(part).strip('"')
            names = [each for each in (text, text.removesuffix("s"), f"{text}s") if each in vocabulary]
            if names and "*" not in text:
                return [
                    *(strictly(words[:start], vocabulary) if start else []),
                    quoted(names[0]),
                    *(strictly(words[start + length :], vocabulary) if start + length < len(words) else []),
                ]
    return words


def assert_finds_matching_photos(finder: Finder, photos: Photos, expression: str, limit: int, key_prefix: str) -> None:
    """Compares a scan, a search with one large page and a search with small pages with the photos themselves."""
    terms = {
        key: {term.text: thousandths(term.confidence) for term in terms_of(found)} for key, found in photos.items()
    }
    matching = {key for key in photos if key.startswith(key_prefix) and parse(expression).matches(terms[key])}
    assert set(keys(finder.scan(expression, key_prefix=key_prefix).photos)) == matching
    try:
        one_page = finder.find(expression, key_prefix=key_prefix, limit=MAX_PAGE).photos
    except NeedsScan:
        assert parse(expression).matches({}) or any(not each.positive for each in parse(expression).conjunctions)
        return
    assert len(one_page) == len(matching)
    assert set(keys(one_page)) == matching
    for photo in one_page:
        assert {term: thousandths(confidence) for term, confidence in photo.terms.items()} == terms[photo.key]
        assert photo.confidence in photo.terms.values()
    order = [rank(photo.confidence, photo.key) for photo in one_page]
    assert all(one < other for one, other in pairwise(order))

    small_pages = list(pages(finder, expression, limit, key_prefix))
    assert [photo for page in small_pages for photo in page.photos] == list(one_page)
    assert all(len(page.photos) == limit for page in small_pages[:-1])
