"""Searches: typing and narrowing an expression, going back, and messages when nothing is found."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page


def search(page: Page, expression: str) -> None:
    page.get_by_role("combobox", name="Labels to search for").fill(expression)
    page.get_by_role("combobox", name="Labels to search for").press("Enter")


def files(page: Page) -> list[str]:
    """The names of the photos in the grid."""
    return page.locator(".card .file").all_inner_texts()


def test_first_page_lists_the_stored_labels(page: Page) -> None:
    expect(page).to_have_url(re.compile(r"/$"))  # without the token
    labels = page.get_by_role("region", name="All labels")
    expect(labels.get_by_role("listitem").filter(has_text="Rocket")).to_have_text("Rocket3")
    labels.get_by_role("link", name="Traffic Light").click()
    expect(page.locator(".card")).to_have_count(2)
    expect(page.get_by_role("combobox", name="Labels to search for")).to_have_value('"Traffic Light"')
    expect(page).to_have_title(re.compile("^.Traffic Light"))


def test_search_shows_photos_by_confidence(page: Page) -> None:
    search(page, "cat OR tripod")
    expect(page.get_by_role("status")).to_have_text("4 photos, highest confidence first")
    assert files(page) == ["Chelsea (my cat).png", "🎥 cameraman.png", "Chelsea (my cat).png", "🎥 cameraman.png"]
    assert page.locator(".card .confidence").all_inner_texts() == ["99.8 %", "97.6 %", "95.8 %", "93.6 %"]
    expect(page.locator('.card [data-state="shown"]')).to_have_count(4)
    widths = page.locator(".card img").evaluate_all("images => images.map(image => image.naturalWidth)")
    assert widths == [451, 512, 451, 512]  # previews have at most 512 pixels


def test_words_are_resolved_and_the_page_says_so(page: Page) -> None:
    search(page, "rockets night")
    said = "rockets night: no such label; searched for rocket AND night"
    expect(page.get_by_role("status")).to_have_text(f"2 photos, highest confidence first. {said}")
    expect(page.locator(".card")).to_have_count(2)
    search(page, "*ock*")
    expect(page.locator(".card")).to_have_count(3)


def test_click_on_a_label_narrows_the_search_and_back_undoes_it(page: Page) -> None:
    search(page, "rocket")
    expect(page.locator(".card")).to_have_count(3)
    page.locator(".card", has_text="smoke").first.get_by_role("button", name="Night").click()
    expect(page.get_by_role("combobox", name="Labels to search for")).to_have_value("rocket AND Night")
    expect(page.locator(".card")).to_have_count(2)
    page.locator(".card").first.get_by_role("button", name="Smoke").click(modifiers=["Shift"])
    expect(page.get_by_role("combobox", name="Labels to search for")).to_have_value("rocket AND Night AND NOT Smoke")
    expect(page.get_by_role("heading", name="No photo found")).to_be_visible()
    page.go_back()
    expect(page.locator(".card")).to_have_count(2)
    page.go_back()
    expect(page.locator(".card")).to_have_count(3)
    expect(page.get_by_role("combobox", name="Labels to search for")).to_have_value("rocket")
    page.go_forward()
    expect(page.locator(".card")).to_have_count(2)
    page.reload()
    expect(page.locator(".card")).to_have_count(2)


def test_narrowing_puts_alternatives_in_parentheses(page: Page) -> None:
    search(page, "rocket OR cat")
    page.get_by_role("button", name="Launch").first.click()
    expect(page.get_by_role("combobox", name="Labels to search for")).to_have_value("(rocket OR cat) AND Launch")
    expect(page.locator(".card")).to_have_count(2)


def test_search_can_be_limited_to_a_key_prefix(page: Page) -> None:
    page.get_by_label("Keys that start with").fill("images/2023/")
    search(page, "cat")
    expect(page.locator(".card")).to_have_count(1)
    expect(page.locator(".card .folder")).to_have_text("images/2023/")
    search(page, "coffee")
    page.get_by_role("button", name="Search all keys").click()
    expect(page.locator(".card")).to_have_count(1)


def test_photo_opens_with_its_labels(page: Page) -> None:
    search(page, "spoon")
    page.locator(".card .frame").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading")).to_have_text("café & spoon 100%.png")
    expect(dialog.locator(".label .name")).to_have_text(["Coffee Cup", "Cup", "Coffee", "Spoon", "Saucer"])
    expect(dialog.locator(".label").first).to_contain_text("1 box · in Cup · Food and Beverage")
    page.reload()
    expect(dialog.get_by_role("heading")).to_have_text("café & spoon 100%.png")
    page.go_back()
    expect(dialog).to_be_hidden()
    expect(page.locator(".card")).to_have_count(1)


def test_label_of_an_open_photo_narrows_the_search(page: Page) -> None:
    search(page, "person")
    page.locator(".card .frame").first.click()
    page.get_by_role("dialog").get_by_role("button", name="not Flag").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("combobox", name="Labels to search for")).to_have_value("person AND NOT Flag")
    expect(page.locator(".card")).to_have_count(2)


def test_rejected_photos_are_listed_with_reasons(page: Page) -> None:
    page.get_by_role("link", name="Rejected").click()
    entry = page.get_by_role("list", name="Rejected photos").get_by_role("listitem")
    expect(entry).to_contain_text("images/notes.jpg")
    expect(entry).to_contain_text("it is not a JPEG or PNG that can be decoded")
    page.go_back()
    expect(page.get_by_role("link", name="Astronaut")).to_be_visible()


def test_unknown_label_has_suggestions(page: Page) -> None:
    search(page, "rockte AND night")
    page.get_by_role("button", name="rocket").click()
    expect(page.get_by_role("combobox", name="Labels to search for")).to_have_value("rocket AND night")
    expect(page.locator(".card")).to_have_count(2)


def test_labels_are_completed(page: Page) -> None:
    page.get_by_role("combobox", name="Labels to search for").press_sequentially("cat AND fel")
    option = page.get_by_role("option", name="Feline alias")
    expect(option).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("combobox", name="Labels to search for")).to_have_value("cat AND Feline")
    page.keyboard.press("Enter")
    expect(page.locator(".card")).to_have_count(2)


@pytest.mark.parametrize(
    ("expression", "marked", "words"),
    [("(cat OR dog", "(", "never closed"), ("cat AND NOT", "", ""), ("NOT cat", "", "NOT alone")],
)
def test_mistake_is_marked(page: Page, errors: list[str], expression: str, marked: str, words: str) -> None:
    search(page, expression)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(words)
    expect(alert.locator("code")).to_contain_text(expression)
    expect(alert.locator("mark")).to_contain_text(marked)
    expect(page.get_by_role("combobox", name="Labels to search for")).to_be_focused()
    errors.clear()  # the answer 400 is expected
    search(page, "cat")
    expect(alert).to_be_hidden()
    expect(page.locator(".card")).to_have_count(2)
