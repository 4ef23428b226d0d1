from __future__ import annotations

import numpy as np
import pytest
from image_labels_emulator.rekognition.colors import dominant_colors, simplified
from image_labels_emulator.rekognition.properties import image_properties


def plain(*rgb: int, rows: int = 40, columns: int = 60) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.full((rows, columns, 3), rgb, dtype=np.uint8)


def test_colour_has_the_name_of_published_answers() -> None:
    assert dominant_colors(plain(47, 79, 79), 10) == [
        {
            "Red": 47,
            "Green": 79,
            "Blue": 79,
            "HexCode": "#2f4f4f",
            "CSSColor": "darkslategrey",
            "SimplifiedColor": "grey",
            "PixelPercent": 100.0,
        }
    ]


@pytest.mark.parametrize(
    ("rgb", "css", "simple"),
    [
        # Colours of the published answer.
        ((0, 0, 0), "black", "black"),
        ((128, 128, 128), "gray", "grey"),
        ((105, 105, 105), "dimgrey", "grey"),
        ((85, 107, 47), "darkolivegreen", "green"),
        # Other colours, by their usual names.
        ((255, 255, 255), "white", "white"),
        ((250, 5, 5), "red", "red"),
        ((0, 0, 250), "blue", "blue"),
        ((255, 165, 0), "orange", "orange"),
        ((255, 255, 0), "yellow", "yellow"),
        ((0, 255, 255), "aqua", "cyan"),
        ((128, 0, 128), "purple", "purple"),
        ((255, 105, 180), "hotpink", "pink"),
        ((139, 69, 19), "saddlebrown", "brown"),
    ],
)
def test_names_of_colours(rgb: tuple[int, int, int], css: str, simple: str) -> None:
    found = dominant_colors(plain(*rgb), 1)[0]
    assert (found["CSSColor"], found["SimplifiedColor"]) == (css, simple)


def test_there_are_twelve_simplified_names() -> None:
    steps = range(0, 256, 15)
    assert len({simplified(red, green, blue) for red in steps for green in steps for blue in steps}) == 12


def test_colours_are_sorted_by_frequency() -> None:
    pixels = np.concatenate(
        [
            plain(255, 0, 0, columns=50),
            plain(0, 0, 255, columns=30),
            plain(0, 255, 0, columns=15),
            plain(0, 0, 0, columns=5),
        ],
        axis=1,
    )
    colours = dominant_colors(pixels, 10)
    assert [(colour["CSSColor"], colour["PixelPercent"]) for colour in colours] == [
        ("red", 50.0),
        ("blue", 30.0),
        ("lime", 15.0),
    ]
    assert [colour["CSSColor"] for colour in dominant_colors(pixels, 2)] == ["red", "blue"]
    assert dominant_colors(pixels, 0) == []


def test_brightness_contrast_and_sharpness_follow_the_image() -> None:
    dark, light = image_properties(plain(20, 20, 20), 10), image_properties(plain(240, 240, 240), 10)
    assert dark["Quality"]["Brightness"] == pytest.approx(20 / 255 * 100, abs=0.01)
    assert light["Quality"]["Brightness"] == pytest.approx(240 / 255 * 100, abs=0.01)
    assert dark["Quality"]["Contrast"] == pytest.approx(0, abs=0.01)
    assert dark["Quality"]["Sharpness"] == pytest.approx(0, abs=0.01)
    stripes = plain(0, 0, 0)
    stripes[:, ::2] = 255
    striped = image_properties(stripes, 10)
    assert striped["Quality"]["Contrast"] == pytest.approx(100, abs=0.01)
    assert striped["Quality"]["Sharpness"] > 99


def test_foreground_is_the_middle_and_background_the_rest() -> None:
    pixels = plain(0, 0, 0)
    pixels[10:30, 15:45] = 255
    found = image_properties(pixels, 10)
    assert [colour["CSSColor"] for colour in found["Foreground"]["DominantColors"]] == ["white"]
    assert [colour["CSSColor"] for colour in found["Background"]["DominantColors"]] == ["black"]
    assert found["Foreground"]["Quality"]["Brightness"] == 100
    assert found["Background"]["Quality"]["Brightness"] == 0
    assert "Contrast" in found["Quality"]
    assert "Contrast" not in found["Foreground"]["Quality"]
