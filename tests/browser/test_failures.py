"""In Chromium, the page never saves a broken file, resumes what can be resumed, and says why somebody has to wait."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from conftest import Serve
from peers import storage
from peers.browsers import SECONDS, Media, Visit, Visits
from peers.large_source import write_large_source
from peers.origin_rules import GOOD, Request, Rule
from peers.origin_state import Origin
from peers.running_emulator import http
from playwright.sync_api import expect

from transcoder.emulator import Options, StreamErrors

Function = Callable[..., str]
MEBIBYTE = 1024 * 1024


@pytest.fixture
def large(media: Media, serve: Serve) -> Origin:
    """A source of 14 MiB with ranges: three of them."""
    return serve(dict(write_large_source(media, segments=7, segment_bytes=2 * MEBIBYTE)))


def is_media(request: Request, path: str) -> bool:
    """Whether a request is for the media in a segment, not for the head of it, which the index of the file needs."""
    return request.path == path and not request.headers.get("range", "").startswith("bytes=0-")


def save_until(visiting: Visit, origin: Origin, path: str) -> threading.Event:
    """Click Save, and return when the origin holds a segment back; it does so until the event that is returned is set."""
    held, released = threading.Event(), threading.Event()

    def decide(request: Request, _earlier: int) -> Rule:
        if is_media(request, path):
            held.set()
            released.wait(SECONDS)
        return GOOD

    origin.decide = decide
    visiting.page.click("#save")
    while not held.is_set():
        visiting.page.wait_for_timeout(50)
    return released


@pytest.mark.parametrize("stream_errors", StreamErrors)
def test_a_stream_that_breaks_off_saves_nothing_and_says_so(
    stream_errors: StreamErrors, media: Media, serve: Serve, function: Function, visit: Visits
) -> None:
    origin, begun, healed = serve(media("ts-separate-audio")), threading.Event(), threading.Event()

    def decide(request: Request, _earlier: int) -> Rule:
        if request.path != "/large-1.ts" or healed.is_set():
            return GOOD
        begun.wait(SECONDS)
        return Rule(status=404)

    origin.decide = decide
    visiting = visit(function(stream_errors=stream_errors))
    visiting.look(origin.url("/main.m3u8"))
    visiting.page.click("#save")
    visiting.wait_for("progressText.textContent.includes('%')")
    begun.set()
    assert visiting.problem() == "The video broke off in the middle."
    assert visiting.downloads == []
    assert visiting.page.is_hidden("#done")
    healed.set()
    with visiting.page.expect_download():
        visiting.page.click("#retry")


def test_a_problem_before_the_first_byte_has_its_sentence_and_a_request_id(serve: Serve, visit: Visits) -> None:
    visiting = visit(locale="de-DE")
    page = visiting.page
    page.fill("#address", serve({"/live.m3u8": b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na.ts\n"}).url("/live.m3u8"))
    page.press("#address", "Enter")
    assert visiting.problem() == "Hier ist kein Video, das sich speichern lässt."
    page.click("#problem summary")
    assert re.search(r"Anfrage [0-9a-f-]{36}$", page.inner_text("#problemDetail"))
    page.keyboard.press("Escape")
    assert page.is_hidden("#problem")
    assert page.input_value("#address") == ""


def test_after_cancelling_no_further_range_is_asked_for(large: Origin, visit: Visits) -> None:
    visiting = visit()
    visiting.look(large.url("/main.m3u8"))
    released = save_until(visiting, large, "/segment4.m4s")
    visiting.page.click("#cancel")
    asked = len(visiting.asked("GET", "/download"))
    released.set()
    visiting.page.wait_for_timeout(1000)
    assert len(visiting.asked("GET", "/download")) == asked
    assert visiting.page.inner_text("#status") == "Stopped. Nothing was saved."
    assert visiting.page.is_hidden("#done")


def test_what_was_cut_goes_on_where_it_stopped(large: Origin, function: Function, visit: Visits, tmp_path: Path) -> None:
    address = function()
    visiting, url = visit(address), large.url("/main.m3u8")
    visiting.look(url)
    is_broken = True
    large.decide = lambda request, _earlier: Rule(status=404) if is_media(request, "/segment6.m4s") and is_broken else GOOD
    visiting.page.clock.install()
    visiting.page.click("#save")
    while visiting.page.is_hidden("#problem"):  # after five attempts, the pauses between which are shortened here
        visiting.page.clock.fast_forward(500)
        visiting.page.wait_for_timeout(50)
    assert visiting.page.inner_text("#retry") == "Go on"
    is_broken, before = False, len(visiting.asked("GET", "/download"))
    saved = visiting.save(tmp_path / "saved", button="#retry")
    assert len(visiting.asked("GET", "/download")) - before <= 2
    assert saved == http.get(f"{address}download", params={"url": url}).content


def test_offline_it_waits_and_goes_on_by_itself(large: Origin, visit: Visits, tmp_path: Path) -> None:
    visiting = visit()
    visiting.look(large.url("/main.m3u8"))
    released = save_until(visiting, large, "/segment2.m4s")
    visiting.context.set_offline(offline=True)
    released.set()
    assert visiting.problem() == "You are offline."
    with visiting.page.expect_download() as download:
        visiting.context.set_offline(offline=False)
    download.value.save_as(tmp_path / "saved")
    assert (tmp_path / "saved").stat().st_size > 14 * MEBIBYTE


def test_ranges_are_faster_than_one_stream_at_the_rate_of_lambda(large: Origin, function: Function, visit: Visits, tmp_path: Path) -> None:
    address, url = function(throttle=True), large.url("/main.m3u8")
    visiting = visit(address)
    visiting.look(url)
    began = time.monotonic()
    saved = visiting.save(tmp_path / "saved")
    by_ranges = time.monotonic() - began
    assert len(visiting.asked("GET", "/download")) == 3
    began = time.monotonic()
    assert http.get(f"{address}download", params={"url": url}).content == saved
    assert by_ranges < time.monotonic() - began


def test_a_busy_service_is_waited_for(media: Media, serve: Serve, function: Function, visit: Visits) -> None:
    origin, released, waiting = serve(media("ts-separate-audio")), threading.Event(), 7
    address = function(concurrency=1, max_waiting=waiting - 1)
    visiting = visit(address)

    def decide(request: Request, _earlier: int) -> Rule:
        if request.path == "/wait.m3u8":
            released.wait(SECONDS)
        return GOOD

    origin.decide = decide
    with ThreadPoolExecutor(waiting) as threads:
        for _ in range(waiting):
            threads.submit(httpx.get, f"{address}info", params={"url": origin.url("/wait.m3u8")}, timeout=SECONDS)
        while not origin.requests_of("/wait.m3u8"):
            visiting.page.wait_for_timeout(50)
        visiting.page.wait_for_timeout(500)  # and those that wait for the environment have come as well
        visiting.page.fill("#address", origin.url("/main.m3u8"))
        visiting.page.press("#address", "Enter")
        expect(visiting.page.locator("#status")).to_have_text(re.compile(r"The service is busy\. Trying again in \d+ s\."))
        released.set()
    visiting.page.wait_for_selector("#card:not([hidden])")


def test_a_file_that_one_response_cannot_have_is_made_first(
    media: Media, serve: Serve, function: Function, visit: Visits, bucket: storage.Storage, tmp_path: Path
) -> None:
    origin = serve(media("ts-separate-audio"))
    visiting = visit(function(options(bucket)))
    visiting.look(origin.url("/main.m3u8"))
    saved = visiting.save(tmp_path / "saved")
    assert visiting.asked("GET", "/events")
    assert len(bucket.keys) == 1
    assert saved[4:8] == b"ftyp"
    expect(visiting.page.locator("#done")).to_have_text("The file is ready. Your browser downloads it.")


@pytest.fixture(scope="module")
def bucket() -> Iterator[storage.Storage]:
    with storage.storage() as served:
        yield served


def options(bucket: storage.Storage) -> Options:
    """Return options of a function whose responses are too short for any video."""
    settings = {"TRANSCODER_ALLOW_PRIVATE": "1", "TRANSCODER_RESPONSE_LIMIT": "100000"}
    return replace(Options(), environ={**bucket.environ, **settings}, concurrency=2)


def test_signed_links_are_made_for_the_page(media: Media, serve: Serve, function: Function, visit: Visits, tmp_path: Path) -> None:
    url = serve(media("fmp4-separate-audio")).url("/main.m3u8")
    environ = {"TRANSCODER_ALLOW_PRIVATE": "1", "TRANSCODER_SIGNING_KEYS": "a key of sixteen or more", "TRANSCODER_PAGE_LINKS": "1"}
    address = function(Options(), environ=environ, concurrency=2)
    assert http.get(f"{address}download", params={"url": url}).status_code == 403
    visiting = visit(address)
    visiting.look(url)
    visiting.page.click("#watch")
    visiting.wait_for("video.currentTime > 0.2")
    assert visiting.save(tmp_path / "saved")[4:8] == b"ftyp"
    assert len(visiting.asked("GET", "/link")) == 1


def test_a_navigation_that_fails_leads_back_to_the_page(serve: Serve, visit: Visits, address: str) -> None:
    url = serve({}).url("/none.m3u8")
    page = visit().page
    page.goto(f"{address}download?url={url}")
    assert page.inner_text("h1") == "The site that has the video does not send all of it."
    page.click("a.primary")
    page.wait_for_selector("#problem:not([hidden])")
    assert page.input_value("#address") == url
