"""Labels that are not by AWS: the line that says so, in every view and in any window."""

from __future__ import annotations

import re

import pytest
from image_labels_cli.emulated import PATH
from playwright.sync_api import Locator, Page, expect

LINE = "Labels by the emulated Rekognition"


def is_in_sight(line: Locator) -> bool:
    """Whether the middle of the line is at the front, inside the window, and wraps no wider than it."""
    return bool(
        line.evaluate(
            """(line) => {
                const at = line.getBoundingClientRect();
                const front = document.elementFromPoint(at.left + at.width / 2, at.top + at.height / 2);
                return line === front && at.left >= 0 && at.right <= innerWidth && at.bottom <= innerHeight;
            }"""
        )
    )


@pytest.mark.parametrize("width", [1280, 320])
@pytest.mark.parametrize("view", ["", "?q=cat", "?q=crowd", "?view=rejected", "?view=upload", "?q=nothing-has-this"])
def test_every_view_names_the_emulator(page: Page, view: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 700})
    page.goto(page.url.split("?")[0] + view)
    line = page.get_by_role("contentinfo")
    expect(line).to_contain_text(LINE)
    assert is_in_sight(line)
    page.mouse.wheel(0, 3000)
    assert is_in_sight(line)
    expect(page.locator("main")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 320])
def test_photo_names_the_emulator_below_its_labels(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 700})
    page.goto(page.url + "?q=cat")
    page.locator(".card .frame").first.click()
    line = page.get_by_role("dialog").get_by_text(LINE)
    line.scroll_into_view_if_needed()
    assert is_in_sight(line)


def test_last_photo_is_not_below_the_line(page: Page) -> None:
    page.goto(page.url + "?q=cat OR rocket OR cup")
    expect(page.locator('.card [data-state="shown"]').first).to_be_visible()
    page.locator(".card .frame").first.focus()
    page.keyboard.press("End")
    below = """() => {
        const line = document.querySelector("footer").getBoundingClientRect().top;
        return document.activeElement.getBoundingClientRect().bottom <= line;
    }"""
    page.wait_for_function(below)


def test_page_of_labels_by_aws_has_no_line(page: Page) -> None:
    page.route(
        re.compile(r"/api/about"), lambda route: route.fulfill(json={"bucket": "photos", "table": "t", "labelsBy": ""})
    )
    page.reload()
    expect(page.locator("#bucket")).to_have_text("photos")
    for line in page.locator(".labels-by").all():
        expect(line).to_be_hidden()


def test_page_asks_the_emulator_nothing(page: Page) -> None:
    """The command asks. The browser talks to the page's server only."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    expect(page.get_by_role("contentinfo")).to_contain_text(LINE)
    assert not [url for url in asked if PATH in url]
