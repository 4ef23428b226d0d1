"""Photos by their labels, in moto: what is found, in which order and pages, and how many rows are read for it."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from image_labels.model import Label
from image_labels.search import driver as streams
from image_labels.search.expression import ExpressionError, NeedsScan, parse
from image_labels.search.finder import MAX_PAGE, Finder, Found, Page, TokenError
from image_labels.search.vocabulary import distance, near
from image_labels.tables import items as attributes
from image_labels.tables.items import detections, rows_of
from image_labels.tables.terms import rank, terms_of, thousandths
from support.fakes import LABELS_TABLE, TABLE

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Photos = Mapping[str, tuple[Label, ...]]


class Recorded:
    """A DynamoDB client that notes its calls, and how many rows each read and gave."""

    def __init__(self, client: DynamoDBClient) -> None:
        self.calls: list[tuple[str, dict[str, Any], int, int]] = []
        self._client = client

    def __getattr__(self, name: str) -> Any:
        def call(**request: Any) -> Any:
            answer = getattr(self._client, name)(**request)
            self.calls.append((name, request, answer.get("ScannedCount", 0), answer.get("Count", 0)))
            return answer

        return call

    def read(self, term: str | None = None) -> int:
        """How many rows of this term were read, or of all."""
        values = [(request.get("ExpressionAttributeValues", {}), read) for name, request, read, _ in self.queries()]
        return sum(read for value, read in values if term is None or value[":term"] == {"S": term})

    def queries(self) -> list[tuple[str, dict[str, Any], int, int]]:
        return [call for call in self.calls if call[0] == "query" and ":term" in call[1]["ExpressionAttributeValues"]]


@pytest.fixture
def client(dynamodb: DynamoDBClient) -> Recorded:
    return Recorded(dynamodb)


@pytest.fixture
def finder(client: Recorded) -> Finder:
    return Finder(client, labels_table=LABELS_TABLE, images_table=TABLE)  # type: ignore[arg-type]


def store(dynamodb: DynamoDBClient, photos: Photos, *, images: str = TABLE, labels: str = LABELS_TABLE) -> None:
    """What the function would have written."""
    items: list[tuple[str, dict[str, Any]]] = []
    vocabulary: dict[str, dict[str, Any]] = {}
    for key, found in photos.items():
        names = {"Labels": {"SS": sorted({label.name for label in found})}} if found else {}
        item = {"PK": {"S": key}, "Status": {"S": "LABELLED"}, **names, **detections(found, room=300_000)}
        items.append((images, item))
        terms = terms_of(found)
        items += ((labels, row) for row in rows_of(key, terms).values())
        vocabulary |= {
            term.text: {
                "Term": {"S": "*"},
                "Rank": {"S": term.text},
                "Name": {"S": term.name},
                "Kind": {"S": term.kind.value},
            }
            for term in terms
        }
    items += ((labels, row) for row in vocabulary.values())
    for start in range(0, len(items), 25):
        requests: dict[str, list[Any]] = {}
        for table, item in items[start : start + 25]:
            requests.setdefault(table, []).append({"PutRequest": {"Item": item}})
        dynamodb.batch_write_item(RequestItems=requests)


def labels(**confidences: float) -> tuple[Label, ...]:
    """dog=95 is the label Dog; traffic_light=91 is Traffic Light."""
    return tuple(Label(name.replace("_", " ").title(), confidence) for name, confidence in confidences.items())


def keys(photos: Iterable[Found]) -> list[str]:
    return [photo.key for photo in photos]


def pages(finder: Finder, expression: str, limit: int, key_prefix: str = "") -> Iterator[Page]:
    page = finder.find(expression, key_prefix=key_prefix, limit=limit)
    yield page
    while page.next_token:
        page = finder.find(expression, key_prefix=key_prefix, limit=limit, token=page.next_token)
        yield page


ZOO: Photos = {
    "a/dog.jpg": (Label("Dog", 99.5, ("Animal",), ("Hound",), ("Animals and Pets",)), Label("Pet", 80)),
    "a/dog and cat.jpg": labels(dog=91.25, cat=97.5),
    "b/cat.jpg": labels(cat=99.9, sofa=85),
    "b/street.jpg": labels(traffic_light=98, car=99, dog=82),
    "b/road.jpg": labels(traffic_sign=93, car=95.5),
    "c/nothing.jpg": (),
}


@pytest.fixture
def zoo(dynamodb: DynamoDBClient) -> None:
    store(dynamodb, ZOO)
    rejected: Any = {"PK": {"S": "c/broken.jpg"}, "Status": {"S": "REJECTED"}, "Reason": {"S": "it is no JPEG"}}
    dynamodb.put_item(TableName=TABLE, Item=rejected)


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("dog", ["a/dog.jpg", "a/dog and cat.jpg", "b/street.jpg"]),
        ("DOG", ["a/dog.jpg", "a/dog and cat.jpg", "b/street.jpg"]),
        ("hound", ["a/dog.jpg"]),
        ('animal AND "animals and pets"', ["a/dog.jpg"]),
        ('"traffic light"', ["b/street.jpg"]),
        ("traf*", ["b/street.jpg", "b/road.jpg"]),
        ('"traffic *"', ["b/street.jpg", "b/road.jpg"]),
        ("car AND traf*>=95", ["b/street.jpg"]),
        ("dog>=91.25", ["a/dog.jpg", "a/dog and cat.jpg"]),
        ("dog>91.25", ["a/dog.jpg"]),
        ("dog<91.25", ["b/street.jpg"]),
        ("dog<=91.25", ["a/dog and cat.jpg", "b/street.jpg"]),
        ("dog>=90 AND dog<99", ["a/dog and cat.jpg"]),
        ("dog AND cat", ["a/dog and cat.jpg"]),
        ("dog AND cat>98", []),
        ("dog AND NOT cat", ["a/dog.jpg", "b/street.jpg"]),
        ("dog AND NOT cat>=98", ["a/dog.jpg", "a/dog and cat.jpg", "b/street.jpg"]),
        ("dog AND NOT cat<98", ["a/dog.jpg", "b/street.jpg"]),
        ("dog AND NOT traf*", ["a/dog.jpg", "a/dog and cat.jpg"]),
        ("dog AND NOT xyz*", ["a/dog.jpg", "a/dog and cat.jpg", "b/street.jpg"]),
        ("dog AND NOT (cat OR car)", ["a/dog.jpg"]),
        ("dog OR cat", ["b/cat.jpg", "a/dog.jpg", "a/dog and cat.jpg", "b/street.jpg"]),
        ("cat OR car AND NOT dog", ["b/cat.jpg", "a/dog and cat.jpg", "b/road.jpg"]),
        ("(dog OR cat) AND (car OR sofa)", ["b/street.jpg", "b/cat.jpg"]),
        ("dog AND NOT dog", []),
        ("unicorn", []),
        ("uni*", []),
        ("dog OR uni*", ["a/dog.jpg", "a/dog and cat.jpg", "b/street.jpg"]),
    ],
)
def test_found_is_what_the_expression_means(zoo: None, finder: Finder, expression: str, found: list[str]) -> None:
    page = finder.find(expression)
    assert sorted(keys(page.photos)) == sorted(found)
    if " AND " not in expression:
        assert keys(page.photos) == found  # else the order is the rarer term's
    assert page.next_token is None
    assert sorted(keys(finder.scan(expression).photos)) == sorted(found)


def test_found_has_the_confidence_it_is_sorted_by_and_all_terms(zoo: None, finder: Finder) -> None:
    page = finder.find("hound")
    assert page.photos == (
        Found("a/dog.jpg", 99.5, {"animal": 99.5, "animals and pets": 99.5, "dog": 99.5, "hound": 99.5, "pet": 80.0}),
    )
    assert page.requests == 1


def test_photo_of_several_alternatives_is_given_at_its_best(zoo: None, finder: Finder) -> None:
    assert [(photo.key, photo.confidence) for photo in finder.find("dog OR cat OR car").photos] == [
        ("b/cat.jpg", 99.9),
        ("a/dog.jpg", 99.5),
        ("b/street.jpg", 99.0),
        ("a/dog and cat.jpg", 97.5),
        ("b/road.jpg", 95.5),
    ]


def test_key_prefix(zoo: None, finder: Finder) -> None:
    assert keys(finder.find("dog", key_prefix="a/").photos) == ["a/dog.jpg", "a/dog and cat.jpg"]
    assert keys(finder.find("dog OR cat", key_prefix="b/").photos) == ["b/cat.jpg", "b/street.jpg"]
    assert keys(finder.find("dog", key_prefix="a/dog.").photos) == ["a/dog.jpg"]
    assert keys(finder.scan("NOT dog", key_prefix="b/").photos) == ["b/cat.jpg", "b/road.jpg"]
    assert finder.find("dog", key_prefix="A/").photos == ()  # keys are as they are in S3


# -- pages and tokens


def test_pages_are_one_after_the_other(dynamodb: DynamoDBClient, finder: Finder) -> None:
    store(dynamodb, {f"{n:02}.jpg": labels(dog=99 - n / 10) for n in range(25)})
    expected = [f"{n:02}.jpg" for n in range(25)]
    for limit in (1, 10, 24, 25, 26):
        assert [key for page in pages(finder, "dog", limit) for key in keys(page.photos)] == expected
    page = finder.find("dog", limit=25)
    assert (len(page.photos), page.next_token, page.requests) == (25, None, 1)


def test_page_that_ends_with_the_last_photo_of_several_alternatives_has_no_token(zoo: None, finder: Finder) -> None:
    assert [len(page.photos) for page in pages(finder, "dog OR cat", 4)] == [4]


def test_token_is_resumed_where_photos_came_and_went(dynamodb: DynamoDBClient, finder: Finder) -> None:
    store(dynamodb, {f"{n}.jpg": labels(dog=99 - n) for n in range(6)})
    first = finder.find("dog", limit=3)
    store(dynamodb, {"between.jpg": labels(dog=95.5), "before.jpg": labels(dog=99.9)})
    key: Any = {"Term": {"S": "dog"}, "Rank": {"S": rank(97, "2.jpg")}}
    dynamodb.delete_item(TableName=LABELS_TABLE, Key=key)  # the last of the page before
    assert keys(finder.find("dog", token=first.next_token).photos) == ["3.jpg", "between.jpg", "4.jpg", "5.jpg"]


def test_token_can_be_part_of_a_url(dynamodb: DynamoDBClient, finder: Finder) -> None:
    store(dynamodb, {f"ü?&/ {n} {'x' * 900}.jpg": labels(dog=99 - n) for n in range(3)})
    token = finder.find("dog", limit=2).next_token
    assert token is not None
    assert token.replace("-", "").replace("_", "").isalnum()
    assert len(finder.find("dog", limit=2, token=token).photos) == 1


def test_token_is_of_the_same_question(zoo: None, finder: Finder) -> None:
    token = finder.find("dog OR cat", limit=1).next_token
    assert finder.find(' CAT or "dog" ', token=token).photos  # the same, written otherwise
    for expression, prefix in (("dog", ""), ("dog OR cat", "a/"), ("dog OR cat>=90", "")):
        with pytest.raises(TokenError, match="of another expression or key prefix"):
            finder.find(expression, key_prefix=prefix, token=token)


def test_garbled_token_is_refused(zoo: None, finder: Finder, client: Recorded) -> None:
    token = finder.find("dog OR cat", limit=1).next_token
    assert token is not None
    fingerprint, drivers, place = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    client.calls.clear()

    def made(*content: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()

    for garbled in (
        "x",
        token[:-3],
        token + "!",
        "näh",
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
        made(),
        made(fingerprint),
        made(fingerprint, [0], place),
        made(fingerprint, [0, 1], place),
        made(fingerprint, [0, -1], place),
        made(fingerprint, [0, "0"], place),
        made(fingerprint, [0, True], place),
        made(fingerprint, 7, place),
        made(fingerprint, drivers, "dog"),
        made(fingerprint, drivers, 7),
        made(fingerprint, drivers, "000000#" + "x" * 1024),
        made(fingerprint, drivers, "000000#\ud800"),
    ):
        with pytest.raises(TokenError, match="garbled"):
            finder.find("dog OR cat", token=garbled)
    assert client.calls == []


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_limit_is_1_to_1000(finder: Finder, limit: int) -> None:
    with pytest.raises(ValueError, match=f"limit is {limit}; a page has 1 to 1,000 photos"):
        finder.find("dog", limit=limit)


# -- what cannot be asked


def test_not_alone_is_refused_before_anything_is_read(finder: Finder, client: Recorded) -> None:
    with pytest.raises(NeedsScan, match="--scan"):
        finder.find("dog OR NOT cat")
    assert client.calls == []


def test_prefix_of_too_many_labels_is_refused(dynamodb: DynamoDBClient, finder: Finder) -> None:
    store(dynamodb, {"a.jpg": tuple(Label(f"Traffic {n}", 90) for n in range(51))})
    for expression in ("traf*", "dog AND traf*", "dog AND NOT traf*"):
        with pytest.raises(ExpressionError, match=r"traf\* matches 51 labels, at most 50 can be looked for") as info:
            finder.find(expression)
        assert expression[info.value.position :] in ("traf*", "NOT traf*")
    assert keys(finder.find('"traffic 1*"').photos) == ["a.jpg"]
    assert keys(finder.scan("NOT traf* OR traf*").photos) == ["a.jpg"]


def test_terms_are_never_part_of_what_dynamodb_parses(dynamodb: DynamoDBClient, finder: Finder) -> None:
    odd = ["a.b", "#0", ":0", "a[0]", "size(x)", "x=:y", "terms", "and", "ünï🧀", "it's"]
    store(dynamodb, {"odd.jpg": tuple(Label(name, 90) for name in odd), "dog.jpg": labels(dog=90)})
    for name in odd:
        assert keys(finder.find(f'"{name}" AND NOT dog AND "{odd[0]}">=90').photos) == ["odd.jpg"]
        assert finder.find(f'dog AND NOT "{name}"').photos


def test_many_terms_at_once(dynamodb: DynamoDBClient, finder: Finder, client: Recorded) -> None:
    """More than DynamoDB lets a filter say: the rest is decided here."""
    store(dynamodb, {f"{n}.jpg": (*labels(dog=90), Label(f"T{n}", 90)) for n in range(50)})
    nots = " AND ".join(f"NOT t{n}>=80 AND NOT t{n}<70" for n in range(30))
    assert sorted(keys(finder.find(f"dog AND {nots}", limit=MAX_PAGE).photos)) == sorted(
        f"{n}.jpg" for n in range(30, 50)
    )
    for _, request, _, _ in client.queries():
        assert len(request["FilterExpression"].encode()) <= 4096
        used = [*request["ExpressionAttributeNames"], *request["ExpressionAttributeValues"]]
        text = request["FilterExpression"] + request["KeyConditionExpression"]
        assert all(placeholder in text for placeholder in used)


# -- what it costs


def test_first_page_of_one_term_reads_little_more_than_it_gives(
    dynamodb: DynamoDBClient, finder: Finder, client: Recorded
) -> None:
    store(dynamodb, {f"{n:03}.jpg": labels(dog=90 + n / 100) for n in range(300)})
    page = finder.find("dog", limit=25)
    assert (len(page.photos), client.read(), page.requests) == (25, 26, 1)
    client.calls.clear()
    finder.find("dog", limit=25, token=page.next_token)
    assert client.read() == 27


def test_bound_of_the_driver_is_part_of_the_key(dynamodb: DynamoDBClient, finder: Finder, client: Recorded) -> None:
    store(dynamodb, {f"{n:03}.jpg": labels(dog=n) for n in range(100)})
    assert len(finder.find("dog>=40 AND dog<50", limit=MAX_PAGE).photos) == 10
    assert client.read() == 10


def test_filter_is_the_servers(zoo: None, finder: Finder, client: Recorded) -> None:
    finder.find("dog AND NOT cat AND NOT traf*<99 AND NOT sofa", key_prefix="a/")
    [(_, _, read, given)] = client.queries()
    assert (read, given) == (3, 1)


def test_rarer_term_drives(dynamodb: DynamoDBClient, finder: Finder, client: Recorded) -> None:
    photos = {f"{n:03}.jpg": labels(person=99 - n / 10) for n in range(400)}
    photos |= {f"rare {n}.jpg": labels(zither=80 + n) for n in range(10)}  # and no person
    store(dynamodb, photos)
    for expression in ("person AND zither", "zither AND person AND zi*", "person AND zi*"):
        client.calls.clear()
        page = finder.find(expression)
        assert (page.photos, page.next_token) == ((), None)
        assert client.read("zither") <= 20
        assert client.read("person") <= 24


def test_term_of_which_more_is_meant_drives(dynamodb: DynamoDBClient, finder: Finder, client: Recorded) -> None:
    photos = {f"{n:03}.jpg": labels(person=99 - n / 10, **({"dog": 90} if n % 20 == 0 else {})) for n in range(800)}
    store(dynamodb, photos)
    page = finder.find("person AND dog")
    assert len(page.photos) == 25
    assert {photo.confidence for photo in page.photos} == {90.0}
    assert client.read("dog") <= 36
    assert client.read("person") <= 12


def test_driver_that_was_good_at_first_does_not_cost_all_its_rows(
    dynamodb: DynamoDBClient, finder: Finder, client: Recorded
) -> None:
    """The photos of both terms are the first of the common one's rows, then there are no more."""
    photos = {f"{n:04}.jpg": labels(person=99 - n / 100, **({"zither": 60} if n < 30 else {})) for n in range(1500)}
    photos |= {f"rare {n}.jpg": labels(zither=80) for n in range(60)}
    store(dynamodb, photos)
    first, second, *more = pages(finder, "person AND zither", 25)
    assert (len(first.photos), len(second.photos), more) == (25, 5, [])
    assert client.read("zither") <= 200
    assert client.read("person") <= 500
    assert [photo.confidence for page in (first, second) for photo in page.photos] == [
        99 - n / 100 for n in range(30)
    ]  # in person's order, though the end is known from zither's rows


