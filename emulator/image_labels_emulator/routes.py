"""JSON requests and responses of the emulator's routes."""

from __future__ import annotations

import json
from typing import Any

from localstack.http import Request, Response


def json_body(request: Request) -> Any:
    """The parsed body of a request. Raises ValueError if it is not JSON."""
    try:
        return json.loads(request.get_data())
    except ValueError as error:
        raise ValueError(f"the body is not JSON: {error}") from None


def json_response(content: object, status: int = 200) -> Response:
    return Response(json.dumps(content), status=status, mimetype="application/json")
