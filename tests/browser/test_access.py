"""Accessibility: axe finds nothing in any view, names contain the visible text, and controls are 44 px for fingers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import expect
from test_search import search

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

SPOON = "?q=spoon&photo=images/2024/café+%26+spoon+100%25.png"
PHONE = (390, 844)


def _complete(page: Page) -> None:
    page.get_by_role("combobox", name="Labels to search for").press_sequentially("c")
    expect(page.get_by_role("option").first).to_be_visible()


def _help(page: Page) -> None:
    page.get_by_role("button", name="Help").click()


def _select(page: Page) -> None:
    page.get_by_role("checkbox").first.check()


def _refuse_a_file(page: Page) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose photos").click()
    chooser.value.set_files({"name": "notes.jpg", "mimeType": "image/jpeg", "buffer": b"This is a text."})
    expect(page.locator(".uploads li")).to_contain_text("neither a JPEG nor a PNG")


# The address of each view, what to do there, and an element that shows that the view is complete.
VIEWS: dict[str, tuple[str, Callable[[Page], None] | None, str]] = {
    "start": ("", None, ".recent .broken:visible"),
    "help": ("", _help, "#help"),
    "completions": ("", _complete, "#completions li"),
    "photos": ("?q=cat OR tripod", None, '.card [data-state="shown"]'),
    "deleted": ("?q=ghost", None, ".card .broken:visible"),
    "nothing": ("?q=rockte AND cat>=99.9 AND rocket", None, ".says h1"),
    "mistake": ("?q=cat AND", None, "#problem h2"),
    "scan": ("?q=NOT cat", None, "#problem h2"),
    "status": ("?view=status", None, ".numbers"),
    "upload": ("?view=upload", _refuse_a_file, ".uploads li"),
    "selected": ("?q=cat", _select, "#selection"),
    "rejected": ("?view=rejected", None, ".rejected li"),
    "photo": (SPOON, None, 'dialog [data-state="shown"]'),
}
# An experimental rule, so that axe does not run it by default.
OPTIONS = {"resultTypes": ["violations"], "rules": {"label-content-name-mismatch": {"enabled": True}}}


def open_view(page: Page, view: str) -> None:
    address, act, complete = VIEWS[view]
    page.goto(page.url.split("?")[0] + address)
    if act:
        act(page)
    expect(page.locator(complete).first).to_be_visible()


def violations(page: Page) -> list[str]:
    """What axe finds: rule, element and explanation."""
    page.evaluate("document.getAnimations().forEach((animation) => animation.finish())")
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found: dict[str, Any] = page.evaluate(f"axe.run({json.dumps(OPTIONS)})")
    return [
        f"{rule['id']}: {node['html'][:200]}: {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


# The dark scheme differs in its colors only, and these views have all of them.
COLORS = ("start", "help", "photos", "mistake", "photo", "status", "upload")


@pytest.mark.parametrize(("scheme", "views"), [("light", tuple(VIEWS)), ("dark", COLORS)])
def test_axe_finds_nothing_in_any_view(page: Page, errors: list[str], scheme: Any, views: tuple[str, ...]) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    for view in views:
        open_view(page, view)
        assert not violations(page), view
    errors.clear()  # the answers 400 are expected


# The controls in sight that are smaller than 44 px, and not inside a line of text.
SMALL = """
() => [...document.querySelectorAll("a, button, input, summary, select, [role=option]")].filter((control) => {
  const at = control.getBoundingClientRect();
  const top = document.querySelector("dialog[open]");
  if (control.closest("label.pick")) return control.closest("label.pick").getBoundingClientRect().width < 44;
  return at.width && (!top || top.contains(control)) && !control.closest(".skip, .card .frame")
      && (at.width < 44 || at.height < 43.9);
}).map((control) => `${control.outerHTML.slice(0, 120)} ${JSON.stringify(control.getBoundingClientRect())}`)
"""


@pytest.fixture
def phone(chromium: Browser, page: Page) -> Any:
    """A page on a phone, with the cookie of `page`."""
    context = chromium.new_context(
        viewport={"width": PHONE[0], "height": PHONE[1]},
        is_mobile=True,
        has_touch=True,
        storage_state=page.context.storage_state(),
    )
    phone = context.new_page()
    phone.goto(page.url)
    yield phone
    context.close()


def test_every_view_suits_a_phone(phone: Page) -> None:
    """Its controls are large enough for fingers, and axe finds nothing."""
    phone.emulate_media(reduced_motion="reduce")
    for view in VIEWS:
        open_view(phone, view)
        assert not phone.evaluate(SMALL), view
        assert not violations(phone), view


def test_photos_of_a_person_suit_a_phone(phone: Page) -> None:
    """Each photo of the same person has a line, which opens the photo."""
    phone.emulate_media(reduced_motion="reduce")

    def add_faces(route: Route) -> None:
        answer = route.fetch().json()
        for photo in answer["photos"]:
            photo["faces"] = [photo["labels"][0] | {"name": "Face 1", "boxes": [], "face": 1}]
        route.fulfill(json=answer)

    def about(route: Route) -> None:
        route.fulfill(json=route.fetch().json() | {"faces": True})

    alike = [
        {"key": "images/2023/🎥 cameraman.png", "similarity": 91.2},
        {"key": f"images/{'a' * 99}", "similarity": 85},
    ]
    phone.route("**/api/photos?*", add_faces)
    phone.route("**/api/about?*", about)
    phone.route("**/api/faces?*", lambda route: route.fulfill(json={"photos": alike, "more": True}))
    open_view(phone, "photo")
    phone.get_by_role("button", name="Photos of this person").click()
    found = phone.locator(".face").get_by_role("link")
    expect(found).to_have_text(["images/2023/🎥 cameraman.png 91.2 %", f"images/{'a' * 99} 85.0 %"])
    assert not phone.evaluate(SMALL)
    assert not violations(phone)
    assert phone.evaluate("document.querySelector('dialog').scrollWidth") == PHONE[0]
    phone.unroute_all(behavior="wait")
    found.first.click()
    expect(phone.get_by_role("dialog").locator("h2")).to_have_text("🎥 cameraman.png")


# The words of the list of labels that are broken across lines.
BROKEN = r"""
() => [...document.querySelectorAll(".letters a")].flatMap((link) => {
  const text = link.lastChild;
  return [...text.data.matchAll(/\S+/g)].filter((word) => {
    const range = document.createRange();
    range.setStart(text, word.index);
    range.setEnd(text, word.index + word[0].length);
    return range.getClientRects().length > 1;
  }).map((word) => word[0]);
})
"""


def test_words_of_labels_are_not_broken_on_a_phone(phone: Page) -> None:
    open_view(phone, "start")
    assert "Photographer" in phone.locator(".letters").inner_text()
    for width in (PHONE[0], 320):
        phone.set_viewport_size({"width": width, "height": PHONE[1]})
        assert phone.evaluate(BROKEN) == []


def test_controls_stay_in_sight_on_a_phone(phone: Page) -> None:
    open_view(phone, "photos")
    phone.evaluate("scrollTo(0, 900)")
    for control in (
        phone.get_by_role("combobox", name="Labels to search for"),
        phone.get_by_role("link", name="Rejected"),
    ):
        expect(control).to_be_in_viewport(ratio=1)
    expect(phone.get_by_role("button", name="Search", exact=True)).to_be_in_viewport(ratio=1)
    open_view(phone, "photo")
    phone.evaluate("document.querySelector('dialog').scrollTo(0, 400)")
    for name in ("Close", "Boxes"):
        button = phone.get_by_role("button", name=name)
        expect(button).to_be_in_viewport(ratio=1)
        assert button.evaluate(
            """(button) => {
                const at = button.getBoundingClientRect();
                return button.contains(document.elementFromPoint(at.x + at.width / 2, at.y + at.height / 2));
            }"""
        )


def test_help_names_the_keys(page: Page) -> None:
    _help(page)
    keys = page.get_by_role("region", name="Help").locator("kbd")
    assert {"/", "←", "→", "↑", "↓", "Enter", "Esc", "B", "X", "+", "-", "0", "F"} <= set(keys.all_inner_texts())


@pytest.mark.parametrize(
    ("boxes", "ratio", "position"),
    [
        ([[0.3, 0.02, 0.4, 0.3]], 0.6, [0.5, 0]),  # the head of a portrait is at the top
        ([[0.3, 0.3, 0.4, 0.2]], 0.6, [0.5, 0.29]),  # or further down: centered
        ([[0.3, 0.2, 0.4, 0.8]], 0.6, [0.5, 0.28]),  # a person larger than the frame: from the head
        ([[0.8, 0.2, 0.2, 0.5]], 3, [1, 0.5]),  # at the right of a panorama
        ([], 0.6, [0.5, 0.25]),
        ([], 1.5, [0.5, 0.5]),
    ],
)
def test_crop_keeps_the_subject_in_the_frame(
    page: Page, boxes: list[list[float]], ratio: float, position: list[float]
) -> None:
    code = "async ([boxes, ratio]) => (await import('/static/crop.js')).placed(boxes, ratio, 1.389)"
    assert page.evaluate(code, [boxes, ratio]) == pytest.approx(position, abs=0.01)


def test_head_of_an_upright_portrait_is_in_the_frame(page: Page) -> None:
    """The photo is square and its frame is not. The box of the person begins at the photo's upper edge."""
    search(page, "astronaut")
    picture = page.locator(".card .picture")
    expect(page.locator('.card [data-state="shown"]')).to_be_visible()
    frame, image = picture.bounding_box(), picture.locator("img").bounding_box()
    assert frame
    assert image
    assert image["height"] > frame["height"] + 20
    assert image["y"] == pytest.approx(frame["y"], abs=1)
