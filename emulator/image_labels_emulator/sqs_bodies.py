"""SQS messages that Lambda's event source mapping hands to a function, where LocalStack's differ from AWS's.

AWS hands over the body as it was sent. LocalStack parses it as JSON to filter events, and writes it again: a text in
quotation marks loses them, and a body that Python cannot parse, such as a number of 5,000 digits, stops the queue.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar

from localstack.services.lambda_.event_source_mapping.pollers import sqs_poller


class _Object(dict[str, Any]):
    text: str


class _Array(list[Any]):
    text: str


class JsonOfBodies:
    """What the poller uses in place of the module `json`: what is parsed keeps its text."""

    JSONDecodeError: ClassVar = json.JSONDecodeError

    @staticmethod
    def loads(text: str) -> _Object | _Array:
        """The body if it is an object or an array. Raises JSONDecodeError otherwise, and the poller leaves it."""
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise json.JSONDecodeError(str(error), text, 0) from error
        if isinstance(value, dict):
            parsed: _Object | _Array = _Object(value)
        elif isinstance(value, list):
            parsed = _Array(value)
        else:
            raise json.JSONDecodeError("neither an object nor an array", text, 0)
        parsed.text = text
        return parsed

    @staticmethod
    def dumps(value: _Object | _Array) -> str:
        """The text that the body was parsed from."""
        return value.text


def install() -> None:
    """Change LocalStack's poller for this process; the second time nothing happens."""
    sqs_poller.json = JsonOfBodies  # type: ignore[attr-defined,assignment]