def test_alternatives_are_read_as_they_are_wanted(dynamodb: DynamoDBClient, finder: Finder, client: Recorded) -> None:
    photos = {f"{n:03}.jpg": labels(dog=99 - n / 100) for n in range(300)}
    photos |= {f"cat {n:03}.jpg": labels(cat=89 - n / 100) for n in range(300)}
    store(dynamodb, photos)
    page = finder.find("dog OR cat")
    assert all("dog" in photo.terms for photo in page.photos)
    assert client.read("dog") <= 39
    assert client.read("cat") <= 13


def test_page_says_what_it_cost(zoo: None, finder: Finder, client: Recorded) -> None:
    for ask, expression in ((finder.find, "dog OR traf*"), (finder.scan, "NOT dog")):
        page = ask(expression)
        assert page.requests == len(client.calls)
        assert page.read_units > 0
        assert all(request["ReturnConsumedCapacity"] == "TOTAL" for _, request, _, _ in client.calls)
        client.calls.clear()


# -- the scan


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("NOT dog", ["b/cat.jpg", "b/road.jpg", "c/nothing.jpg"]),
        ("NOT hound", ["a/dog and cat.jpg", "b/cat.jpg", "b/road.jpg", "b/street.jpg", "c/nothing.jpg"]),
        ("NOT dog>=90", ["b/cat.jpg", "b/road.jpg", "b/street.jpg", "c/nothing.jpg"]),
        ("NOT traf*", ["a/dog and cat.jpg", "a/dog.jpg", "b/cat.jpg", "c/nothing.jpg"]),
        ("NOT (cat OR car)", ["a/dog.jpg", "c/nothing.jpg"]),
        ("NOT dog AND NOT cat OR hound", ["a/dog.jpg", "b/road.jpg", "c/nothing.jpg"]),
        ("NOT unicorn AND sofa", ["b/cat.jpg"]),
        ("dog AND NOT dog", []),
    ],
)
def test_scan_finds_what_any_expression_means(zoo: None, finder: Finder, expression: str, found: list[str]) -> None:
    page = finder.scan(expression)
    assert sorted(keys(page.photos)) == found  # never the rejected one: nobody knows what is in it
    assert page.next_token is None


