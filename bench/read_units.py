"""What a read costs, by DynamoDB's published rules. A read unit is 4 KB read consistently, or 8 KB eventually so.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

from __future__ import annotations

from collections.abc import Iterable

BLOCK_BYTES = 4096


def of_request(size: int, *, consistent: bool = False) -> float:
    """Of GetItem, or of one request of Query or Scan, which counts as one read of all it has looked at.

    `size` is that of the items (see image_labels.tables.item_size), before the filter, and not of what is projected. It
    is rounded up to the next 4 KB; an eventually consistent read costs half. Nothing found costs as much as one item.
    """
    return max(1, -(-size // BLOCK_BYTES)) / (1 if consistent else 2)


def of_batch(sizes: Iterable[int], *, consistent: bool = False) -> float:
    """Of BatchGetItem: each item is a read of its own, one that is not there (of size 0) too."""
    return sum(of_request(size, consistent=consistent) for size in sizes)
