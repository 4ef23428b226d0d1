"""The size of an item, by DynamoDB's published rules."""

from __future__ import annotations

from typing import Any

import pytest
from image_labels.tables.item_size import item_size


@pytest.mark.parametrize(
    ("item", "size"),
    [
        ({"PK": {"S": "abc"}}, 5),
        ({"K": {"S": "ä"}}, 3),
        ({"N": {"N": "1"}}, 3),
        ({"N": {"N": "12345"}}, 5),
        ({"N": {"N": "-1000"}}, 4),
        ({"B": {"BOOL": True}}, 2),
        ({"L": {"L": []}}, 4),
        ({"L": {"L": [{"S": "ab"}]}}, 7),
        ({"M": {"M": {"x": {"S": "ab"}}}}, 8),
        ({"S": {"SS": ["a", "bc"]}}, 4),
    ],
)
def test_item_size_by_the_published_rules(item: dict[str, dict[str, Any]], size: int) -> None:
    assert item_size(item) == size
