"""Mistakes in the source, for tests of tests."""

from __future__ import annotations

import inspect
import sys
import textwrap
from typing import Any


def mutant(of: type[Any], *changes: tuple[str, str], **names: Any) -> type[Any]:
    """The class with some of its source text changed, and with other meanings of names of its module."""
    source = textwrap.dedent(inspect.getsource(of))
    for old, new in changes:
        assert source.count(old) == 1, f"{of.__name__} has changed, this mutation does not fit: {old!r}"
        source = source.replace(old, new)
    namespace = vars(sys.modules[of.__module__]) | names
    exec(source, namespace)  # noqa: S102 - our own source
    made = namespace[of.__name__]
    assert isinstance(made, type)
    return made
