"""Filters of Query and Scan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from image_labels.model import Label
from image_labels.search.finder import MAX_PAGE, Finder
from support.searches import RecordingClient, keys
from support.seed import labels, write_photos

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def test_query_filters_on_the_server(zoo: None, finder: Finder, client: RecordingClient) -> None:
    finder.find("dog AND NOT cat AND NOT traf*<99 AND NOT sofa", key_prefix="a/")
    [query] = client.queries()
    assert (query.scanned, query.returned) == (3, 1)


def test_terms_with_dynamodb_syntax_are_found(dynamodb: DynamoDBClient, finder: Finder) -> None:
    odd = ["a.b", "#0", ":0", "a[0]", "size(x)", "x=:y", "terms", "and", "ünï🧀", "it's"]
    write_photos(dynamodb, {"odd.jpg": tuple(Label(name, 90) for name in odd), "dog.jpg": labels(dog=90)})
    for name in odd:
        assert keys(finder.find(f'"{name}" AND NOT dog AND "{odd[0]}">=90').photos) == ["odd.jpg"]
        assert finder.find(f'dog AND NOT "{name}"').photos


def test_filter_stays_within_the_limits_of_dynamodb(
    dynamodb: DynamoDBClient, finder: Finder, client: RecordingClient
) -> None:
    """Parts of the expression that do not fit into the filter are applied to the answer."""
    write_photos(dynamodb, {f"{n}.jpg": (*labels(dog=90), Label(f"T{n}", 90)) for n in range(50)})
    nots = " AND ".join(f"NOT t{n}>=80 AND NOT t{n}<70" for n in range(30))
    assert sorted(keys(finder.find(f"dog AND {nots}", limit=MAX_PAGE).photos)) == sorted(
        f"{n}.jpg" for n in range(30, 50)
    )
    for query in client.queries():
        request = query.request
        assert len(request["FilterExpression"].encode()) <= 4096
        used = [*request["ExpressionAttributeNames"], *request["ExpressionAttributeValues"]]
        text = request["FilterExpression"] + request["KeyConditionExpression"]
        assert all(placeholder in text for placeholder in used)


def test_scan_excludes_label_names_on_the_server(zoo: None, finder: Finder, client: RecordingClient) -> None:
    def returned(expression: str) -> int:
        client.calls.clear()
        finder.scan(expression)
        return sum(call.returned for call in client.calls if call.name == "scan")

    assert returned("NOT dog") == 3  # of 6
    assert returned("NOT dog AND sofa OR NOT car AND NOT cat") == 4
    assert returned("NOT traf*") == 4
    assert returned("NOT hound") == 6  # the attribute Labels has no aliases
    assert returned("NOT dog>=90") == 6  # and no confidences
    assert returned("NOT dog OR sofa") == 6
