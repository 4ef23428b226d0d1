"""The photo that stands for a label: the one that has it with the highest confidence."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from image_labels.search.hints import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from image_labels_cli.browse.photos import FinderLike

KEPT_SECONDS = 300.0


class Covers:
    """Finds covers with one search for one photo each, and keeps them for some minutes. Threads may share it."""

    def __init__(self, finder: FinderLike) -> None:
        self._finder = finder
        self._kept: dict[str, tuple[float, str | None]] = {}

    def keys(self, labels: Iterable[str]) -> dict[str, str | None]:
        """The key of each label's cover; None if no photo has the label any more."""
        return {label: self._key(label) for label in labels}

    def _key(self, label: str) -> str | None:
        now = time.monotonic()
        until, key = self._kept.get(label, (now, None))
        if until <= now:
            photos = self._finder.find(quoted(label), limit=1).photos
            key = photos[0].key if photos else None
            self._kept[label] = now + KEPT_SECONDS, key
        return key
