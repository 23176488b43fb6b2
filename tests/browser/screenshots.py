"""Write pictures of each state of the web page, in two widths, light and dark: `make screenshots`."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import product
from pathlib import Path

import make_media
from peers import browsers, page_states
from peers.browsers import Visit
from peers.origin import Origin, origin
from peers.page_states import add_evil_post
from peers.reddit import reddit
from peers.reddit_runtime import options
from peers.running_emulator import emulated
from playwright.sync_api import Browser

from transcoder.emulator import Options

FOLDER = Path(__file__).resolve().parents[2] / "build" / "screenshots"
SIZES = {390: 844, 1280: 900}


def main() -> int:
    """Write the pictures, and say where."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        site = stack.enter_context(reddit())
        add_evil_post(site)
        posts = stack.enter_context(emulated(replace(options(site), concurrency=2)))
        videos = stack.enter_context(emulated(Options(environ={**os.environ, "TRANSCODER_ALLOW_PRIVATE": "1"}, concurrency=2)))
        source = stack.enter_context(origin(make_media.media("ts-separate-audio")))
        browser = stack.enter_context(browsers.chromium())
        for width, scheme in product(SIZES, ("light", "dark")):
            suffix = f"{width}-{scheme}"
            with _visit(browser, posts.url + "/", width, scheme) as visiting:
                _take_posts(visiting, suffix)
            with _visit(browser, videos.url + "/", width, scheme) as visiting:
                _take_video(visiting, source, suffix)
    sys.stdout.write(f"{FOLDER}\n")
    return 0


@contextmanager
def _visit(browser: Browser, address: str, width: int, scheme: str) -> Iterator[Visit]:
    context = browser.new_context(viewport={"width": width, "height": SIZES[width]}, color_scheme=scheme, locale="en-US")  # type: ignore[arg-type]  # one of two
    with Visit(context, address) as visiting:
        yield visiting


def _take_posts(visiting: Visit, suffix: str) -> None:
    """Write pictures of what a post can look like, and of the empty page."""
    _write(visiting, f"1-empty-{suffix}")
    page_states.show_error(visiting)
    _write(visiting, f"2-error-{suffix}")
    page_states.show_picker(visiting)
    _write(visiting, f"3-picker-{suffix}")
    visiting.look(page_states.EVIL_POST)
    _write(visiting, f"4-title-{suffix}")


def _take_video(visiting: Visit, source: Origin, suffix: str) -> None:
    """Lead the page from the card to the saved file, and write a picture of each state."""
    visiting.look(source.url("/main.m3u8"))
    _write(visiting, f"5-card-{suffix}")
    page_states.show_playing(visiting)
    page_states.wait_for_picture(visiting)
    _write(visiting, f"6-playing-{suffix}")
    page_states.wait_for_picture(visiting)
    visiting.page.evaluate("video.pause()")
    with page_states.saving(visiting, source):
        _write(visiting, f"7-saving-{suffix}")
    visiting.page.wait_for_selector("#done:not([hidden])")
    _write(visiting, f"8-saved-{suffix}")


def _write(visiting: Visit, name: str) -> None:
    visiting.page.wait_for_timeout(300)
    visiting.page.screenshot(path=FOLDER / f"{name}.png", full_page=True)


if __name__ == "__main__":
    sys.exit(main())
