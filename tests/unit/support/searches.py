"""For tests of searches: a DynamoDB client that records its calls, pages of results, and a few photos."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from image_labels.model import Label
from image_labels.search.expression import Expression, ExpressionError, parse
from support.seed import Photos, labels

if TYPE_CHECKING:
    from image_labels.search.finder import Finder, Found, Page
    from mypy_boto3_dynamodb import DynamoDBClient

ZOO: Photos = {
    "a/dog.jpg": (Label("Dog", 99.5, ("Animal",), ("Hound",), ("Animals and Pets",)), Label("Pet", 80)),
    "a/dog and cat.jpg": labels(dog=91.25, cat=97.5),
    "b/cat.jpg": labels(cat=99.9, sofa=85),
    "b/street.jpg": labels(traffic_light=98, car=99, dog=82),
    "b/road.jpg": labels(traffic_sign=93, car=95.5),
    "c/nothing.jpg": (),
}


@dataclass(frozen=True)
class Call:
    """A request to DynamoDB. `scanned` and `returned` are its rows before and after the filter."""

    name: str
    request: dict[str, Any]
    scanned: int
    returned: int


class RecordingClient:
    """A DynamoDB client that records its calls."""

    def __init__(self, client: DynamoDBClient) -> None:
        self.calls: list[Call] = []
        self._client = client

    def __getattr__(self, name: str) -> Any:
        def call(**request: Any) -> Any:
            answer = getattr(self._client, name)(**request)
            self.calls.append(Call(name, request, answer.get("ScannedCount", 0), answer.get("Count", 0)))
            return answer

        return call

    def queries(self) -> list[Call]:
        """The queries for rows of terms, without those for the vocabulary."""
        return [
            call for call in self.calls if call.name == "query" and ":term" in call.request["ExpressionAttributeValues"]
        ]

    def rows_read(self, term: str | None = None) -> int:
        """The number of rows read, of one term or of all."""
        return sum(
            call.scanned
            for call in self.queries()
            if term is None or call.request["ExpressionAttributeValues"][":term"] == {"S": term}
        )


def keys(photos: Iterable[Found]) -> list[str]:
    return [photo.key for photo in photos]


def pages(finder: Finder, expression: str, limit: int, key_prefix: str = "") -> Iterator[Page]:
    """All pages of a search."""
    page = finder.find(expression, key_prefix=key_prefix, limit=limit)
    yield page
    while page.next_token:
        page = finder.find(expression, key_prefix=key_prefix, limit=limit, token=page.next_token)
        yield page


def parse_or_error(text: str) -> Expression | ExpressionError:
    try:
        return parse(text)
    except ExpressionError as error:
        return error
