"""Pages and their tokens."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from image_labels.search.finder import Finder, TokenError
from image_labels.tables.terms import rank
from support.fakes import LABELS_TABLE
from support.searches import RecordingClient, keys, pages
from support.seed import labels, write_photos

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def test_pages_of_any_size_have_the_same_order(dynamodb: DynamoDBClient, finder: Finder) -> None:
    write_photos(dynamodb, {f"{n:02}.jpg": labels(dog=99 - n / 10) for n in range(25)})
    expected = [f"{n:02}.jpg" for n in range(25)]
    for limit in (1, 10, 24, 25, 26):
        assert [key for page in pages(finder, "dog", limit) for key in keys(page.photos)] == expected
    page = finder.find("dog", limit=25)
    assert (len(page.photos), page.next_token, page.requests) == (25, None, 1)


def test_page_that_ends_with_the_last_photo_has_no_token(zoo: None, finder: Finder) -> None:
    assert [len(page.photos) for page in pages(finder, "dog OR cat", 4)] == [4]


def test_token_continues_after_photos_were_added_and_deleted(dynamodb: DynamoDBClient, finder: Finder) -> None:
    write_photos(dynamodb, {f"{n}.jpg": labels(dog=99 - n) for n in range(6)})
    first = finder.find("dog", limit=3)
    write_photos(dynamodb, {"between.jpg": labels(dog=95.5), "before.jpg": labels(dog=99.9)})
    key: Any = {"Term": {"S": "dog"}, "Rank": {"S": rank(97, "2.jpg")}}
    dynamodb.delete_item(TableName=LABELS_TABLE, Key=key)  # the last row of the first page
    assert keys(finder.find("dog", token=first.next_token).photos) == ["3.jpg", "between.jpg", "4.jpg", "5.jpg"]


def test_token_is_safe_in_a_url(dynamodb: DynamoDBClient, finder: Finder) -> None:
    write_photos(dynamodb, {f"ü?&/ {n} {'x' * 900}.jpg": labels(dog=99 - n) for n in range(3)})
    token = finder.find("dog", limit=2).next_token
    assert token is not None
    assert token.replace("-", "").replace("_", "").isalnum()
    assert len(finder.find("dog", limit=2, token=token).photos) == 1


def test_token_of_another_expression_or_prefix_is_refused(zoo: None, finder: Finder) -> None:
    token = finder.find("dog OR cat", limit=1).next_token
    assert finder.find(' CAT or "dog" ', token=token).photos  # the same expression in another form
    for expression, prefix in (("dog", ""), ("dog OR cat", "a/"), ("dog OR cat>=90", "")):
        with pytest.raises(TokenError, match="belongs to another expression, key prefix or date"):
            finder.find(expression, key_prefix=prefix, token=token)


def test_garbled_token_is_refused(zoo: None, finder: Finder, client: RecordingClient) -> None:
    token = finder.find("dog OR cat", limit=1).next_token
    assert token is not None
    fingerprint, drivers, rank_of_last = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    client.calls.clear()

    def encoded(*content: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()

    for garbled in (
        "x",
        token[:-3],
        token + "!",
        "näh",
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
        encoded(),
        encoded(fingerprint),
        encoded(fingerprint, [0], rank_of_last),
        encoded(fingerprint, [0, 1], rank_of_last),
        encoded(fingerprint, [0, -1], rank_of_last),
        encoded(fingerprint, [0, "0"], rank_of_last),
        encoded(fingerprint, [0, True], rank_of_last),
        encoded(fingerprint, 7, rank_of_last),
        encoded(fingerprint, drivers, "dog"),
        encoded(fingerprint, drivers, 7),
        encoded(fingerprint, drivers, "000000#" + "x" * 1024),
        encoded(fingerprint, drivers, "000000#\ud800"),
    ):
        with pytest.raises(TokenError, match="garbled"):
            finder.find("dog OR cat", token=garbled)
    assert client.calls == []
