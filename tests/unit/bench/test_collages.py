"""Collages, with which bench.learned trains labels of things that its pictures show one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from image_labels_emulator.vision import learned

from bench.learned.__main__ import FOLDS, Pool, train
from bench.learned.collages import Collages
from bench.learned.pictures import Patterns, Picture, fold

PATTERNS: Patterns = {"shows": "coin", "unclear": "medal", "collages": True}
PACK = np.array([1 << 16, 1 << 8, 1])
# Each cut-out has a colour that hardly a pixel of a ground has.
COLOURS: Mapping[str, tuple[int, int, int]] = {
    "coin/euro.png": (255, 0, 0),
    "coin/yen.png": (0, 255, 0),
    "coin/cent.png": (255, 0, 255),
    "coin/franc.png": (255, 128, 0),
    "dog.png": (0, 0, 255),
    "wheel.png": (255, 255, 0),
    "lemon.png": (0, 255, 255),
    "apple.png": (128, 0, 255),
    "medal.png": (128, 255, 0),
}


def disc(name: str) -> Picture:
    """A disc of one colour on transparent white."""
    rows, columns = np.mgrid[:100, :100]
    inside = (rows - 50) ** 2 + (columns - 50) ** 2 < 45**2
    pixels = np.where(inside[..., None], COLOURS[name], 255).astype(np.uint8)
    return Picture(name, True, pixels, np.where(inside, 255, 0).astype(np.uint8))


def texture(name: str) -> Picture:
    grey = np.random.default_rng(0).integers(0, 256, (64, 64, 1), np.uint8)
    return Picture(name, False, np.repeat(grey, 3, axis=2))


def shown_by(collage: Picture) -> set[str]:
    """The names of the cut-outs whose colour covers at least a small disc, of every fourth pixel each way."""
    packed = collage.pixels[::4, ::4].astype(int) @ PACK
    return {name for name, colour in COLOURS.items() if (packed == np.array(colour) @ PACK).sum() > 12}


@pytest.fixture(scope="module")
def collages() -> list[Picture]:
    made = Collages()
    for each in (*map(disc, COLOURS), *(texture(f"texture{number}.png") for number in range(30))):
        made.add(each)
    found = list(made.of(PATTERNS, FOLDS))
    assert found
    return found


def test_a_collage_shows_things_with_the_label_or_other_things(collages: list[Picture]) -> None:
    shown = [shown_by(each) for each in collages]
    assert all(each for each in shown)
    with_coins = [each for each in shown if any("coin" in name for name in each)]
    assert with_coins
    assert len(with_coins) < len(shown)
    assert all("coin" in name for each in with_coins for name in each)


def test_a_collage_has_the_name_of_a_thing_that_it_shows(collages: list[Picture]) -> None:
    assert all(each.name in shown_by(each) for each in collages)


def test_unclear_things_are_in_no_collage(collages: list[Picture]) -> None:
    assert "medal.png" not in set().union(*map(shown_by, collages))


def test_the_things_of_a_collage_belong_to_one_fold(collages: list[Picture]) -> None:
    together = [shown_by(each) for each in collages]
    assert all(len({fold(name, FOLDS) for name in each}) == 1 for each in together)
    assert any(len(each) > 1 for each in together)


def test_collages_set_no_thresholds(collages: list[Picture]) -> None:
    assert not any(each.is_photograph for each in collages)


def test_collages_are_the_same_in_each_training() -> None:
    made = Collages([disc("coin/euro.png"), disc("dog.png")])
    first, second = (list(made.of(PATTERNS, FOLDS)) for _ in range(2))
    assert [each.name for each in first] == [each.name for each in second]
    assert all(np.array_equal(one.pixels, other.pixels) for one, other in zip(first, second, strict=True))


def features(like: Sequence[int], seed: int) -> Any:
    """Features of pictures, each like one of the classes, in colour and in grey: the same random ones."""
    noise = np.random.default_rng(seed).normal(size=(len(like), 1000))
    noise[range(len(like)), like] += 40
    return np.tile(noise / np.linalg.norm(noise, axis=1, keepdims=True), (2, 1, 1))


def test_a_label_that_is_trained_with_collages_is_found_where_many_things_are() -> None:
    """The classifier takes a coin for class 0, many coins for class 1, and many other things for class 2."""
    names = [f"coin/{number}-x.png" for number in range(20)] + [f"thing/{number}-x.png" for number in range(300)]
    photographs = np.array([False] * 20 + [True] * 300)
    pictures = Pool(names, photographs, features([0] * 20 + list(range(10, 310)), 1))
    made = Pool(names[:60], np.zeros(60, bool), features([1] * 20 + [2] * 40, 2))
    alone, together = train("Coin", PATTERNS, pictures), train("Coin", PATTERNS, pictures, made)

    def share(entry: Mapping[str, Any], seen: Any) -> float:
        """Of views of pictures, those above 80 %."""
        scores = seen @ learned.decoded(entry["weights"]) + entry["bias"]
        return float(np.mean(scores > entry["points"][2][0]))

    many_coins, many_things = features([1] * 40, 3), features([2] * 40, 4)
    assert share(alone, many_coins) < 0.1
    assert share(together, many_coins) > 0.9
    assert share(together, many_things) == 0
    assert (together["shown"], together["against"]) == (alone["shown"], alone["against"]) == (20, 300)
