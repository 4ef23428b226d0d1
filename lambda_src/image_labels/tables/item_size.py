"""How large an item is by DynamoDB's published rules.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
"""

from __future__ import annotations

from typing import Any


def item_size(item: dict[str, dict[str, Any]]) -> int:
    """The size in bytes of an item in DynamoDB's typed JSON: names and values, in UTF-8."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(value: dict[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            return _number_size(content)
        case "B":
            return len(content)
        case "BOOL" | "NULL":
            return 1
        case "SS":
            return sum(len(element.encode()) for element in content)
        case "NS":
            return sum(_number_size(element) for element in content)
        case "BS":
            return sum(len(element) for element in content)
        case "L":  # 3 bytes of overhead, and 1 for each element
            return 3 + sum(1 + _value_size(element) for element in content)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _value_size(element) for name, element in content.items())
        case _:
            raise ValueError(f"not a DynamoDB type: {kind!r}")


def _number_size(number: str) -> int:
    """Approximate, as the rules are: one byte for two significant digits, one more, and one for a minus sign."""
    mantissa = number.lower().partition("e")[0]
    digits = mantissa.lstrip("-+").replace(".", "").strip("0")
    return min(21, (len(digits) + 1) // 2 + 1 + mantissa.startswith("-"))
