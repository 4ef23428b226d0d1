"""Pages of the crowd without a Query each: moto reads all 10,000 rows for every Query, which takes half a second."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from image_labels.search.finder import Finder, Found, Page

if TYPE_CHECKING:
    from image_labels_cli.browse import Access

WORD = "crowd"


class CrowdAtOnce:
    """A Finder that reads the crowd's rows once and serves pages of them. All other searches use the real Finder."""

    def __init__(self, access: Access) -> None:
        self._access = access
        finder = Finder(access.dynamodb, labels_table=access.labels_table, images_table=access.images_table)
        self._find = finder.find
        self.resolve = finder.resolve
        self.vocabulary = finder.vocabulary
        self.suggestions = finder.suggestions
        self.counts = finder.counts
        self.recent = finder.recent

    @cached_property
    def crowd(self) -> tuple[Found, ...]:
        """All photos of the crowd, in the order of the table."""
        pages = self._access.dynamodb.get_paginator("query").paginate(
            TableName=self._access.labels_table,
            KeyConditionExpression="Term = :word",
            ExpressionAttributeValues={":word": {"S": WORD}},
        )
        return tuple(
            Found(row["PK"]["S"], float(row["Confidence"]["N"]), {}) for page in pages for row in page["Items"]
        )

    def find(self, expression: str, *, key_prefix: str = "", limit: int = 25, token: str | None = None) -> Page:
        if expression != WORD:
            return self._find(expression, key_prefix=key_prefix, limit=limit, token=token)
        start = int(token or 0)
        end = start + limit
        return Page(self.crowd[start:end], str(end) if end < len(self.crowd) else None, limit / 100, 1)
