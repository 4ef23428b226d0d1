"""`make screenshots`: takes the README's pictures of the web page from the running demo, light and dark."""

from __future__ import annotations

import io
import json
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import boto3
from botocore.config import Config
from image_labels_cli.browse import Access
from image_labels_cli.browse.server import PageServer
from image_labels_cli.emulated import labels_by
from image_labels_cli.inventory.keys import KeyFilter
from image_labels_emulator import server
from PIL import Image
from playwright.sync_api import sync_playwright

from tools import chromium
from tools.demo import DIRECTORY
from tools.demo_shell import OUTPUTS
from tools.photographs import PREFIX, SUFFIXES
from tools.terraform import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

IMAGES = ROOT / "docs" / "images"
SIZE: Any = {"width": 1000, "height": 700}
MAX_BYTES = 250_000  # of a picture
COLORS = (256, 192, 128, 96, 64)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
# The search finds photographs whose licence permits a copy here: docs/images/NOTICE. The motorcycle's is not known.
SEARCH = "person OR cat OR coffee OR astronomy OR rocket"
PHOTOS = 6
PHOTO = "images/café & spoon 100%.png"
SECONDS = 60


class ScreenshotsError(Exception):
    """The demo or Chromium is missing; the message is one line."""


def take(directory: Path = IMAGES) -> list[Path]:
    """Write the pictures. Raises ScreenshotsError if the demo does not run, and playwright's errors."""
    with _site() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=_chromium(), args=chromium.ARGUMENTS, chromium_sandbox=os.geteuid() != 0
        )
        directory.mkdir(parents=True, exist_ok=True)
        files = [file for scheme in SCHEMES for file in _of_scheme(browser, address, scheme, directory)]
        browser.close()
    return files


def _chromium() -> str:
    if found := chromium.executable():
        return found
    raise ScreenshotsError(chromium.MISSING)


@contextmanager
def _site() -> Iterator[str]:
    """The address of the demo's page, on a new port and without stored previews."""
    running = server.find(DIRECTORY / "localstack")
    if running is None or not (DIRECTORY / OUTPUTS).exists():
        raise ScreenshotsError("the demo is not running; start it with make demo")
    outputs: dict[str, str] = json.loads((DIRECTORY / OUTPUTS).read_text())
    running.take_over_environment()
    dynamodb = boto3.client("dynamodb")
    s3 = boto3.client("s3", config=Config(signature_version="s3v4", s3={"addressing_style": "path"}))
    tables = outputs["images_table_name"], outputs["labels_table_name"]
    uploads = KeyFilter(PREFIX, SUFFIXES)
    access = Access(dynamodb, s3, *tables, outputs["bucket_name"], labels_by(running.url), uploads=uploads)
    with tempfile.TemporaryDirectory() as previews:
        site = PageServer(access, previews=Path(previews))
        thread = threading.Thread(target=site.run, daemon=True)
        thread.start()
        try:
            yield site.url
        finally:
            site.close()
            thread.join(timeout=5)


def _of_scheme(browser: Browser, address: str, scheme: Literal["light", "dark"], directory: Path) -> Iterator[Path]:
    context = browser.new_context(viewport=SIZE, color_scheme=scheme, reduced_motion="reduce")
    context.set_default_timeout(SECONDS * 1000)
    page = context.new_page()
    page.goto(address)
    page.get_by_role("combobox").fill(SEARCH)
    page.get_by_role("combobox").press("Enter")
    page.locator(".card").nth(PHOTOS - 1).wait_for()
    page.locator('.card [data-state="shown"]').nth(PHOTOS - 1).wait_for()
    yield _write(page, directory / f"results-{scheme}.png")
    page.get_by_role("link", name=PHOTO).press("Enter")
    page.locator('dialog [data-state="shown"] .box').first.wait_for()
    yield _write(page, directory / f"boxes-{scheme}.png")
    context.close()


def _write(page: Page, file: Path) -> Path:
    """Write a picture of the window with as many colors as MAX_BYTES permits."""
    page.mouse.move(0, 0)
    picture = Image.open(io.BytesIO(page.screenshot(animations="disabled", caret="hide"))).convert("RGB")
    for colors in COLORS:
        reduced = io.BytesIO()
        picture.quantize(colors, Image.Quantize.MEDIANCUT).save(reduced, "PNG", optimize=True)
        if reduced.tell() <= MAX_BYTES:
            break
    file.write_bytes(reduced.getvalue())
    return file


if __name__ == "__main__":
    try:
        for written in take():
            print(f"{written.relative_to(ROOT)}: {written.stat().st_size:,} bytes")
    except ScreenshotsError as error:
        sys.exit(f"error: {error}")
