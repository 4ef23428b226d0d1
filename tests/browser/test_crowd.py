"""A search that finds 10,000 photos."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collection import CROWD
from pictures import jpeg
from playwright.sync_api import expect
from test_search import search

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

PHOTO = jpeg(400, 300, seed=1)
# Generous, because test machines are slow and busy. A page with all photos in the DOM would need seconds per frame.
LONGEST_FRAME_MS = 2000
USUAL_FRAME_MS = 200  # 95th percentile
MOST_CARDS = 60
MOST_MEGABYTES = 60

# Scrolls at every frame until the list stops growing, and measures the duration of the frames.
SCROLL = """
async (total) => {
  const grid = document.getElementById("grid");
  const frames = [];
  let last = performance.now(), most = 0;
  while (!document.getElementById("status").textContent.startsWith(total)
         || scrollY + innerHeight < document.documentElement.scrollHeight - 4) {
    scrollBy(0, 2500);
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    frames.push(now - last);
    most = Math.max(most, grid.childElementCount);
    last = now;
  }
  frames.sort((one, other) => one - other);
  return {longest: frames.at(-1), usual: frames[Math.floor(frames.length * 0.95)], frames: frames.length, most};
}
"""


def test_scrolling_to_the_end_stays_smooth(page: Page) -> None:
    requested: list[str] = []

    def photo(route: Route) -> None:
        requested.append(route.request.url)
        route.fulfill(body=PHOTO, content_type="image/jpeg")

    page.route("**/api/preview?*", photo)
    page.set_default_timeout(60_000)
    search(page, "crowd")
    expect(page.locator(".card").first).to_be_visible()
    seen = page.evaluate(SCROLL, f"{CROWD:,} photos")
    assert seen["usual"] < USUAL_FRAME_MS
    assert seen["longest"] < LONGEST_FRAME_MS
    assert seen["most"] <= MOST_CARDS
    expect(page.locator(".card", has_text=f"{CROWD - 1:05d}.jpg")).to_be_visible()
    megabytes = page.evaluate("performance.memory.usedJSHeapSize") / 1e6
    assert megabytes < MOST_MEGABYTES

    # Photos that were scrolled past were not requested, and the top of the list is shown again.
    assert len(requested) < CROWD / 2
    page.evaluate("scrollTo(0, 0)")
    expect(page.locator(".card").first).to_contain_text("00000.jpg")
    expect(page.locator('.card [data-state="shown"]').first).to_be_visible()


def test_back_restores_the_scroll_position(page: Page) -> None:
    page.route("**/api/preview?*", lambda route: route.fulfill(body=PHOTO, content_type="image/jpeg"))
    search(page, "crowd")
    expect(page.locator(".card").first).to_be_visible()
    page.evaluate("scrollBy(0, 1000)")
    page.wait_for_function("() => scrollY === 1000")
    # The next page is read.
    page.wait_for_function("() => document.getElementById('status').textContent.startsWith('250 ')")
    page.evaluate("scrollBy(0, 6000)")
    left = page.evaluate("scrollY")
    assert left > 5000
    search(page, "cat")
    expect(page.locator(".card")).to_have_count(2)
    page.go_back()
    expect(page.get_by_role("combobox", name="Labels to search for")).to_have_value("crowd")
    page.wait_for_function("left => scrollY === left", arg=left)
