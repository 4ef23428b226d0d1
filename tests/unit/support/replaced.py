"""A client of AWS, some of whose methods a test replaces: for calls that fail, and for what happens around a call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Replaced:
    """Calls go through to `client`, except those of the methods that are given by name."""

    def __init__(self, client: object, **methods: Callable[..., Any]) -> None:
        self._client = client
        self._methods = methods

    def __getattr__(self, name: str) -> Any:
        return self._methods[name] if name in self._methods else getattr(self._client, name)