def test_scan_is_sorted_by_what_was_asked_for(zoo: None, finder: Finder) -> None:
    assert [(photo.key, photo.confidence) for photo in finder.scan("cat OR NOT dog AND NOT car").photos] == [
        ("b/cat.jpg", 99.9),
        ("a/dog and cat.jpg", 97.5),
        ("c/nothing.jpg", 0.0),
    ]


def test_scan_lets_the_server_leave_out_what_contains_the_name(zoo: None, finder: Finder, client: Recorded) -> None:
    def given(expression: str) -> int:
        client.calls.clear()
        finder.scan(expression)
        return sum(given for name, _, _, given in client.calls if name == "scan")

    assert given("NOT dog") == 3  # of 6
    assert given("NOT dog AND sofa OR NOT car AND NOT cat") == 4
    assert given("NOT traf*") == 4
    assert given("NOT hound") == 6  # an alias is not among the names
    assert given("NOT dog>=90") == 6  # nor is a confidence
    assert given("NOT dog OR sofa") == 6


# -- photos of very many terms


def test_photo_of_very_many_terms_is_found_and_has_them_all(
    dynamodb: DynamoDBClient, finder: Finder, client: Recorded
) -> None:
    many = tuple(Label(f"Thing {n}", 99 - n / 10, (f"Parent {n}",)) for n in range(130))
    store(dynamodb, {"many.jpg": (*many, *labels(dog=70)), "dog.jpg": labels(dog=90), "deleted.jpg": many})
    dynamodb.delete_item(TableName=TABLE, Key={"PK": {"S": "deleted.jpg"}})  # the row is about to follow
    [photo] = finder.find('"thing 1" AND "parent 99" AND dog<80 AND NOT cat').photos
    assert (photo.key, len(photo.terms)) == ("many.jpg", 261)
    assert keys(finder.find('dog AND NOT "thing 5"').photos) == ["dog.jpg"]
    assert keys(finder.find('"thing 5"').photos) == ["many.jpg"]
    assert any(name == "batch_get_item" for name, *_ in client.calls)


