"""Sorts the photos of a search. Many photos are sorted in files, so that the memory does not grow with their number."""

from __future__ import annotations

import heapq
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from datetime import datetime
from enum import StrEnum
from typing import IO, Any

from image_labels_cli.finding.match import Match

ROOM = 20_000  # photos in memory, of about 3 KB each


class Sort(StrEnum):
    """The orders of --sort."""

    CONFIDENCE = "confidence"
    DATE = "date"
    KEY = "key"


def first(matches: Iterable[Match], sort: Sort, count: int) -> list[Match]:
    """The first photos in this order. Holds only these."""
    return heapq.nsmallest(count, matches, key=_KEYS[sort])


def in_order(matches: Iterable[Match], sort: Sort, room: int = ROOM) -> Iterator[Match]:
    """All photos in this order. Reads all of them before it returns the first one."""
    with ExitStack() as files:
        runs: list[Iterable[Match]] = []
        kept: list[Match] = []
        for match in matches:
            kept.append(match)
            if len(kept) == room:
                file = files.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8"))
                runs.append(_written(sorted(kept, key=_KEYS[sort]), file))
                kept = []
        runs.append(sorted(kept, key=_KEYS[sort]))
        yield from heapq.merge(*runs, key=_KEYS[sort])


def _by_date(match: Match) -> tuple[float, str]:
    """The newest first; photos without a date last."""
    return (-datetime.fromisoformat(match.uploaded).timestamp() if match.uploaded else 0.0, match.key)


def _by_confidence(match: Match) -> tuple[float, str]:
    return (-match.confidence, match.key)


_KEYS: dict[Sort, Callable[[Match], Any]] = {
    Sort.CONFIDENCE: _by_confidence,
    Sort.DATE: _by_date,
    Sort.KEY: lambda match: match.key,
}


def _written(matches: Iterable[Match], file: IO[str]) -> Iterator[Match]:
    """Writes the photos at once, and reads them as they are needed."""
    for each in matches:
        fields = [each.key, each.confidence, dict(each.matched), dict(each.terms), each.uploaded, each.bucket]
        file.write(json.dumps(fields) + "\n")
    file.seek(0)
    return (Match(*json.loads(line)) for line in file)
