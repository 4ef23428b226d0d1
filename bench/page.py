"""`make bench-page`: bytes and time of the web page's grid, with 1,000 photos of 4 MB.

Chromium scrolls through a search that finds all photos, and waits at every half window until the photos in it are
shown. S3 is bench/photo_origin.py behind a link of 100 Mbit/s and 30 ms. The cases:

    previews, thumbnails       photos with an embedded thumbnail of 160 x 120 pixels, as most cameras write it
    previews, no thumbnails    the page has to read each photo once
    photos                     the page without previews: the browser loads the photos themselves

The visits:

    first       nothing is kept
    second      the same browser and server
    next run    a new server and a new browser, with the previews on the disk

The first case scrolls through all photos, and the others through the first MANY, because the link is their limit.
"""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from image_labels.model import Label, Labels, Photo
from image_labels_cli.browse import Access
from image_labels_cli.browse.server import PageServer
from playwright.sync_api import Route, sync_playwright

from bench.camera import camera_photo
from bench.memory_tables import IMAGES_TABLE, LABELS_TABLE, MemoryTables
from bench.photo_origin import Link, PhotoOrigin, etag_of
from bench.report import report
from tools.chromium import MISSING, executable

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

BUCKET = "photos"
PHOTOS, MANY, SIZE = 1000, 100, 4_000_000
DIFFERENT = 5
LINK = Link(bits_per_second=100e6, latency=0.03)
WINDOW = {"width": 1280, "height": 800}

# Scrolls by half a window until `total` photos were shown. Returns milliseconds until the first window was complete.
SCROLL = """
async (total) => {
  const began = performance.now(), seen = new Set();
  let first = null;
  while (seen.size < total) {
    const cards = [...document.querySelectorAll(".card")].filter((card) => {
      const at = card.getBoundingClientRect();
      return at.bottom > 0 && at.top < innerHeight;
    });
    if (!cards.length || !cards.every((card) => card.querySelector('[data-state="shown"]'))) {
      await new Promise(requestAnimationFrame);
      continue;
    }
    first ??= performance.now() - began;
    for (const card of cards) seen.add(card.querySelector(".file").textContent);
    scrollBy(0, innerHeight / 2);
    await new Promise(requestAnimationFrame);
  }
  return first;
}
"""


@dataclass(frozen=True)
class Visit:
    """Figures of one visit: seconds until the first window was complete, and until all; megabytes (10^6 bytes)."""

    case: str
    visit: str
    photos: int
    first_photos_s: float
    all_photos_s: float
    to_browser_mb: float
    from_s3_mb: float


class Tables(MemoryTables):
    """The page does not ask for the capacity of BatchGetItem."""

    def batch_get_item(self, *, RequestItems: Any, ReturnConsumedCapacity: str = "TOTAL") -> Any:  # noqa: N803
        return super().batch_get_item(RequestItems=RequestItems, ReturnConsumedCapacity=ReturnConsumedCapacity)


@cache
def photo(seed: int, thumbnail: bool) -> bytes:
    return camera_photo(seed, SIZE, thumbnail=thumbnail)


def main() -> None:
    """Measure all cases, and report them."""
    chromium = executable()
    if chromium is None:
        raise SystemExit(f"error: {MISSING}")
    visits: list[Visit] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--disable-gpu", "--no-proxy-server"])
        visits += _case(browser, "previews, thumbnails", PHOTOS, thumbnail=True, previews=True)
        visits += _case(browser, "previews, no thumbnails", MANY, thumbnail=False, previews=True)
        visits += _case(browser, "photos", MANY, thumbnail=True, previews=False)
        browser.close()
    _report(visits)


def _case(browser: Browser, case: str, photos: int, *, thumbnail: bool, previews: bool) -> Iterator[Visit]:
    origin = PhotoOrigin(lambda key: photo(int(key[-6:-4]) % DIFFERENT, thumbnail), LINK)
    for seed in range(DIFFERENT):
        photo(seed, thumbnail)  # makes it before the measurement
    with tempfile.TemporaryDirectory() as directory:
        with _server(origin, Path(directory)) as url, _page(browser, url, previews) as page:
            traffic = _Traffic(page)
            for visit in ("first", "second"):
                yield _visit(page, traffic, origin, case, visit, photos)
        if previews:
            with _server(origin, Path(directory)) as url, _page(browser, url, previews) as page:
                yield _visit(page, _Traffic(page), origin, case, "next run", photos)
    origin.close()


def _visit(page: Page, traffic: _Traffic, origin: PhotoOrigin, case: str, visit: str, photos: int) -> Visit:
    origin.reset()
    traffic.received = 0
    page.goto(page.url.split("?")[0] + "?q=nothing")
    began = time.monotonic()
    page.get_by_role("combobox", name="Labels to search for").fill("photo")
    page.get_by_role("combobox", name="Labels to search for").press("Enter")
    first = page.evaluate(SCROLL, photos)
    measured = Visit(
        case, visit, photos, first / 1000, time.monotonic() - began, traffic.received / 1e6, origin.sent / 1e6
    )
    print(json.dumps(asdict(measured)), flush=True)
    return measured


@contextmanager
def _server(origin: PhotoOrigin, previews: Path) -> Iterator[str]:
    tables = Tables()
    keys = [f"images/{number:06d}.jpg" for number in range(PHOTOS)]
    tables.add(
        (Photo(BUCKET, key, etag_of(key), None, SIZE), Labels((Label("Photo", 99 - number / 100),), "3.0"))
        for number, key in enumerate(keys)
    )
    access = Access(cast("Any", tables), origin.client(), IMAGES_TABLE, LABELS_TABLE, BUCKET)
    server = PageServer(access, previews=previews)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield server.url
    server.close()
    thread.join(timeout=5)


@contextmanager
def _page(browser: Browser, url: str, previews: bool) -> Iterator[Page]:
    context = browser.new_context(viewport=cast("Any", WINDOW))
    context.set_default_timeout(600_000)
    page = context.new_page()
    if not previews:
        page.route("**/api/photos?*", _without_previews)
    page.goto(url)
    yield page
    context.close()


def _without_previews(route: Route) -> None:
    """Lets the page load the photo itself in place of its preview."""
    answer = route.fetch()
    content = answer.json()
    for each in content["photos"]:
        each["preview"] = each["url"]
    route.fulfill(json=content)


class _Traffic:
    """Bytes that the browser received, without those from its cache."""

    def __init__(self, page: Page) -> None:
        self.received = 0
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.loadingFinished", self._count)

    def _count(self, event: dict[str, float]) -> None:
        self.received += int(event["encodedDataLength"])


def _report(visits: list[Visit]) -> None:
    by = {(each.case, each.visit): each for each in visits}
    first, second = by["previews, thumbnails", "first"], by["previews, thumbnails", "second"]
    photos = by["photos", "first"]
    figures = {
        "first_visit_mb": first.to_browser_mb,
        "second_visit_mb": second.to_browser_mb,
        "first_visit_from_s3_mb": first.from_s3_mb,
        "first_photos_s": first.first_photos_s,
        "second_photos_s": second.first_photos_s,
        "photos_first_photos_s": photos.first_photos_s,
        "bytes_over_previews": photos.to_browser_mb / photos.photos / (first.to_browser_mb / first.photos),
    }
    report(
        "page", figures, {"photos": PHOTOS, "bytes": SIZE, "link": asdict(LINK), "visits": list(map(asdict, visits))}
    )


if __name__ == "__main__":
    main()
