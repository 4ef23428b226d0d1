"""Boxes are drawn where Rekognition detected a label, regardless of how the photo is cropped or rotated."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from collection import SEEN, SIGN
from PIL import Image
from playwright.sync_api import expect
from test_search import search
from turned import FORMATS, TURNED, TurnedPhoto, brick

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page

SPOON = next(label for label in SEEN["café & spoon 100%.png"] if label.name == "Spoon")


def place(box: Locator, image: Locator) -> tuple[float, ...]:
    """Left, top, width and height of a box as ratios of the image below it."""
    inner, outer = box.bounding_box(), image.bounding_box()
    assert inner
    assert outer
    return (
        (inner["x"] - outer["x"]) / outer["width"],
        (inner["y"] - outer["y"]) / outer["height"],
        inner["width"] / outer["width"],
        inner["height"] / outer["height"],
    )


def expect_in_place(page: Page, within: Locator) -> None:
    box = within.locator(".box", has_text="Spoon")
    expect(box).to_be_visible()
    expect(within.locator(".boxes")).to_have_css("opacity", "1")
    expect(box).to_contain_text("Spoon 95.7")
    expect(within.locator('[data-state="shown"]')).to_be_visible()
    expected = [getattr(SPOON.instances[0], side) for side in ("left", "top", "width", "height")]
    assert place(box, within.locator("img")) == pytest.approx(expected, abs=0.005)
    shape = within.locator("img").evaluate("image => image.clientWidth / image.clientHeight")
    assert shape == pytest.approx(600 / 400, rel=0.01), "the photo is distorted"


@pytest.mark.parametrize("width", [1280, 390])
def test_hover_shows_the_box_in_place(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    search(page, "spoon")
    card = page.locator(".card")
    expect(card.locator(".boxes")).to_have_css("opacity", "0")
    card.locator(".frame").hover()
    expect_in_place(page, card)


def test_focus_shows_the_box_in_place(page: Page) -> None:
    search(page, "spoon")
    card = page.locator(".card")
    expect(card.locator('[data-state="shown"]')).to_be_visible()
    for _ in range(6):  # Help, Search, and the fields below
        page.keyboard.press("Tab")
    expect(card.locator(".frame")).to_be_focused()
    expect_in_place(page, card)


@pytest.mark.parametrize("size", [(1280, 800), (800, 1200), (390, 844)])
def test_photo_view_shows_the_box_in_place(page: Page, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    search(page, "spoon")
    page.locator(".card .frame").click()
    dialog = page.get_by_role("dialog")
    expect_in_place(page, dialog.locator(".large"))
    page.keyboard.press("b")
    expect(dialog.locator(".boxes")).to_have_css("opacity", "0")


def test_hover_on_a_label_highlights_its_box(page: Page) -> None:
    search(page, "spoon")
    page.locator(".card .frame").click()
    page.locator(".label", has_text="Saucer").hover()
    expect(page.locator("dialog .box.lit")).to_have_text("Saucer 90.2")
    expect(page.locator("dialog .box.dimmed")).to_have_count(2)


def test_line_of_text_is_found_and_shown_in_place(page: Page) -> None:
    search(page, '"speed limit"')
    expect(page.locator(".card .chip.wanted")).to_have_text("SPEED LIMIT")
    page.locator(".card .frame").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("list", name="Text").locator(".label.wanted .name")).to_have_text("SPEED LIMIT")
    box = dialog.locator(".box.wanted")
    expect(box).to_have_text("SPEED LIMIT 99.1")
    expect(dialog.locator('.large [data-state="shown"]')).to_be_visible()
    expected = [SIGN.left, SIGN.top, SIGN.width, SIGN.height]
    assert place(box, dialog.locator(".large img")) == pytest.approx(expected, abs=0.005)


def test_labels_with_equal_boxes_share_one(page: Page) -> None:
    search(page, "photographer")
    page.locator(".card .frame").first.hover()
    expect(page.locator(".card").first.locator(".box").first).to_have_text("Person 98.2 · Photographer 98.2 · Man 95.8")


def expect_box_over_brick(page: Page, within: Locator, hide: Callable[[], None]) -> None:
    """The visible part of the box must cover the red pixels of the screenshot."""
    expect(within.locator(".box")).to_be_visible()
    box, frame = edges(within.locator(".box")), edges(within.locator(".picture"))
    hide()
    seen = brick(Image.open(io.BytesIO(page.screenshot())))
    expected = (max(box[0], frame[0]), max(box[1], frame[1]), min(box[2], frame[2]), min(box[3], frame[3]))
    assert seen == pytest.approx(expected, abs=3)


def edges(element: Locator) -> tuple[float, float, float, float]:
    """Left, top, right and bottom in pixels of the screen."""
    found = element.bounding_box()
    assert found
    return found["x"], found["y"], found["x"] + found["width"], found["y"] + found["height"]


@pytest.mark.parametrize("suffix", FORMATS)
def test_box_covers_the_brick_in_a_rotated_photo(page: Page, suffix: str) -> None:
    page.emulate_media(reduced_motion="reduce")
    home = page.url
    for photo in (each for each in TURNED if each.suffix == suffix):
        page.goto(f"{home}?q=brick&photo={photo.key}")
        large = page.get_by_role("dialog").locator(".large")
        expect(large.locator('[data-state="shown"]')).to_be_visible()

        def hide(large: Locator = large) -> None:
            page.keyboard.press("b")
            expect(large.locator(".boxes")).to_have_css("opacity", "0")
            expect(large.locator("img")).to_have_css("opacity", "1")

        expect_box_over_brick(page, large, hide)


@pytest.mark.parametrize("photo", [TurnedPhoto("png", 6), TurnedPhoto("jpg", 6)], ids=lambda photo: photo.key)
def test_box_covers_the_brick_in_the_grid(page: Page, photo: TurnedPhoto) -> None:
    page.get_by_label("Keys that start with").fill(photo.key)
    search(page, "brick")
    card = page.locator(".card")
    expect(card.locator('[data-state="shown"]')).to_be_visible()
    card.locator(".frame").hover()

    def hide() -> None:
        page.mouse.move(0, 0)
        expect(card.locator(".boxes")).to_have_css("opacity", "0")
        expect(card.locator("img")).to_have_css("opacity", "1")

    expect_box_over_brick(page, card, hide)


def test_box_is_not_rotated_if_the_browser_does_not_rotate_pngs(page: Page) -> None:
    """The page measures a test picture to detect this. A picture 2 pixels wide stands for such a browser."""
    file = io.BytesIO()
    Image.new("1", (2, 1)).save(file, "PNG")
    page.route("**/on-its-side.png", lambda route: route.fulfill(body=file.getvalue(), content_type="image/png"))
    photo = TurnedPhoto("png", 6)
    page.goto(f"{page.url}?q=brick&photo={photo.key}")
    large = page.get_by_role("dialog").locator(".large")
    expect(large.locator(".box")).to_be_visible()
    expect(large.locator('[data-state="shown"]')).to_be_visible()
    assert place(large.locator(".box"), large.locator("img")) == pytest.approx(photo.box(), abs=0.005)
