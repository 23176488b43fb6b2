"""In Chromium: a link is pasted, its card appears, the video plays while it comes, and what is saved is what `transcoder get` makes."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Serve
from peers.browsers import Media, Visits
from peers.get_command import get
from peers.origin_rules import GOOD, Request, Rule
from peers.origin_state import Origin


def expected(url: str, folder: Path, *options: str) -> bytes:
    """Return what `transcoder get` makes."""
    output = folder / "expected"
    assert get(url, output, "--force", *options).returncode == 0
    return output.read_bytes()


@pytest.fixture
def sets(media: Media, serve: Serve) -> Callable[[str], Origin]:
    """Serve a set of media by its name."""
    return lambda name: serve(media(name))


@pytest.fixture
def stream(media: Media, serve: Serve) -> Origin:
    """A source that only a stream can be made of."""
    return serve(media("ts-separate-audio"))


@pytest.fixture
def mapped(media: Media, serve: Serve) -> Origin:
    """A source that has a virtual file, with ranges."""
    return serve(media("fmp4-separate-audio"))


def test_a_pasted_link_plays_before_the_origin_has_sent_the_second_half(media: Media, serve: Serve, visit: Visits) -> None:
    origin, released = serve(media("ts-separate-audio")), threading.Event()

    def decide(request: Request, _earlier: int) -> Rule:
        is_late = request.path.endswith(("-1.ts", "-2.ts", "-3.ts")) and "range" not in request.headers
        if is_late and not released.wait(20):
            return Rule(status=500)
        return GOOD

    origin.decide = decide
    page = (visiting := visit()).page
    visiting.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("text => navigator.clipboard.writeText(text)", f"Look at this: {origin.url('/main.m3u8')} !")
    assert page.inner_text("#go") == "Paste"
    page.click("#go")
    page.wait_for_selector("#card:not([hidden])")
    assert "360p" in page.inner_text("#summary")
    page.click("#watch")
    visiting.wait_for("video.currentTime > 0.2 && video.videoWidth === 640")
    assert not released.is_set()
    assert page.evaluate("video.duration") == pytest.approx(6.0, abs=0.1)
    released.set()
    visiting.wait_for("video.buffered.length && video.buffered.end(0) > 5.5")
    page.evaluate("video.currentTime = 4.5")
    visiting.wait_for("!video.seeking && video.currentTime >= 4.5 && video.readyState >= 2")
    assert page.evaluate("video.duration") == pytest.approx(6.0, abs=0.1)


def test_a_source_with_ranges_is_played_as_a_file(mapped: Origin, visit: Visits) -> None:
    visiting = visit()
    page = visiting.look(mapped.url("/main.m3u8"))
    page.click("#watch")
    visiting.wait_for("video.currentTime > 0.2")
    assert page.evaluate("video.getAttribute('src')").startswith("/download?")
    assert page.evaluate("video.duration") == pytest.approx(6.0, abs=0.15)
    page.evaluate("video.currentTime = 4")
    visiting.wait_for("!video.seeking && video.currentTime >= 4 && video.readyState >= 2")


@pytest.mark.parametrize(
    ("source", "choose", "options"),
    [
        pytest.param("ts-separate-audio", {}, ("--layout", "fragmented"), id="all of a stream"),
        pytest.param("ts-separate-audio", {"kind": "audio"}, ("--layout", "fragmented", "--format", "m4a"), id="sound only"),
        pytest.param("ts-separate-audio", {"fit": "8MB"}, ("--layout", "fragmented", "--fit", "8MB"), id="fitted"),
        pytest.param("fmp4-separate-audio", {}, (), id="all of a file with ranges"),
        pytest.param("fmp4-separate-audio", {"quality": "180", "kind": "silent"}, ("--height", "180", "--mute"), id="small and silent"),
    ],
)
def test_what_is_saved_is_what_get_makes(
    source: str, choose: dict[str, str], options: tuple[str, ...], sets: Callable[[str], Origin], visit: Visits, tmp_path: Path
) -> None:
    visiting, url = visit(), sets(source).url("/main.m3u8")
    visiting.look(url)
    for name, value in choose.items():
        visiting.choose(name, value)
    assert visiting.save(tmp_path / "saved") == expected(url, tmp_path, *options)
    assert visiting.page.inner_text("#done").startswith("Saved, and whole")


def test_a_part_is_chosen_by_typing_and_by_handles(stream: Origin, visit: Visits, tmp_path: Path) -> None:
    visiting, url = visit(), stream.url("/main.m3u8")
    page = visiting.look(url)
    with page.expect_response(lambda response: "start=2.5" in response.url):
        page.fill("#fromText", "0:02.5")
        page.press("#fromText", "Enter")
    page.locator("#to").focus()
    with page.expect_response(lambda response: "end=4.5" in response.url):
        for _ in range(round((page.evaluate("to.valueAsNumber") - 4.5) * 10)):
            page.keyboard.press("ArrowLeft")
    page.wait_for_selector("#summary:not(.stale)")
    assert page.input_value("#toText") == "0:04.5"
    assert "0:02" in page.inner_text("#summary")
    assert visiting.save(tmp_path / "saved") == expected(url, tmp_path, "--layout", "fragmented", "--start", "2.5", "--end", "4.5")
    page.fill("#fromText", "0:05")
    page.press("#fromText", "Enter")
    assert visiting.problem() == "This part does not exist."


def test_what_does_not_fit_is_said_before_anything_is_saved(media: Media, serve: Serve, visit: Visits) -> None:
    origin, playlist = serve(media("ts-separate-audio")), (media("ts-separate-audio") / "main.m3u8").read_bytes()
    origin.rules["/main.m3u8"] = Rule(body=playlist.replace(b"BANDWIDTH=", b"BANDWIDTH=999"))
    visiting = visit()
    page = visiting.look(origin.url("/main.m3u8"))
    page.locator("input[name=fit][value='8MB']").check(force=True)
    assert visiting.problem() == "This is too large."
    assert page.is_disabled("#save")


def test_a_large_file_is_put_together_on_the_disk(media: Media, serve: Serve, visit: Visits, tmp_path: Path) -> None:
    folder = media("ts-separate-audio")
    origin = serve(folder)
    large = (folder / "main.m3u8").read_bytes().replace(b"BANDWIDTH=9", b"BANDWIDTH=999")
    origin.rules["/main.m3u8"] = Rule(body=large)
    visiting = visit()
    visiting.page.evaluate("delete window.showSaveFilePicker")  # its dialog needs a person; without it the private folder is used
    visiting.look(origin.url("/main.m3u8"))
    saved = visiting.save(tmp_path / "saved")
    assert saved == expected(origin.url("/main.m3u8"), tmp_path, "--layout", "fragmented")
    names = "(async () => (await Array.fromAsync((await navigator.storage.getDirectory()).keys())).length)()"
    assert visiting.page.evaluate(names) == 1


def test_the_file_has_the_name_of_the_video(stream: Origin, visit: Visits, tmp_path: Path) -> None:
    visiting = visit()
    visiting.look(stream.url("/main.m3u8"))
    with visiting.page.expect_download() as download:
        visiting.page.click("#save")
    assert download.value.suggested_filename == "video.mp4"
    download.value.save_as(tmp_path / "saved")


def test_a_file_that_is_no_playlist_is_saved_as_it_is(serve: Serve, visit: Visits, tmp_path: Path) -> None:
    content = bytes(range(256)) * 60_000
    url = serve({"/a.webm": content}).url("/a.webm")
    visiting = visit()
    visiting.look(url)
    assert visiting.save(tmp_path / "saved") == content


def test_a_link_can_be_copied_and_opened(stream: Origin, visit: Visits, address: str) -> None:
    visiting = visit()
    visiting.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = visiting.look(stream.url("/main.m3u8"))
    page.click("#copy")
    visiting.wait_for("copy.textContent === 'Copied'")
    copied = page.evaluate("navigator.clipboard.readText()")
    opened = visit(hash_=copied.removeprefix(address)).page
    opened.wait_for_selector("#card:not([hidden])")
    assert opened.url == address
    assert opened.evaluate("history.length") <= 2


@pytest.mark.parametrize("link", ["#{url}", "#url={quoted}", "?title=x&text=Look%20{quoted}"])
def test_a_link_in_the_address_starts_and_leaves_the_history(link: str, stream: Origin, visit: Visits, address: str) -> None:
    url = stream.url("/main.m3u8")
    page = visit(hash_=link.format(url=url, quoted=url.replace(":", "%3A").replace("/", "%2F"))).page
    page.wait_for_selector("#card:not([hidden])")
    assert (page.url, page.input_value("#address")) == (address, url)


def test_without_scripts_the_button_downloads(stream: Origin, visit: Visits, tmp_path: Path) -> None:
    visiting = visit(java_script_enabled=False)
    visiting.page.fill("#address", stream.url("/main.m3u8"))
    saved = visiting.save(tmp_path / "saved", button="#go")
    assert saved == expected(stream.url("/main.m3u8"), tmp_path, "--layout", "fragmented")
