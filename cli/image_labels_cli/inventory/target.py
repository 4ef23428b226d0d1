"""What the function wants of a photo with the deployment's settings, and its calls of Rekognition for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from image_labels.selection import covers

if TYPE_CHECKING:
    from image_labels.detectors.finding import DetectorCriteria
    from image_labels.selection import Wanted

    from image_labels_cli.inventory.items import KnownItem


@dataclass(frozen=True)
class Target:
    """`labels` decides the labels, `detectors` has what is asked besides them, by the detectors' names."""

    labels: Wanted
    detectors: Mapping[str, DetectorCriteria]

    @property
    def settings(self) -> str:
        """The settings of an item that has all that is wanted."""
        return self.labels.text + "".join(each.settings for each in self.detectors.values())

    @property
    def calls_per_photo(self) -> int:
        """The calls for a new photo. A photo that DetectLabels rejects has only one."""
        return 1 + len(self.detectors)

    def calls(self, item: KnownItem | None) -> int:
        """The calls for a photo whose item is about the current object; None for a photo without such an item."""
        if item is None or item.foreign or item.removed:
            return self.calls_per_photo
        if item.status == "REJECTED":
            return 0
        labels = item.whole and covers(item.asked, item.answered, self.labels)
        asked = {name: text for name, _, text in (part.partition("=") for part in item.findings.split(";"))}
        missing = [
            name
            for name, criteria in self.detectors.items()
            if name not in asked or (asked[name] and not criteria.covers(asked[name]))
        ]
        return (not labels) + len(missing)
