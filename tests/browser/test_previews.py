"""What the grid transfers: 200 photos of 4 MB, in the first visit and in the second, and in the next run."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import pytest
from crowd import CrowdAtOnce
from image_labels_cli.browse.server import PageServer
from playwright.sync_api import expect
from test_search import search

from bench.camera import THUMBNAIL, exif_of, jpeg, scene
from bench.photo_origin import PhotoOrigin

if TYPE_CHECKING:
    from pathlib import Path

    from collection import Collection
    from playwright.sync_api import Browser, Page

MOST_BYTES_PER_PHOTO = 50_000  # 10 MB for 200 photos
NEXT_TO_NOTHING = 500_000  # labels and addresses, and no preview
SIZE = 4_000_000
# Photos with an embedded thumbnail, as most cameras write it, and fewer without one, which take longer.
KINDS = {"with thumbnails": 200, "without thumbnails": 16}

# Whether the first view shows its recent photos, and the covers that covers.js loads: in sight and 100 px below.
OPENING = """
() => {
  const inSight = (element) => element.getBoundingClientRect().top < innerHeight + 100;
  const recent = [...document.querySelectorAll(".recent .picture")];
  const covers = [...document.querySelectorAll("#start .cover")].filter(inSight);
  return recent.length && recent.every((picture) => picture.dataset.state === "shown")
      && covers.every((cover) => cover.classList.contains("shown"));
}
"""

# Scrolls window by window, waits until all photos in it and just outside are shown, until `total` have been in sight.
SCROLL = """
async (total) => {
  const seen = new Set();
  while (true) {
    await new Promise(requestAnimationFrame);
    const cards = [...document.querySelectorAll(".card")];
    if (!cards.length || !cards.every((card) => card.querySelector('[data-state="shown"]'))) continue;
    for (const card of cards) seen.add(card.querySelector(".file").textContent);
    if (seen.size >= total) return;
    scrollBy(0, innerHeight);
    await new Promise(requestAnimationFrame);
  }
}
"""


@cache
def photo(thumbnail: bool) -> bytes:
    return jpeg(scene(1600, 1200), SIZE, exif=exif_of(scene(*THUMBNAIL)) if thumbnail else b"")


class Traffic:
    """Bytes that the browser received from the network, which is not its cache."""

    def __init__(self, page: Page) -> None:
        self.received = 0
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.loadingFinished", self._count)

    def _count(self, event: dict[str, float]) -> None:
        self.received += int(event["encodedDataLength"])


@pytest.fixture
def previews(tmp_path: Path) -> Path:
    return tmp_path / "previews"


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def origin(kind: str, collection: Collection) -> Iterator[PhotoOrigin]:
    """S3, whose photos have the ETags of their items."""
    pages = collection.access.dynamodb.get_paginator("scan").paginate(
        TableName=collection.access.images_table, ProjectionExpression="PK, ETag"
    )
    etags = {item["PK"]["S"]: item["ETag"]["S"] for page in pages for item in page["Items"]}
    origin = PhotoOrigin(lambda _: photo(kind == "with thumbnails"), etag=etags.__getitem__)
    yield origin
    origin.close()


@pytest.fixture
def large(collection: Collection, origin: PhotoOrigin, previews: Path) -> Iterator[PageServer]:
    """The page of a bucket whose photos have 4 MB each."""
    access = replace(collection.access, s3=origin.client())
    site = PageServer(access, finder=CrowdAtOnce(access), previews=previews)
    thread = threading.Thread(target=site.run, daemon=True)
    thread.start()
    yield site
    site.close()
    thread.join(timeout=5)


@pytest.fixture
def visitor(chromium: Browser, large: PageServer) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.goto(large.url)
    yield page
    context.close()


@pytest.mark.parametrize("kind", ["with thumbnails"], indirect=True)
def test_thumbnail_becomes_sharp_when_the_photo_is_looked_at(visitor: Page, origin: PhotoOrigin) -> None:
    search(visitor, "crowd")
    image = visitor.locator(".card img").first
    expect(visitor.locator('.card [data-state="shown"]').first).to_be_visible()
    width = "(image) => image.naturalWidth"
    assert image.evaluate(width) == THUMBNAIL[0]
    image.hover()
    visitor.wait_for_function("(image) => image.naturalWidth === 512", arg=image.element_handle())
    assert origin.sent < 3 * SIZE  # and no other photo


def test_scrolling_transfers_little_and_the_second_time_next_to_nothing(
    visitor: Page, origin: PhotoOrigin, kind: str
) -> None:
    photos = KINDS[kind]
    visitor.wait_for_function(OPENING)  # else the second visit makes previews for the first view
    traffic = Traffic(visitor)
    search(visitor, "crowd")
    visitor.evaluate(SCROLL, photos)
    first = traffic.received
    assert photos * 1000 < first < photos * MOST_BYTES_PER_PHOTO
    if kind == "with thumbnails":
        assert origin.sent < photos * MOST_BYTES_PER_PHOTO  # from S3, too
    origin.reset()

    visitor.goto(visitor.url.split("?")[0])
    visitor.wait_for_function(OPENING)
    search(visitor, "crowd")
    visitor.evaluate(SCROLL, photos)
    assert traffic.received - first < NEXT_TO_NOTHING
    assert origin.sent == 0
