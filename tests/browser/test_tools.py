"""What the page offers beside the search: covers, filters, order, facets, selection, downloads, zoom and status."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from collection import BUCKET, DEAD_LETTER, REDRIVE
from playwright.sync_api import expect
from test_search import files, search
from turned import TURNED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collection import Collection
    from playwright.sync_api import Page

CUP = "images/2024/café & spoon 100%.png"


def test_page_opens_on_recent_photos_and_frequent_labels(page: Page) -> None:
    recent = page.get_by_role("region", name="Recent photos").get_by_role("listitem")
    expect(recent).to_have_count(12)
    assert recent.locator(".file").all_inner_texts()[3:6] == [
        "rocket launch + smoke.jpg",
        "🎥 cameraman.png",
        "Chelsea (my cat).png",
    ]
    expect(recent.first).to_contain_text("No longer in the bucket")
    expect(recent.nth(3).locator('[data-state="shown"]')).to_be_visible()
    expect(recent.nth(3).locator("time")).to_have_text(re.compile(r"2026"))
    frequent = page.get_by_role("region", name="Most frequent labels").get_by_role("listitem")
    assert frequent.all_inner_texts()[:2] == [f"Brick\n{len(TURNED)} photos", "Person\n3 photos"]
    expect(frequent.nth(1).locator(".cover.shown")).to_be_visible()
    recent.nth(3).get_by_role("link").click()
    expect(page.get_by_role("dialog").locator("h2")).to_have_text("rocket launch + smoke.jpg")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("dialog").locator("h2")).to_have_text("🎥 cameraman.png")
    page.keyboard.press("Escape")
    frequent.nth(1).get_by_role("link").click()
    expect(page.locator(".card")).to_have_count(3)
    page.go_back()
    expect(frequent).to_have_count(12)


def test_labels_have_covers(page: Page) -> None:
    labels = page.get_by_role("region", name="All labels")
    spoon = labels.get_by_role("link", name="Spoon", exact=True)
    spoon.scroll_into_view_if_needed()
    cover = spoon.locator("img")
    expect(cover).to_be_visible()
    page.wait_for_function("(image) => image.naturalWidth > 0", arg=cover.element_handle())
    expect(labels.get_by_role("link", name="Ghost").locator(".cover.shown")).to_have_count(0)  # its object is deleted


def set_confidence(page: Page, percent: int) -> None:
    page.get_by_role("slider").fill(str(percent))


def test_confidence_can_be_limited_without_another_search(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    search(page, "cat OR tripod")
    expect(page.locator(".card")).to_have_count(4)
    searches = len([url for url in asked if "/api/find" in url])
    set_confidence(page, 96)
    expect(page.locator(".card")).to_have_count(2)
    assert page.locator(".card .confidence").all_inner_texts() == ["99.8 %", "97.6 %"]
    expect(page).to_have_url(re.compile("min=96"))
    assert len([url for url in asked if "/api/find" in url]) == searches
    page.reload()
    expect(page.locator(".card")).to_have_count(2)
    expect(page.get_by_role("slider")).to_have_value("96")
    set_confidence(page, 100)
    expect(page.get_by_role("heading", name="No photo found")).to_be_visible()
    page.get_by_role("button", name="Any confidence").click()
    expect(page.locator(".card")).to_have_count(4)


def test_photos_can_be_sorted_by_key(page: Page) -> None:
    search(page, "cat OR tripod")
    expect(page.locator(".card")).to_have_count(4)
    folders = page.locator(".card .folder")
    page.get_by_label("Order").select_option("Key, A to Z")
    expect(folders).to_have_text(["images/2023/", "images/2023/", "images/2024/", "images/2024/"])
    expect(page.get_by_role("status")).to_have_text("4 photos, sorted by key")
    page.get_by_label("Order").select_option("Key, Z to A")
    expect(folders).to_have_text(["images/2024/", "images/2024/", "images/2023/", "images/2023/"])
    page.go_back()
    expect(folders).to_have_text(["images/2023/", "images/2023/", "images/2024/", "images/2024/"])


def test_many_photos_are_sorted_as_far_as_they_are_read(page: Page) -> None:
    page.goto(page.url + "?q=crowd&sort=key-desc")
    expect(page.get_by_role("status")).to_contain_text("those of the highest confidence, sorted by key")
    last = int(files(page)[0].removesuffix(".jpg"))
    assert 2000 <= last + 1 < 2500


def test_labels_that_go_along_have_counts_and_narrow_the_search(page: Page) -> None:
    search(page, "person")
    facets = page.get_by_role("complementary", name="Labels that go along")
    expect(facets).to_contain_text("Counts of all 3 photos")
    entries = facets.get_by_role("listitem")
    expect(entries.filter(has_text="Tripod")).to_contain_text("2")
    expect(entries.filter(has_text="Smile")).to_contain_text("1")
    expect(entries.filter(has_text="Human")).to_have_count(0)  # an alias of the label that was searched for
    facets.get_by_role("button", name="Tripod 2").click()
    expect(page.get_by_role("combobox", name="Labels to search for")).to_have_value("person AND Tripod")
    expect(page.locator(".card")).to_have_count(2)
    page.go_back()
    facets.get_by_role("button", name="not Tripod").click()
    expect(page.get_by_role("combobox", name="Labels to search for")).to_have_value("person AND NOT Tripod")
    expect(page.locator(".card")).to_have_count(1)


@pytest.fixture
def clipboard(page: Page) -> Page:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    return page


def copied(page: Page) -> str:
    return str(page.evaluate("navigator.clipboard.readText()"))


def test_selected_photos_can_be_copied_and_downloaded(clipboard: Page) -> None:
    page = clipboard
    search(page, "cat OR spoon")
    expect(page.locator(".card")).to_have_count(3)
    page.locator(".card").first.hover()
    page.get_by_role("checkbox").first.check()
    page.locator(".card .frame").nth(1).focus()
    page.keyboard.press("x")
    selection = page.get_by_role("region", name="Selected photos")
    expect(selection).to_contain_text("2 selected")
    selection.get_by_role("button", name="Copy keys").click()
    expect(selection.get_by_role("button", name="Copied")).to_be_visible()
    keys = ["images/2024/Chelsea (my cat).png", "images/2023/Chelsea (my cat).png"]
    assert sorted(copied(page).split("\n")) == sorted(keys)
    selection.get_by_role("button", name="Copy S3 URIs").click()
    page.wait_for_function("async () => (await navigator.clipboard.readText()).startsWith('s3://')")
    assert sorted(copied(page).split("\n")) == sorted(f"s3://{BUCKET}/{key}" for key in keys)
    with page.expect_download() as download:
        selection.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "Chelsea (my cat).png"
    selection.get_by_role("button", name="Clear").click()
    expect(selection).to_be_hidden()
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(0)


def test_selection_outlives_scrolling(page: Page) -> None:
    search(page, "crowd")
    page.locator(".card").first.hover()
    page.get_by_role("checkbox").first.check()
    page.get_by_role("combobox", name="Labels to search for").focus()  # the card with the focus would stay
    page.evaluate("scrollTo(0, 8000)")
    expect(page.locator(".card", has_text="00000.jpg")).to_have_count(0)
    page.evaluate("scrollTo(0, 0)")
    expect(page.get_by_role("checkbox").first).to_be_checked()


def test_open_photo_can_be_copied_and_downloaded(clipboard: Page, tmp_path: Path, collection: Collection) -> None:
    page = clipboard
    page.goto(page.url + "?" + "q=spoon&photo=images/2024/café+%26+spoon+100%25.png")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Copy S3 URI").click()
    expect(dialog.get_by_role("button", name="Copied")).to_be_visible()
    assert copied(page) == f"s3://{BUCKET}/{CUP}"
    with page.expect_download() as download:
        dialog.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == CUP.rsplit("/", 1)[1]
    download.value.save_as(tmp_path / "photo")
    stored = collection.access.s3.get_object(Bucket=BUCKET, Key=CUP)["Body"].read()
    assert (tmp_path / "photo").read_bytes() == stored
    expect(dialog.get_by_role("link", name="S3 console")).to_be_hidden()  # there is none of an emulator


def test_open_photo_leads_to_the_console(page: Page) -> None:
    console = "https://eu-west-1.console.aws.amazon.com/s3/object/"
    about = {"bucket": BUCKET, "table": "t", "labelsBy": "", "console": console}
    page.route("**/api/about?*", lambda route: route.fulfill(json=about))
    page.reload()
    expect(page.locator("footer")).to_be_hidden()
    search(page, "spoon")
    page.locator(".card .frame").click()
    link = page.get_by_role("dialog").get_by_role("link", name="Open in the S3 console")
    expect(link).to_have_attribute(
        "href", f"{console}{BUCKET}?region=eu-west-1&prefix=images%2F2024%2Fcaf%C3%A9+%26+spoon+100%25.png"
    )


def test_open_photo_can_be_zoomed_and_moved(page: Page) -> None:
    search(page, "spoon")
    page.locator(".card .frame").click()
    dialog = page.get_by_role("dialog")
    image, frame = dialog.locator(".large img"), dialog.locator(".large .picture")
    expect(dialog.locator('.large [data-state="shown"]')).to_be_visible()
    width = "(image) => image.getBoundingClientRect().width"
    before = image.evaluate(width)
    page.keyboard.press("+")
    dialog.get_by_role("button", name="Zoom in").click()
    assert image.evaluate(width) == pytest.approx(before * 2.25, rel=0.02)
    left = frame.evaluate("(frame) => frame.scrollLeft")
    page.keyboard.press("ArrowRight")  # moves the photo, and does not show the next one
    assert frame.evaluate("(frame) => frame.scrollLeft") > left
    expect(dialog.get_by_role("heading")).to_have_text(CUP.rsplit("/", 1)[1])
    # The boxes are zoomed, too.
    box = dialog.locator(".box", has_text="Spoon").evaluate(width)
    assert box == pytest.approx(before * 2.25 * 0.2, rel=0.05)
    page.keyboard.press("0")
    assert image.evaluate(width) == pytest.approx(before, rel=0.01)
    image.dblclick()
    assert image.evaluate(width) == pytest.approx(before * 2.5, rel=0.02)
    page.keyboard.press("f")
    page.wait_for_function("() => document.fullscreenElement !== null")
    page.keyboard.press("f")
    page.wait_for_function("() => document.fullscreenElement === null")


@pytest.fixture
def dead_letter(collection: Collection) -> Iterator[None]:
    collection.send_dead_letter()
    yield
    collection.empty_queues()


@pytest.mark.usefixtures("dead_letter")
def test_status_shows_dead_letters_with_cause_and_command(clipboard: Page) -> None:
    page = clipboard
    page.get_by_role("link", name="Status").click()
    expect(page.get_by_role("heading", name="Status")).to_be_visible()
    letter = page.locator(".letters-dead li")
    for name in ("Photo", "Cause", "NextStep"):
        expect(letter).to_contain_text(DEAD_LETTER[name])
    expect(letter).to_contain_text("5 attempts")
    page.get_by_role("button", name="Copy the command").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert copied(page) == REDRIVE


def test_status_refreshes_itself(page: Page, collection: Collection) -> None:
    page.clock.install()
    page.get_by_role("link", name="Status").click()
    expect(page.get_by_role("heading", name="No dead letters")).to_be_visible()
    collection.send_dead_letter()
    page.clock.run_for(11_000)
    expect(page.locator(".letters-dead li")).to_have_count(1)
    collection.empty_queues()
    page.clock.run_for(11_000)
    expect(page.get_by_role("heading", name="No dead letters")).to_be_visible()


def test_rejected_photo_has_a_preview_or_says_that_there_is_none(page: Page) -> None:
    page.goto(page.url + "?view=rejected")
    expect(page.locator(".rejected .small")).to_contain_text("No preview")
