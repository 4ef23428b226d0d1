"""JSON in and out of the emulator's own routes on LocalStack's port."""

from __future__ import annotations

import json
from typing import Any

from localstack.http import Request, Response


def json_body(request: Request) -> Any:
    """The body of a request. Raises ValueError with a sentence if it is not JSON."""
    try:
        return json.loads(request.get_data())
    except ValueError as error:
        raise ValueError(f"the body is not JSON: {error}") from None


def json_response(content: object, status: int = 200) -> Response:
    """An answer with this content."""
    return Response(json.dumps(content), status=status, mimetype="application/json")
