"""Uploads: by the button and by drag and drop, their live state, and what is refused."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from collection import BUCKET
from image_labels.model import Label, Labels, Rejected
from playwright.sync_api import expect

from tools import photographs

if TYPE_CHECKING:
    from collection import Collection
    from image_labels_cli.browse.server import PageServer
    from playwright.sync_api import Locator, Page

FOLDER = "images/uploads/"
SECONDS = 30
LABELS = Labels((Label("Rocket", 98.0), Label("Night", 84.0)), "3.0")  # other photos have these labels, too
PHOTO = next(photo for photo in photographs.shipped() if photo.name.startswith("rocket")).path
Payload = Any  # of playwright's set_files


@pytest.fixture
def view(page: Page, collection: Collection) -> Iterator[Page]:
    """The view of uploads, with a folder of its own."""
    page.get_by_role("link", name="Upload").click()
    page.get_by_label("Folder").fill(FOLDER)
    yield page
    collection.remove(FOLDER)


def payload(name: str, body: bytes | None = None) -> Payload:
    return {"name": name, "mimeType": "image/jpeg", "buffer": PHOTO.read_bytes() if body is None else body}


def choose(page: Page, *files: Payload) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose photos").click()
    chooser.value.set_files(list(files))


def entry(page: Page, name: str) -> Locator:
    return page.get_by_role("list", name="Uploads").get_by_role("listitem").filter(has_text=name).first


@contextmanager
def before(collection: Collection, event: str, act: Any) -> Iterator[None]:
    """While the block runs, `act` is called before S3 gets an object."""
    events = collection.access.s3.meta.events
    events.register(event, act)
    try:
        yield
    finally:
        events.unregister(event, act)


def test_upload_is_followed_until_the_photo_is_labelled(view: Page, collection: Collection) -> None:
    transfer = threading.Event()

    def hold(**_: object) -> None:
        transfer.wait(SECONDS)

    photo = entry(view, "rocket.jpg")
    with before(collection, "before-send.s3.PutObject", hold):
        choose(view, payload("rocket.jpg"))
        expect(photo).to_contain_text("Uploading")
        expect(photo.get_by_role("progressbar")).to_be_visible()
        expect(view.get_by_role("status")).to_have_text("1 uploading")
        transfer.set()
        expect(photo).to_contain_text("Queued")
    expect(view.get_by_role("status")).to_have_text("1 queued")
    stored = collection.access.s3.get_object(Bucket=BUCKET, Key=f"{FOLDER}rocket.jpg")
    assert stored["Body"].read() == PHOTO.read_bytes()
    collection.finish(f"{FOLDER}rocket.jpg", LABELS)
    expect(photo).to_contain_text("Labelled")
    expect(photo.locator('[data-state="shown"]')).to_be_visible()
    expect(view.get_by_role("status")).to_have_text("1 labelled")
    photo.get_by_role("link", name="rocket.jpg").click()
    expect(view.get_by_role("dialog").get_by_role("heading")).to_have_text("rocket.jpg")
    view.keyboard.press("Escape")
    photo.get_by_role("link", name="Night").click()
    expect(view.get_by_role("combobox", name="Labels to search for")).to_have_value("Night")
    expect(view.locator(".card", has_text=FOLDER)).to_have_count(1)


def test_rejected_upload_has_its_reason(view: Page, collection: Collection) -> None:
    choose(view, payload("small.jpg"))
    expect(entry(view, "small.jpg")).to_contain_text("Queued")
    collection.finish(f"{FOLDER}small.jpg", Rejected("InvalidParameterException: it is too small"))
    expect(entry(view, "small.jpg")).to_contain_text("Rejected. InvalidParameterException: it is too small")


DRAG = """([type, files]) => {
  const transfer = new DataTransfer();
  for (const [name, text] of files) transfer.items.add(new File([text], name, { type: "image/jpeg" }));
  document.body.dispatchEvent(new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }));
}"""


def test_files_are_dropped_on_any_view(view: Page, errors: list[str]) -> None:
    """A page that did not take them would be left for the file."""
    view.get_by_role("link", name="Photos", exact=True).click()
    expect(view.get_by_role("link", name="Astronaut")).to_be_visible()
    files = [["notes.jpg", "This is a text."], ["photo.heic", "x"]]
    view.evaluate(DRAG, ["dragover", files])
    expect(view.get_by_text("Drop photos to upload them")).to_be_visible()
    view.evaluate(DRAG, ["drop", files])
    expect(view.get_by_text("Drop photos to upload them")).to_be_hidden()
    expect(entry(view, "notes.jpg")).to_contain_text("Not uploaded. The file is neither a JPEG nor a PNG.")
    expect(entry(view, "photo.heic")).to_contain_text("names end with .jpg, .jpeg, .png, .JPG, .JPEG, .PNG. Rename")
    expect(view.get_by_role("status")).to_have_text("2 not uploaded")
    expect(view).to_have_title("Upload – Image labels")  # noqa: RUF001
    errors.clear()  # the answers 400 are expected


def test_file_that_is_too_large_is_not_sent(view: Page) -> None:
    requests: list[str] = []
    view.on("request", lambda request: requests.append(request.method))
    choose(view, payload("large.jpg", PHOTO.read_bytes() + bytes(15 * 2**20)))
    expect(entry(view, "large.jpg")).to_contain_text("at most 15 MB")
    assert "PUT" not in requests


def test_folder_is_not_sent(view: Page) -> None:
    """A browser gives a dropped folder as a file that cannot be read."""
    view.evaluate("File.prototype.slice = () => ({ arrayBuffer: () => Promise.reject(new DOMException()) })")
    choose(view, payload("folder.jpg"))
    expect(entry(view, "folder.jpg")).to_contain_text("Not uploaded. The file cannot be read: it is a folder")


def test_existing_photo_is_replaced_only_when_asked(view: Page, collection: Collection) -> None:
    key = f"{FOLDER}rocket.jpg"
    collection.access.s3.put_object(Bucket=BUCKET, Key=key, Body=b"another photo")
    collection.finish(key, LABELS)
    choose(view, payload("rocket.jpg"))
    photo = entry(view, "rocket.jpg")
    expect(photo).to_contain_text("The bucket has a photo with this key.")
    assert collection.access.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == b"another photo"
    photo.get_by_role("button", name="Replace").focus()
    view.keyboard.press("Enter")
    expect(photo).to_contain_text("Queued")  # the labels in the table are those of the other photo
    assert collection.access.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == PHOTO.read_bytes()
    assert photo.evaluate("(item) => item.contains(document.activeElement)")
    choose(view, payload("rocket.jpg"))
    view.get_by_role("button", name="Skip").click()
    expect(view.get_by_role("status")).to_have_text("1 queued, 1 not uploaded")
    choose(view, payload("rocket.jpg", PHOTO.read_bytes() + b"changed"))
    view.get_by_role("button", name="Replace").click()
    expect(view.get_by_role("status")).to_have_text("1 queued, 1 replaced, 1 not uploaded")


def test_missing_permission_stops_all_uploads_and_names_the_policy(view: Page, collection: Collection) -> None:
    message = (
        "User: u is not authorized to perform: s3:PutObject on resource: arn:aws:s3:::b because no policy allows it"
    )

    def refuse(**_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": message}}, "PutObject")

    alert = view.get_by_role("alert")
    with before(collection, "before-call.s3.PutObject", refuse):
        choose(view, *(payload(f"{n}.jpg") for n in range(5)))
        expect(alert).to_contain_text("Your credentials lack the permission s3:PutObject.")
        expect(alert).to_contain_text("uploader_policy_json")
        expect(view.get_by_role("status")).to_have_text("5 not uploaded")
    alert.get_by_role("button", name="Try again").click()
    expect(alert).to_be_hidden()
    expect(view.get_by_role("status")).to_have_text("5 queued")


def test_photo_without_labels_is_given_up_after_minutes(view: Page) -> None:
    view.clock.install()
    choose(view, payload("lost.jpg"))
    photo = entry(view, "lost.jpg")
    expect(photo).to_contain_text("Uploaded")
    for _ in range(100):
        view.clock.run_for(15_000)
        if photo.get_by_text("No labels after 5 minutes").is_visible():
            break
    expect(photo).to_contain_text("Status shows what waits and what failed")
    photo.get_by_role("button", name="Look again").click()


def test_uploads_are_off_without_the_option(page: Page) -> None:
    about = {"bucket": BUCKET, "console": "", "labelsBy": "", "upload": None}
    page.route("**/api/about?*", lambda route: route.fulfill(json=about))
    page.goto(page.url + "?view=upload")
    expect(page.get_by_text("image-labels browse --upload")).to_be_visible()
    expect(page.get_by_role("link", name="Upload")).to_be_hidden()


ATTACK = """
const address = ADDRESS;
const send = (method, how) => fetch(address, { method, body: PHOTO, credentials: "include", ...how }).catch(() => {});
const form = Object.assign(document.createElement("form"), { method: "post", action: address, target: "frame" });
document.body.append(form);
form.submit();
Promise.all([
  send("PUT", {}), send("PUT", { mode: "no-cors" }), send("POST", { mode: "no-cors" }),
  send("PUT", { headers: { "Sec-Fetch-Site": "same-origin" } }),
]).then(() => { document.title = "done"; });
"""


@pytest.fixture
def other_site(site: PageServer) -> Iterator[str]:
    """The address of a page on another port of this machine, which is the same site for cookies."""
    address = f"http://127.0.0.1:{site.port}/api/upload?folder={FOLDER}&name=attack.jpg"
    script = ATTACK.replace("ADDRESS", json.dumps(address)).replace("PHOTO", r'"\u00ff\u00d8\u00ff"')
    body = f"<!doctype html><body><iframe name=frame></iframe><script>{script}</script>".encode()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


def test_other_site_cannot_upload(view: Page, collection: Collection, errors: list[str], other_site: str) -> None:
    answers: list[int] = []
    view.on("response", lambda response: answers.append(response.status) if "attack" in response.url else None)
    view.goto(other_site)
    expect(view).to_have_title("done")
    assert "Contents" not in collection.access.s3.list_objects_v2(Bucket=BUCKET, Prefix=FOLDER)
    assert set(answers) <= {403, 405}
    assert answers
    errors.clear()  # of the refused requests
