"""The page in Chromium, with a LocalStack that has a bucket and both tables."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config
from collection import CROWD, Collection
from crowd import CrowdAtOnce
from image_labels_cli.browse.server import PageServer
from image_labels_emulator import server

from tools.chromium import ARGUMENTS, MISSING
from tools.chromium import executable as find_chromium
from tools.terraform import LOCAL

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

DIRECTORY = LOCAL / "browser"
# With this variable, which CI sets, the tests fail if there is no Chromium. Without it, they are skipped.
REQUIRED = "REQUIRE_CHROMIUM"
SECONDS = 30  # long, because a busy machine may delay what is otherwise immediate


@pytest.fixture(scope="session")
def executable() -> str:
    """The path of Chromium."""
    if found := find_chromium():
        return found
    if os.environ.get(REQUIRED):
        pytest.fail(MISSING)
    pytest.skip(MISSING)


@pytest.fixture(scope="session")
def localstack(executable: str) -> Iterator[server.Server]:
    """A new LocalStack on a free port."""
    server.stop(DIRECTORY / "localstack")  # a killed run leaves it running
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    running = server.start(DIRECTORY / "localstack", port=0)
    running.take_over_environment()
    yield running
    server.stop(DIRECTORY / "localstack")


@pytest.fixture(scope="session")
def collection(localstack: server.Server) -> Collection:
    config = Config(signature_version="s3v4", s3={"addressing_style": "path"})
    collection = Collection(boto3.client("dynamodb"), boto3.client("s3", config=config), boto3.client("sqs"))
    collection.fill()
    return collection


@pytest.fixture(scope="session")
def site(collection: Collection) -> Iterator[PageServer]:
    """The page's server."""
    finder = CrowdAtOnce(collection.access)
    assert len(finder.crowd) == CROWD  # reads the rows before the tests, which should not wait for them
    site = PageServer(collection.access, finder=finder, previews=DIRECTORY / "previews")
    thread = threading.Thread(target=site.run, daemon=True)
    thread.start()
    yield site
    site.close()
    thread.join(timeout=5)


@pytest.fixture(scope="session")
def chromium(executable: str) -> Iterator[Browser]:
    from playwright.sync_api import expect, sync_playwright  # after the check for Chromium

    expect.set_options(timeout=SECONDS * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=ARGUMENTS, chromium_sandbox=os.geteuid() != 0
        )
        yield browser
        browser.close()


@pytest.fixture
def errors() -> list[str]:
    """Errors of the browser, including exceptions and violations of the security policy. A test may clear them."""
    return []


@pytest.fixture
def page(chromium: Browser, site: PageServer, errors: list[str]) -> Iterator[Page]:
    """The first page in a browser without state. Fails if errors are left after the test."""

    def record(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(message.text)

    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(SECONDS * 1000)
    page = context.new_page()
    page.on("console", record)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(site.url)
    yield page
    context.close()
    assert not errors
