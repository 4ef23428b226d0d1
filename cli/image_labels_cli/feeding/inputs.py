"""Values of the deployment that decide how fast photos are sent."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from image_labels.search.printable import visible

from image_labels_cli.invocation import UsageError

if TYPE_CHECKING:
    from image_labels_cli.deployment import Deployment

# The lowest default quota of DetectLabels, for a deployment that does not name its own.
DEFAULT_PACE = 5.0
# Photos without a call of Rekognition per second, as a multiple of the quota. The module runs enough invocations for
# photos that take 1.5 s (sizing.tf), and such a photo takes about 0.1 s. A third of that leaves time for uploads.
OFFLINE_FACTOR = 5.0


def pace_of(deployment: Deployment) -> float:
    """Calls of Rekognition per second. Raises UsageError."""
    if not deployment.rekognition_tps:
        return DEFAULT_PACE
    try:
        pace = float(deployment.rekognition_tps)
    except ValueError:
        pace = 0
    if not (isfinite(pace) and pace > 0):
        raise UsageError(f"--rekognition-tps must be a number above 0: {visible(deployment.rekognition_tps)}")
    return pace


def daily_limit_of(deployment: Deployment) -> int | None:
    """Images per day, None if there is no limit or it is unknown. Raises UsageError."""
    text = deployment.daily_image_limit
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise UsageError(f"--daily-image-limit must be a whole number above 0: {visible(text)}")
    return int(text)