def test_old_row_that_a_photo_of_very_many_terms_still_has_is_no_error(
    dynamodb: DynamoDBClient, finder: Finder
) -> None:
    """Such a photo's rows are changed in parts. DynamoDB refuses to be asked for the same item twice."""
    many = tuple(Label(f"Thing {n}", 90) for n in range(260))
    store(dynamodb, {"many.jpg": (*many, *labels(dog=70))})
    [old] = [row for (term, _), row in rows_of("many.jpg", terms_of((*many, *labels(dog=60)))).items() if term == "dog"]
    dynamodb.put_item(TableName=LABELS_TABLE, Item=old)
    assert set(keys(finder.find("dog").photos)) == {"many.jpg"}


# -- vocabulary and suggestions


def test_vocabulary_is_alphabetical(zoo: None, finder: Finder) -> None:
    assert [term.text for term in finder.vocabulary()] == [
        "animal",
        "animals and pets",
        "car",
        "cat",
        "dog",
        "hound",
        "pet",
        "sofa",
        "traffic light",
        "traffic sign",
    ]
    assert [(term.text, term.name, term.kind) for term in finder.vocabulary("ANIMALS")] == [
        ("animals and pets", "Animals and Pets", "category")
    ]


def test_unknown_terms_suggest_near_ones(zoo: None, finder: Finder, client: Recorded) -> None:
    assert finder.suggestions("dog AND traf* AND NOT dgo") == {}
    assert finder.suggestions("dgo") == {"dgo": ["dog"]}
    assert finder.suggestions('(DGO OR "trafic lihgt") AND cats AND zzz AND light') == {
        "dgo": ["dog"],
        "trafic lihgt": ["traffic light"],
        "cats": ["cat"],
        "zzz": [],
        "light": ["traffic light"],
    }
    assert finder.suggestions("trfa*") == {"trfa*": ["traffic light", "traffic sign"]}
    client.calls.clear()
    assert finder.suggestions("dog AND cat") == {}
    assert len(client.calls) == 1  # not the whole vocabulary


