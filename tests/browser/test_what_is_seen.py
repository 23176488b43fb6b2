"""In Chromium: what the page shows, in each state, width and language; and that it asks its own host only."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from conftest import Serve
from peers import browsers, page_states
from peers.browsers import Media, Visit, Visits
from peers.page_states import EVIL_POST, EVIL_TITLE, PICKER_POST, add_evil_post
from peers.reddit import Reddit, reddit
from peers.reddit_runtime import options
from peers.running_emulator import emulated

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 320, "height": 640}


@pytest.fixture(scope="module")
def site() -> Iterator[Reddit]:
    with reddit() as running:
        add_evil_post(running)
        yield running


@pytest.fixture(scope="module")
def reddit_address(has_chromium: None, site: Reddit) -> Iterator[str]:  # noqa: ARG001
    with emulated(replace(options(site, TRANSCODER_ATTEMPTS="1"), concurrency=2)) as running:
        yield running.url + "/"


def findings(visiting: Visit) -> list[tuple[str, Any]]:
    """Return the serious findings of axe-core."""
    source = (browsers.packages() / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    visiting.page.evaluate(source)
    found = visiting.page.evaluate("axe.run()")["violations"]
    return [(each["id"], [node["html"] for node in each["nodes"]]) for each in found if each["impact"] in {"serious", "critical"}]


def fits(visiting: Visit) -> bool:
    """Whether nothing is wider than the window."""
    return bool(visiting.page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_state_has_a_serious_finding_of_axe_and_all_fit_320_pixels(scheme: str, media: Media, serve: Serve, visit: Visits) -> None:
    origin = serve(media("ts-separate-audio"))
    visiting = visit(color_scheme=scheme, viewport=NARROW, reduced_motion="reduce")
    for show in (page_states.show_empty, page_states.show_error):
        show(visiting)
        assert (findings(visiting), fits(visiting)) == ([], True), show
    visiting.look(origin.url("/main.m3u8"))
    assert (findings(visiting), fits(visiting)) == ([], True)
    with page_states.saving(visiting, origin):
        assert (findings(visiting), fits(visiting)) == ([], True)
    visiting.page.wait_for_selector("#done:not([hidden])")
    page_states.show_playing(visiting)
    assert (findings(visiting), fits(visiting)) == ([], True)


def test_several_videos_become_a_picker(reddit_address: str, visit: Visits) -> None:
    visiting = visit(reddit_address)
    page = visiting.look(PICKER_POST)
    assert page.inner_text("#pickerTitle") == "2 videos are in this post. Which one?"
    visiting.wait_for("items.querySelector('video')?.readyState >= 2")  # the first picture of those that have ranges
    assert findings(visiting) == []
    page.locator("#items button").nth(1).click()
    visiting.wait_for("facts.textContent.includes('Video 2 of 2')")
    assert "Video 2" in page.locator("#items [aria-current=true]").inner_text()
    assert visiting.asked("GET", "/info")[-1].endswith("item=2")


def test_a_title_is_only_text(reddit_address: str, visit: Visits) -> None:
    visiting = visit(reddit_address)
    page = visiting.look(EVIL_POST)
    shown = page.inner_text("#name")
    assert '<script>alert(1)</script> "it\'s"' in shown
    assert "\N{PARTY POPPER}" in shown
    assert EVIL_TITLE.partition("\N{RIGHT-TO-LEFT OVERRIDE}")[0] in shown
    assert page.get_attribute("#name", "dir") == "auto"
    visiting.wait_for("poster.naturalWidth === 1")
    assert {request.split("/")[2] for request in visiting.requests} == {reddit_address.split("/")[2]}


def test_a_visit_is_a_handful_of_requests_to_this_host_and_stores_nothing(visit: Visits, address: str) -> None:
    visiting = visit()
    visiting.page.wait_for_load_state("networkidle")
    assert len(visiting.requests) <= 6
    assert all(request.split(" ")[1].startswith(address) for request in visiting.requests)
    assert visiting.page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]


def test_the_page_speaks_the_language_of_the_browser(visit: Visits) -> None:
    german, other = visit(locale="de-CH").page, visit(locale="fr-FR").page
    assert (german.get_attribute("html", "lang"), german.inner_text("h1")) == ("de", "Video speichern")
    assert german.get_attribute("#address", "placeholder") == "Link einfügen"
    assert (other.get_attribute("html", "lang"), other.inner_text("h1")) == ("en", "Save a video")


def test_everything_can_be_done_with_the_keyboard(media: Media, serve: Serve, visit: Visits) -> None:
    page = visit(viewport=WIDE).page
    assert page.evaluate("document.activeElement.id") == "address"
    page.keyboard.insert_text(serve(media("ts-separate-audio")).url("/main.m3u8"))
    page.keyboard.press("Enter")
    page.wait_for_selector("#card:not([hidden])")
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.name"))
    assert [each for each in reached if each] == [
        *("clear", "go", "watch", "save", "copy", "quality", "kind", "fit", "from", "to", "fromText", "toText")
    ]
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") == "address"
    assert page.is_hidden("#card")
    assert page.input_value("#address") == ""
