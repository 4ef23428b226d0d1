"""Delays between attempts of a call: each about twice the one before, with jitter."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

# Seconds, for a call that AWS throttles in a way that botocore does not retry.
PAUSES = (0.1, 0.2, 0.4, 0.8, 1.6)


def waits(pauses: Sequence[float] = PAUSES) -> Iterator[float]:
    """Seconds to wait before each further attempt; none after the last."""
    for pause in pauses:
        yield pause * random.uniform(0.5, 1.5)  # noqa: S311 - jitter, not cryptography