@pytest.mark.parametrize(
    ("one", "other", "slips"),
    [("dog", "dog", 0), ("dgo", "dog", 1), ("dg", "dog", 1), ("dogg", "dog", 1), ("dag", "dog", 1), ("cat", "dog", 3)],
)
def test_distance(one: str, other: str, slips: int) -> None:
    assert distance(one, other, 3) == distance(other, one, 3) == slips


def test_nearest_first_and_three_at_most() -> None:
    assert near("boat", ["boa", "bat", "coat", "goat", "boating", "dog"]) == ["bat", "boa", "coat"]


# -- any photos, any expression

NAMES = ("A", "Ab", "Abc", "B", "C")
CONFIDENCES = (100.0, 97.5, 97.499, 90.0, 60.123, 0.0)
confidences = st.sampled_from(CONFIDENCES)
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
plain = st.builds(lambda name, bound: name + bound, st.sampled_from([*NAMES, "D"]), bounds)
prefixed = st.builds(lambda name, bound: f"{name}*{bound}", st.sampled_from(["a", "ab", "c", "d"]), bounds)
some_terms = st.one_of(plain, plain, prefixed)
some_expressions = st.recursive(
    some_terms,
    lambda parts: st.one_of(
        st.builds("({} AND {})".format, parts, parts),
        st.builds("({} AND NOT {})".format, parts, parts),
        st.builds("({} OR {})".format, parts, parts),
        st.builds("NOT {}".format, parts),
    ),
    max_leaves=5,
)


