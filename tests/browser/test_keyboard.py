"""The page without a mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def focused(page: Page) -> str:
    """The accessible name or the text of the focused element."""
    element = "document.activeElement"
    label = f"{element}.labels?.[0]?.firstChild.textContent.trim()"
    return str(page.evaluate(f"{element}.ariaLabel || {element}.innerText || {label}"))


def test_keyboard_searches_opens_narrows_and_goes_back(page: Page) -> None:
    expect(page.get_by_role("combobox", name="Labels to search for")).to_be_focused()
    page.keyboard.type("cat OR tripod OR rocket")
    press(page, "Enter")
    expect(page.locator('.card [data-state="shown"]')).to_have_count(7)
    expect(page.locator("#facets")).to_be_visible()  # beside the photos, which leaves three columns

    press(page, *["Tab"] * 6)  # Help, Search, and the fields below
    assert "Chelsea" in focused(page)
    press(page, "ArrowRight")
    assert "rocket launch" in focused(page)
    press(page, "End")
    assert focused(page).startswith("images/2024/NASA/Eileen Collins.PNG, 71.2 percent")
    press(page, "ArrowRight", "Home")  # ArrowRight does nothing on the last photo
    assert "Chelsea" in focused(page)
    press(page, "ArrowDown")
    assert page.evaluate("document.activeElement.closest('.card').ariaPosInSet") == "4"

    press(page, "Home", "Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading")).to_have_text("Chelsea (my cat).png")
    press(page, "ArrowRight")
    expect(dialog.get_by_role("heading")).to_have_text("rocket launch + smoke.jpg")
    press(page, "Escape")
    expect(dialog).to_be_hidden()
    assert "rocket launch" in focused(page)

    press(page, "Tab", "Enter")  # the first label of this card that is not in the expression
    expect(page.get_by_role("combobox", name="Labels to search for")).to_have_value(
        "(cat OR tripod OR rocket) AND Launch"
    )
    expect(page.locator(".card")).to_have_count(2)
    press(page, "Tab")
    assert "rocket launch" in focused(page)  # the focus moved to the new list
    press(page, "Tab", "Shift+Enter")
    expect(page.get_by_role("combobox", name="Labels to search for")).to_have_value(
        "(cat OR tripod OR rocket) AND Launch AND NOT Night"
    )
    press(page, "/")
    expect(page.get_by_role("combobox", name="Labels to search for")).to_be_focused()


def test_tab_reaches_every_control(page: Page) -> None:
    page.goto(page.url + "?q=spoon")
    expect(page.locator('.card [data-state="shown"]')).to_be_visible()
    page.get_by_role("link", name="Skip to photos").focus()
    seen = []
    for _ in range(15):
        seen.append(focused(page))
        press(page, "Tab")
    assert seen == [
        "Skip to photos",
        "Image labels",
        "Photos",
        "Rejected",
        "Status",
        "Upload",
        "Labels to search for",
        "Help",
        "Search",
        "Keys that start with",
        "Confidence at least",
        "Highest confidence\nKey, A to Z\nKey, Z to A",
        "images/2024/café & spoon 100%.png, 95.7 percent",
        "Coffee Cup",
        "Cup",
    ]


def test_focus_is_visible(page: Page) -> None:
    page.goto(page.url + "?q=spoon")
    frame = page.locator(".card .frame")
    expect(page.locator('.card [data-state="shown"]')).to_be_visible()
    press(page, *["Tab"] * 6)
    expect(frame).to_be_focused()
    expect(frame).to_have_css("outline-style", "solid")
