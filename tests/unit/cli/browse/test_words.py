"""Words side by side and plurals on the page: what the server searches for, and what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
from image_labels.search.finder import Finder
from image_labels_cli.browse import Access
from image_labels_cli.browse.app import create_app
from image_labels_cli.browse.photos import Library
from support.fakes import BUCKET, LABELS_TABLE, TABLE
from support.searches import ZOO
from support.seed import write_photos

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client


@pytest.fixture
def library(dynamodb: DynamoDBClient, s3: S3Client) -> Library:
    write_photos(dynamodb, ZOO)
    access = Access(dynamodb, s3, TABLE, LABELS_TABLE, BUCKET)
    return Library(access, Finder(dynamodb, labels_table=LABELS_TABLE, images_table=TABLE), cast("Any", None))


def test_page_has_the_expression_that_was_searched_for(library: Library) -> None:
    first = library.find("dogs OR traffic signs", "", None, 2)
    assert first["searched"] == 'dog OR "traffic sign"'
    assert first["notes"] == [
        "dogs: no such label; searched for dog",
        'traffic signs: no such label; searched for "traffic sign"',
    ]
    second = library.find(first["searched"], "", first["next"], 25)
    assert (second["searched"], second["notes"]) == (first["searched"], [])
    assert [photo["key"] for page in (first, second) for photo in page["photos"]] == [
        "a/dog.jpg",
        "b/road.jpg",
        "a/dog and cat.jpg",
        "b/street.jpg",
    ]


def test_nothing_found_explains_the_expression_that_was_searched_for(library: Library) -> None:
    answer = library.find("sofas car", "", None, 25)
    assert answer["searched"] == "sofa AND car"
    assert answer["photos"] == []
    assert [each["expression"] for each in answer["nothing"]["instead"]] == ["sofa", "car"]


def test_mistake_is_marked_only_in_the_typed_expression(library: Library) -> None:
    client = create_app(library, token="secret", port=8080).test_client()  # noqa: S106
    client.get("/?token=secret", base_url="http://127.0.0.1:8080")

    def problem(expression: str) -> tuple[str, int | None]:
        answer: Any = client.get(
            "/api/find", base_url="http://127.0.0.1:8080", query_string={"q": expression}
        ).get_json()
        return answer["kind"], answer["position"]

    assert problem("cats car OR") == ("expression", 11)
    assert problem("NOT cats") == ("scan", None)  # it is a position in NOT cat
    assert problem("NOT cat") == ("scan", 0)