COLLECTIONS = int(os.environ.get("COLLECTIONS", "30"))


class World:
    """Tables that were not there before."""

    made = 0

    def __init__(self, dynamodb: DynamoDBClient, photos: Photos) -> None:
        World.made += 1
        self.images, self.labels = f"images-{World.made}", f"labels-{World.made}"
        for table, names in ((self.images, ["PK"]), (self.labels, ["Term", "Rank"])):
            dynamodb.create_table(
                TableName=table,
                KeySchema=[
                    {"AttributeName": name, "KeyType": kind}  # type: ignore[typeddict-item]
                    for name, kind in zip(names, ("HASH", "RANGE"), strict=False)
                ],
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
                BillingMode="PAY_PER_REQUEST",
            )
        store(dynamodb, photos, images=self.images, labels=self.labels)
        self.finder = Finder(dynamodb, labels_table=self.labels, images_table=self.images)


@pytest.mark.parametrize("most_terms", [250, 3])
def test_any_expression_finds_exactly_the_photos_it_means(
    dynamodb: DynamoDBClient, monkeypatch: pytest.MonkeyPatch, most_terms: int
) -> None:
    # Small pages, so that few photos are several requests.
    monkeypatch.setattr(attributes, "MAX_TERMS_IN_ROW", most_terms)
    monkeypatch.setattr(streams, "FEWEST_ROWS", 2)
    monkeypatch.setattr(streams, "MOST_FIRST_ROWS", 3)
    monkeypatch.setattr(streams, "ENOUGH", 4)

    @settings(
        max_examples=COLLECTIONS,
        deadline=None,
        database=None,
        derandomize=COLLECTIONS == 30,  # the same ones each time in `make test`, others in `make prove`
        suppress_health_check=list(HealthCheck),
    )
    @given(
        some_photos, st.lists(some_expressions, min_size=3, max_size=3), st.integers(1, 7), st.sampled_from(["", "x/"])
    )
    def holds(photos: Photos, expressions: list[str], limit: int, key_prefix: str) -> None:
        finder = World(dynamodb, photos).finder
        for expression in expressions:
            agree(finder, photos, expression, limit, key_prefix)

    holds()


