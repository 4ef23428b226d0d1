"""IMAGE_PROPERTIES: quality and dominant colours of a photo, computed from its pixels.

The members are those of the real service: Contrast for the whole image only, Brightness and Sharpness also for
foreground and background (Developer Guide, "Detecting labels in an image"). The service's formulas are not published.
The emulator's formulas increase with brightness, sharpness and contrast, on the service's scale of 0 to 100. The
foreground is the middle half of each side, and the background is the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from image_labels_emulator.rekognition.colors import dominant_colors

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
_SHARPNESS_SCALE = 12.0  # mean absolute Laplacian at which an image counts as 63 % sharp


def image_properties(pixels: NDArray[np.uint8], max_colors: int) -> dict[str, Any]:
    """The ImageProperties member of the answer for rows x columns x RGB of 0-255."""
    luma = pixels @ _LUMA
    edges = _laplacian(luma)
    middle = np.zeros(luma.shape, dtype=bool)
    rows, columns = luma.shape
    middle[rows // 4 : rows - rows // 4, columns // 4 : columns - columns // 4] = True
    everything = np.ones(luma.shape, dtype=bool)
    quality = _quality(luma, edges, everything)
    quality["Contrast"] = _percent(float(luma.std()) / 127.5 * 100)
    return {
        "Quality": quality,
        "DominantColors": dominant_colors(pixels, max_colors),
        "Foreground": {
            "Quality": _quality(luma, edges, middle),
            "DominantColors": dominant_colors(pixels[middle], max_colors),
        },
        "Background": {
            "Quality": _quality(luma, edges, ~middle),
            "DominantColors": dominant_colors(pixels[~middle], max_colors),
        },
    }


def quality(pixels: NDArray[np.uint8]) -> dict[str, float]:
    """Brightness and sharpness, 0 to 100, of rows x columns x RGB of 0-255. Fewer than 3 x 3 pixels have none."""
    luma = pixels @ _LUMA
    return _quality(luma, _laplacian(luma), np.ones(luma.shape, dtype=bool))


def _quality(luma: NDArray[np.float64], edges: NDArray[np.float64], where: NDArray[np.bool_]) -> dict[str, float]:
    return {
        "Brightness": _percent(float(luma[where].mean()) / 255 * 100),
        "Sharpness": _percent((1 - np.exp(-float(edges[where].mean()) / _SHARPNESS_SCALE)) * 100),
    }


def _laplacian(luma: NDArray[np.float64]) -> NDArray[np.float64]:
    """The difference of each pixel from its four neighbours; 0 at the border."""
    edges = np.zeros_like(luma)
    inner = luma[1:-1, 1:-1]
    around = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:]
    edges[1:-1, 1:-1] = np.abs(around - 4 * inner)
    return edges


def _percent(value: float) -> float:
    return round(min(100.0, max(0.0, float(value))), 5)
