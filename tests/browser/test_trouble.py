"""Failures of AWS, of the page's server and of S3: messages and recovery."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from collection import GONE
from playwright.sync_api import expect
from test_search import search

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

DENIED = {
    "kind": "denied",
    "title": "Your credentials lack the permission dynamodb:Query.",
    "advice": "Ask the administrator of the AWS account.",
    "detail": "AccessDeniedException: no",
    "position": None,
}


def test_missing_permission_is_reported_with_a_retry(page: Page, errors: list[str]) -> None:
    def deny(route: Route) -> None:
        route.fulfill(status=502, content_type="application/json", body=json.dumps(DENIED))

    page.route("**/api/find?*", deny)
    search(page, "cat")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Your credentials lack the permission dynamodb:Query.")
    expect(alert).to_contain_text("Ask the administrator of the AWS account.")
    page.unroute("**/api/find?*")
    alert.get_by_role("button", name="Try again").click()
    expect(page.locator(".card")).to_have_count(2)
    expect(alert).to_be_hidden()
    errors.clear()


@pytest.mark.parametrize("path", ["find", "labels", "rejected", "photos"])
def test_stopped_server_is_reported(page: Page, errors: list[str], path: str) -> None:
    expect(page.get_by_role("link", name="Astronaut")).to_be_visible()
    page.route(f"**/api/{path}?*", lambda route: route.abort())
    address = {"labels": "/", "rejected": "/?view=rejected"}.get(path, "/?q=cat")
    page.goto(page.url.rstrip("/") + address)
    expect(page.get_by_text("Start “image-labels browse” again")).to_be_visible()
    errors.clear()


def test_slow_photos_of_the_first_view_do_not_delay_a_search(page: Page) -> None:
    searching = False
    # Without an answer before the search.
    page.route("**/api/preview?*", lambda route: route.continue_() if searching else None)
    with page.expect_request("**/api/preview?*"):
        page.reload()
    page.wait_for_function("() => document.querySelectorAll('.recent [data-state=loading]').length > 4")
    searching = True
    search(page, "cat")
    expect(page.locator('.card [data-state="shown"]')).to_have_count(2)


@pytest.fixture
def expired(page: Page) -> list[str]:
    """The first request for the photo of the café, which S3 refuses because its URL has expired."""
    expired: list[str] = []

    def expire(route: Route) -> None:
        if expired:
            route.continue_()
            return
        expired.append(route.request.url)
        route.fulfill(status=403, body="Request has expired")

    page.route("**/images/2024/caf*", expire)
    return expired


def test_expired_photo_url_is_requested_again(page: Page, errors: list[str], expired: list[str]) -> None:
    page.goto(page.url + "?q=spoon&photo=images/2024/café+%26+spoon+100%25.png")
    expect(page.locator('dialog [data-state="shown"]')).to_be_visible()
    assert expired
    errors.clear()


def test_boxes_are_drawn_after_an_expired_photo_url(page: Page, errors: list[str], expired: list[str]) -> None:
    page.goto(page.url + "?q=spoon&photo=images/2024/café+%26+spoon+100%25.png")
    large = page.locator("dialog .large")
    expect(large.locator('[data-state="shown"]')).to_be_visible()
    assert expired
    expect(large.locator(".box", has_text="Spoon")).to_have_count(1)
    errors.clear()


def test_boxes_are_drawn_without_the_orientation(page: Page, errors: list[str]) -> None:
    page.route("**/api/orientation?*", lambda route: route.abort())
    page.goto(page.url + "?q=spoon&photo=images/2024/café+%26+spoon+100%25.png")
    expect(page.locator("dialog .box", has_text="Spoon")).to_have_count(1)
    errors.clear()


def test_deleted_object_is_reported(page: Page, errors: list[str]) -> None:
    search(page, "ghost")
    frame = page.locator(".card .frame")
    expect(frame).to_contain_text("No longer in the bucket")
    frame.click()
    expect(page.locator("dialog .why")).to_contain_text("no longer in the bucket")
    expect(page.get_by_role("dialog").get_by_role("heading")).to_have_text(GONE.rsplit("/", 1)[1])
    errors.clear()


@pytest.mark.parametrize(
    "address",
    [
        "",
        "?q=cat+OR+rocket",
        "?q=spoon&photo=images/2024/café+%26+spoon+100%25.png",
        "?view=rejected",
        "?view=status",
        "?view=upload",
    ],
)
def test_page_fits_the_width_of_the_window(page: Page, address: str) -> None:
    page.goto(page.url + address)
    shown = ".letters a, .card, dialog .label, .rejected li, .numbers, .drop-zone"
    expect(page.locator(shown).first).to_be_visible()
    for width in (320, 390, 1280):
        page.set_viewport_size({"width": width, "height": 700})
        page.evaluate("new Promise(requestAnimationFrame)")  # the list is laid out again
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate("document.querySelector('dialog').scrollWidth") <= width