def agree(finder: Finder, photos: Photos, expression: str, limit: int, key_prefix: str) -> None:
    """Pages, all at once, scan and the photos themselves."""
    terms = {
        key: {term.text: thousandths(term.confidence) for term in terms_of(found)} for key, found in photos.items()
    }
    meant = {key for key in photos if key.startswith(key_prefix) and parse(expression).matches(terms[key])}
    assert set(keys(finder.scan(expression, key_prefix=key_prefix).photos)) == meant
    try:
        all_at_once = finder.find(expression, key_prefix=key_prefix, limit=MAX_PAGE).photos
    except NeedsScan:
        assert parse(expression).matches({}) or any(not each.positive for each in parse(expression).conjunctions)
        return
    assert len(all_at_once) == len(meant)
    assert set(keys(all_at_once)) == meant
    for photo in all_at_once:
        assert {term: thousandths(confidence) for term, confidence in photo.terms.items()} == terms[photo.key]
        assert photo.confidence in photo.terms.values()
    order = [rank(photo.confidence, photo.key) for photo in all_at_once]
    assert all(one < other for one, other in pairwise(order))

    paged = list(pages(finder, expression, limit, key_prefix))
    assert [photo for page in paged for photo in page.photos] == list(all_at_once)
    assert all(len(page.photos) == limit for page in paged[:-1])
