"""Bodies of SQS messages in Lambda's event source mapping: a correction where LocalStack differs from AWS.

AWS passes the body unchanged. LocalStack parses it as JSON to filter events, and serializes it again. A string in
quotation marks loses them, and a body that Python cannot parse, such as a number of 5,000 digits, blocks the queue.
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
    """A replacement for the poller's module `json`: parsed values keep their original text."""

    JSONDecodeError: ClassVar = json.JSONDecodeError

    @staticmethod
    def loads(text: str) -> _Object | _Array:
        """Parse an object or an array. Raises JSONDecodeError otherwise, and the poller passes the body unchanged."""
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
        """The original text of the body."""
        return value.text


def install() -> None:
    """Patch LocalStack's poller in this process. Idempotent."""
    sqs_poller.json = JsonOfBodies  # type: ignore[attr-defined,assignment]
