"""Read units by DynamoDB's published rules. A unit is a strongly consistent read of 4 KB, or an eventually consistent
read of 8 KB.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

from __future__ import annotations

from collections.abc import Iterable

BLOCK_BYTES = 4096


def of_request(size: int, *, consistent: bool = False) -> float:
    """Read units of GetItem, or of one request of Query or Scan, which counts as one read of all evaluated items.

    `size` is that of the items (image_labels.tables.item_size) before filter and projection. It is rounded up to the
    next 4 KB. An eventually consistent read costs half. A read that finds nothing costs as much as one small item.
    """
    return max(1, -(-size // BLOCK_BYTES)) / (1 if consistent else 2)


def of_batch(sizes: Iterable[int], *, consistent: bool = False) -> float:
    """Read units of BatchGetItem: each item is a separate read. A missing item has the size 0."""
    return sum(of_request(size, consistent=consistent) for size in sizes)
