"""Keys, labels and expressions are untrusted text, which the page shows as text."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from collection import MARKUP, REORDERING
from playwright.sync_api import Error, expect
from support.listening import assert_loopback_only
from test_search import search

if TYPE_CHECKING:
    from image_labels_cli.browse.server import PageServer
    from image_labels_emulator.server import Server
    from playwright.sync_api import Dialog, Page


def test_markup_in_a_key_is_shown_as_text(page: Page) -> None:
    shown: list[str] = []

    def seen(dialog: Dialog) -> None:
        shown.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", seen)
    search(page, "markup")
    card = page.locator(".card")
    expect(card.locator('[data-state="shown"]')).to_be_visible()  # the request to S3 had the exact key
    folder, file = MARKUP.rsplit("/", 1)
    expect(card.locator(".folder")).to_have_text(f"{folder}/")
    expect(card.locator(".file")).to_have_text(file)
    expect(card.get_by_role("button", name="<b>Bold</b>")).to_be_visible()
    card.locator(".frame").click()
    expect(page.get_by_role("dialog").get_by_role("heading", level=2)).to_have_text(file)
    page.keyboard.press("Escape")
    card.get_by_role("button", name="<b>Bold</b>").click()
    expect(page.get_by_role("combobox", name="Labels to search for")).to_have_value('markup AND "<b>Bold</b>"')
    expect(card).to_have_count(1)
    assert page.locator("img[src=x], main b, .card script").count() == 0
    assert not shown


def test_reordering_characters_in_a_key_are_escaped_and_isolated(page: Page) -> None:
    search(page, "reordered")
    card = page.locator(".card")
    expect(card.locator('[data-state="shown"]')).to_be_visible()  # the request to S3 had the exact key
    folder, file = r"images/שלום \u2069\u202e/", r"photo\u2067\u202egpj.exe\u200b\u001b.png"
    expect(card.locator(".folder")).to_have_text(folder)
    expect(card.locator(".file")).to_have_text(file)
    expect(card.locator(".frame")).to_have_accessible_name(f"{folder}{file}, 90.0 percent")
    # The confidence is to the right of the name, and the characters of the name run from left to right.
    name, confidence = card.locator(".file").bounding_box(), card.locator(".confidence").bounding_box()
    assert name
    assert confidence
    assert name["x"] + name["width"] <= confidence["x"] + 1
    order = """(element) => [...element.textContent].map((_, n) => {
        const range = document.createRange();
        range.setStart(element.firstChild, n);
        range.setEnd(element.firstChild, n + 1);
        return range.getBoundingClientRect().left;
    })"""
    lefts = card.locator(".file").evaluate(order)
    assert lefts == sorted(lefts)
    isolated = "(element) => getComputedStyle(element).unicodeBidi"
    assert [card.locator(name).evaluate(isolated) for name in (".file", ".folder")] == ["isolate", "isolate"]
    card.locator(".frame").click()
    expect(page.get_by_role("dialog").get_by_role("heading", level=2)).to_have_text(file)
    assert page.title() == f"{folder}{file} – Image labels"  # noqa: RUF001
    assert REORDERING.rsplit("/", 1)[1] not in page.content()


def test_other_notation_gets_a_correction_to_click(page: Page, errors: list[str]) -> None:
    search(page, "“traffic light” && -cat")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("“ is a typographic quote")
    alert.get_by_role("button", name='"traffic light" AND NOT cat').click()
    expect(page.get_by_role("combobox", name="Labels to search for")).to_have_value('"traffic light" AND NOT cat')
    expect(alert).to_be_hidden()
    expect(page.locator(".card")).not_to_have_count(0)
    errors.clear()  # the answer 400 is expected


def test_markup_in_an_expression_is_shown_as_text(page: Page, errors: list[str]) -> None:
    search(page, '"<img src=x onerror=alert(1)>"')
    expect(page.locator("q")).to_have_text("<img src=x onerror=alert(1)>")
    search(page, "<script>alert(1)</script>")
    expect(page.get_by_role("alert").locator("code")).to_contain_text("<script>alert(1)</script>")
    assert page.locator("img[src=x], main script").count() == 0
    errors.clear()  # the answer 400 is expected


def test_security_policy_blocks_inserted_markup(page: Page, errors: list[str]) -> None:
    with pytest.raises(Error, match="TrustedHTML"):
        page.evaluate("document.querySelector('main').innerHTML = '<img src=x onerror=alert(1)>'")
    page.evaluate("document.body.append(Object.assign(document.createElement('img'), {src: 'https://evil.example/'}))")
    expect(page.locator("body > img")).to_be_attached()
    page.wait_for_function("() => true")
    assert any("img-src" in error for error in errors)
    errors.clear()


def test_token_is_hidden_from_scripts(page: Page) -> None:
    assert page.evaluate("document.cookie") == ""
    assert "token" not in page.evaluate("location.href")


def test_page_and_localstack_listen_on_loopback_only(page: Page, site: PageServer, localstack: Server) -> None:
    """The page's server, its LocalStack, and the tests' own process."""
    opened = assert_loopback_only()
    assert {site.port, urlsplit(localstack.url).port} <= opened
