"""Dominant colours, named as Rekognition names them.

In a published answer with IMAGE_PROPERTIES every colour is a CSS colour, with that colour's RGB values and hex code.
Names are lower case, with "grey" except for "gray" itself. The hex code has a "#". No colour below 10 % is listed.
Here every pixel is therefore assigned to its nearest CSS colour, and the frequent colours are listed.

The API reference ("DominantColor") mentions "12 simplified color names" without listing them. grey, green and black
occur in the published answer; the other nine names are assumptions of the emulator.
"""

from __future__ import annotations

import colorsys
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import ImageColor

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_PERCENT = 10.0
_HTML4_NAMES = {"gray", "aqua", "fuchsia"}
_HUES = ((20, "red"), (45, "orange"), (70, "yellow"), (165, "green"), (195, "cyan"), (255, "blue"), (320, "purple"))


def dominant_colors(pixels: NDArray[np.uint8], limit: int) -> list[dict[str, Any]]:
    """The most frequent CSS colours of `pixels` (… x RGB, 0-255), most frequent first, at most `limit` of them."""
    flat = pixels.reshape(-1, 3)
    if flat.size == 0:
        return []
    names, values = _css_colors()
    red, green, blue = (flat >> 3).astype(np.int64).T
    totals = np.bincount(_nearest()[(red << 10) | (green << 5) | blue], minlength=len(names))
    percents = totals / totals.sum() * 100
    order = sorted(range(len(names)), key=lambda index: (-percents[index], names[index]))
    frequent = [index for index in order if percents[index] >= MIN_PERCENT]
    return [_answer(names[index], values[index], float(percents[index])) for index in frequent[:limit]]


def simplified(red: int, green: int, blue: int) -> str:
    """One of twelve simplified names for an RGB colour of 0-255."""
    hue, lightness, saturation = colorsys.rgb_to_hls(red / 255, green / 255, blue / 255)
    if lightness < 0.08:
        return "black"
    if lightness > 0.93:
        return "white"
    if saturation < 0.12 or (max(red, green, blue) - min(red, green, blue)) < 35:
        return "grey"
    degrees = hue * 360
    if degrees < 45 and lightness < 0.42 and not (degrees < 12 and saturation > 0.6):
        return "brown"
    if (degrees >= 290 or degrees < 12) and lightness > 0.64:
        return "pink"
    return next((name for end, name in _HUES if degrees < end), "pink" if degrees < 345 else "red")


def _answer(name: str, value: NDArray[np.int32], percent: float) -> dict[str, Any]:
    red, green, blue = (int(part) for part in value)
    return {
        "Red": red,
        "Green": green,
        "Blue": blue,
        "HexCode": f"#{red:02x}{green:02x}{blue:02x}",
        "CSSColor": name,
        "SimplifiedColor": simplified(red, green, blue),
        "PixelPercent": round(percent, 5),
    }


@cache
def _css_colors() -> tuple[list[str], NDArray[np.int32]]:
    by_value: dict[tuple[int, ...], str] = {}
    for name in sorted(ImageColor.colormap):
        value = ImageColor.getrgb(name)
        if by_value.get(value) not in _HTML4_NAMES:
            by_value[value] = name  # the alphabetically last name, so "dimgrey", except for names of HTML 4
    return list(by_value.values()), np.array(list(by_value), dtype=np.int32)


@cache
def _nearest() -> NDArray[np.intp]:
    """A lookup table: the nearest CSS colour of each of the 32,768 colours with 5 bits per channel."""
    _, values = _css_colors()
    steps = np.arange(32)
    steps = steps << 3 | steps >> 2  # 0-31 to 0-255
    colors = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    return np.concatenate(
        [((part[:, None, :] - values) ** 2).sum(axis=2).argmin(axis=1) for part in np.array_split(colors, 32)]
    )
