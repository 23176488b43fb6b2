"""In Chromium: a full device, a service that says nothing, a proxy in the way, and a key or a source that changes in the middle."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from conftest import Serve
from peers.browsers import SECONDS, Media, Visit, Visits, function_options
from peers.large_source import write_large_source
from peers.origin_rules import GOOD, Request, Rule
from peers.origin_state import Origin
from peers.page_states import hold_path
from peers.running_emulator import emulated, http

from transcoder.core.answer.page import make_page
from transcoder.edge.page_files import read_page_files

Function = Callable[..., str]
MEBIBYTE = 1024 * 1024
SECOND_KEY = "another key of sixteen or more"


@pytest.fixture
def with_ranges(media: Media, serve: Serve) -> Origin:
    """A source of 14 MiB with ranges: three of them."""
    return serve(dict(write_large_source(media, segments=7, segment_bytes=2 * MEBIBYTE)))


@pytest.fixture
def proxy(serve: Serve) -> Callable[[Mapping[str, Rule]], str]:
    """Serve the page from a host that answers everything else by rules, as a proxy does that is in the way."""

    def begin(rules: Mapping[str, Rule]) -> str:
        page = make_page(read_page_files(), signed=False, redirects=False)
        origin = serve({})
        origin.rules.update({path: Rule(status=200, body=file.body, headers=dict(file.headers)) for path, file in page.files.items()})
        origin.rules.update(rules)
        return origin.url("/")

    return begin


SIGN_IN = Rule(status=200, body=b"<!doctype html><title>Sign in</title>", headers={"Content-Type": "text/html"})


def hold(origin: Origin, path: str) -> tuple[threading.Event, threading.Event]:
    """Have an origin hold back the media of a segment; return the events that it has begun to, and that it need not any longer."""
    held, released = threading.Event(), threading.Event()

    def decide(request: Request, _earlier: int) -> Rule:
        if request.path == path and not request.headers.get("range", "").startswith("bytes=0-"):
            held.set()
            released.wait(SECONDS)
        return GOOD

    origin.decide = decide
    return held, released


def wait_until(visiting: Visit, event: threading.Event) -> None:
    while not event.is_set():
        visiting.page.wait_for_timeout(50)


def stored_files(visiting: Visit) -> int:
    """Return how many files the page keeps on the disk."""
    names = "(async () => (await Array.fromAsync((await navigator.storage.getDirectory()).keys())).length)()"
    return int(visiting.page.evaluate(names))


def test_a_page_of_a_proxy_is_no_answer(visit: Visits, proxy: Callable[[Mapping[str, Rule]], str]) -> None:
    visiting = visit(proxy({"/info": SIGN_IN}))
    visiting.page.fill("#address", "https://a.example/v.m3u8")
    visiting.page.press("#address", "Enter")
    assert visiting.problem() == "The service did not answer as it should."
    assert visiting.page.is_visible("#retry")


def test_a_page_of_a_proxy_is_not_saved_as_the_file(
    serve: Serve, visit: Visits, address: str, proxy: Callable[[Mapping[str, Rule]], str]
) -> None:
    url = serve({"/a.webm": bytes(range(256)) * 1000}).url("/a.webm")
    report = http.get(f"{address}info", params={"url": url}).content
    visiting = visit(proxy({"/info": Rule(status=200, body=report), "/download": SIGN_IN}))
    visiting.look(url)
    visiting.page.click("#save")
    assert visiting.problem() == "The service did not answer as it should."
    assert visiting.downloads == []


def test_an_answer_that_never_comes_is_given_up(source: Origin, visit: Visits) -> None:
    released = hold_path(source, "/main.m3u8")
    visiting = visit()
    visiting.page.clock.install()
    visiting.page.fill("#address", source.url("/main.m3u8"))
    visiting.page.press("#address", "Enter")
    while not source.requests_of("/main.m3u8"):
        visiting.page.wait_for_timeout(50)
    visiting.page.clock.run_for(119_000)
    assert visiting.page.is_hidden("#problem")
    visiting.page.clock.run_for(2_000)
    assert visiting.problem() == "The service cannot be reached."
    released.set()


@pytest.mark.long
def test_offline_a_stream_begins_again_by_itself(source: Origin, visit: Visits, tmp_path: Path) -> None:
    visiting = visit()
    visiting.look(source.url("/main.m3u8"))
    held, released = threading.Event(), threading.Event()

    def decide(request: Request, _earlier: int) -> Rule:
        if request.path == "/large-1.ts" and not released.is_set():
            held.set()
            released.wait(SECONDS)
        return GOOD

    source.decide = decide
    visiting.page.click("#save")
    visiting.wait_for("progressText.textContent.includes('%')")
    wait_until(visiting, held)
    visiting.context.set_offline(offline=True)
    assert visiting.problem() == "You are offline."
    released.set()
    with visiting.page.expect_download() as download:
        visiting.context.set_offline(offline=False)
    download.value.save_as(tmp_path / "saved")
    assert (tmp_path / "saved").read_bytes()[4:8] == b"ftyp"


def test_a_full_device_is_said_and_with_room_it_is_saved(seems_large: Origin, visit: Visits, address: str, tmp_path: Path) -> None:
    visiting = visit()
    page = visiting.page
    page.evaluate("delete window.showSaveFilePicker")  # the private folder is used, which has a quota
    devtools = visiting.context.new_cdp_session(page)
    devtools.send("Storage.overrideQuotaForOrigin", {"origin": address.rstrip("/"), "quotaSize": 1000})
    visiting.look(seems_large.url("/main.m3u8"))
    page.click("#save")
    assert visiting.problem() == "There is no room for the file on this device."
    assert page.inner_text("#retry") == "Try again"
    assert visiting.downloads == []
    visiting.wait_for("navigator.storage.getDirectory().then((folder) => folder.keys().next()).then(({ done }) => done)")
    devtools.send("Storage.overrideQuotaForOrigin", {"origin": address.rstrip("/")})
    assert visiting.save(tmp_path / "saved", button="#retry")[4:8] == b"ftyp"


def test_two_tabs_save_at_once_and_leave_each_others_files_alone(seems_large: Origin, visit: Visits, tmp_path: Path) -> None:
    visiting = visit()
    pages = [visiting.page, visiting.context.new_page()]
    pages[1].goto(visiting.address)
    pages[1].wait_for_selector("html[data-ready]")
    for page in pages:
        page.evaluate("delete window.showSaveFilePicker")
        page.fill("#address", seems_large.url("/main.m3u8"))
        page.press("#address", "Enter")
        page.wait_for_selector("#card:not([hidden])")
    with pages[0].expect_download() as first, pages[1].expect_download() as second:
        for page in pages:
            page.click("#save")
    for name, download in (("first", first), ("second", second)):
        download.value.save_as(tmp_path / name)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()
    assert stored_files(visiting) == 2


def test_what_an_earlier_visit_has_left_is_removed_but_not_what_is_being_written(visit: Visits) -> None:
    visiting = visit()
    visiting.page.evaluate("""(async () => {
        const folder = await navigator.storage.getDirectory();
        globalThis.writing = await (await folder.getFileHandle("1000-written", { create: true })).createWritable();
        for (const name of ["2000-left", "3000-left"]) await folder.getFileHandle(name, { create: true });
    })()""")
    later = visiting.context.new_page()
    later.on("pageerror", lambda error: visiting.failures.append(str(error)))
    later.goto(visiting.address)
    later.wait_for_selector("html[data-ready]")
    names = "navigator.storage.getDirectory().then((folder) => Array.fromAsync(folder.keys()))"
    visiting.wait_for(f"{names}.then((names) => !names.some((name) => name.endsWith('-left')))")
    assert visiting.page.evaluate("writing.write('x').then(() => writing.close()).then(() => true)")


def test_a_source_that_changes_in_the_middle_is_not_mixed(with_ranges: Origin, visit: Visits, tmp_path: Path) -> None:
    visiting = visit()
    visiting.look(with_ranges.url("/main.m3u8"))
    held, released = hold(with_ranges, "/segment1.m4s")
    visiting.page.click("#save")
    wait_until(visiting, held)
    with_ranges.decide = lambda request, _earlier: Rule(etag='"changed"') if request.path.endswith(".m4s") else GOOD
    released.set()
    assert visiting.problem() == "The video has changed meanwhile."
    assert visiting.downloads == []
    assert visiting.page.inner_text("#retry") == "Try again"
    assert len(visiting.save(tmp_path / "saved", button="#retry")) > 14 * MEBIBYTE


@pytest.mark.long
def test_a_link_that_expires_in_the_middle_is_renewed(with_ranges: Origin, visit: Visits, tmp_path: Path) -> None:
    """The function is replaced by one with another key, so that what it has signed is no longer valid."""
    environ = {"TRANSCODER_PAGE_LINKS": "1", "TRANSCODER_SIGNING_KEYS": "a key of sixteen or more"}
    url = with_ranges.url("/main.m3u8")
    with emulated(function_options(**environ)) as first:
        visiting = visit(first.url + "/")
        visiting.look(url)
        held, released = hold(with_ranges, "/segment4.m4s")
        visiting.page.click("#save")
        wait_until(visiting, held)
        port = urlsplit(first.url).port
    with_ranges.decide = None
    released.set()
    later = replace(function_options(**{**environ, "TRANSCODER_SIGNING_KEYS": SECOND_KEY}), port=port or 0)
    with visiting.page.expect_download() as download, emulated(later):
        visiting.page.wait_for_selector("#done:not([hidden])")
    download.value.save_as(tmp_path / "saved")
    assert len(visiting.asked("GET", "/link")) >= 2
    assert (tmp_path / "saved").stat().st_size > 14 * MEBIBYTE


@pytest.mark.long
def test_a_link_whose_time_is_over_is_renewed_before_it_is_used(with_ranges: Origin, function: Function, visit: Visits) -> None:
    address = function(function_options(TRANSCODER_PAGE_LINKS="1", TRANSCODER_SIGNING_KEYS=SECOND_KEY))
    visiting = visit(address)
    visiting.page.clock.install()
    visiting.look(with_ranges.url("/main.m3u8"))
    visiting.page.clock.set_system_time(visiting.page.evaluate("Date.now() + 900_000"))
    with visiting.page.expect_download():
        visiting.page.click("#save")
    assert len(visiting.asked("GET", "/link")) == 2
