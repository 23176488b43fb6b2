"""Write pictures of each state of the web page, in two widths, light and dark, and those of the README: `make screenshots`."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import product
from pathlib import Path

import make_media
from generated_video import ffmpeg_path
from peers import browsers, page_states
from peers.browsers import Visit
from peers.origin import Origin, origin
from peers.page_states import add_evil_post, add_plain_post
from peers.reddit import reddit
from peers.reddit_runtime import options
from peers.running_emulator import emulated
from playwright.sync_api import Browser

from transcoder.emulator import Options

FOLDER = Path(__file__).resolve().parents[2] / "build" / "screenshots"
README_FOLDER = FOLDER.parents[1] / "docs" / "pictures"
SIZES = {390: 844, 1280: 900}
_FEW_COLOURS = "split[a][b];[a]palettegen=max_colors=64:stats_mode=single[p];[b][p]paletteuse=dither=none"
"""The page has few colours, and each clone of the repository has its pictures."""


def main() -> int:
    """Write the pictures, and say where."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        site = stack.enter_context(reddit())
        add_evil_post(site)
        add_plain_post(site, _frame())
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
        for width in SIZES:
            with _visit(browser, posts.url + "/", width, "light") as visiting:
                _take_for_readme(visiting, README_FOLDER / f"page-{width}.png")
    sys.stdout.write(f"{FOLDER}\n{README_FOLDER}\n")
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


def _frame() -> bytes:
    """Return a frame of the generated videos as a JPEG."""
    source = make_media.media("ts-separate-audio") / "large-1.ts"
    command = [ffmpeg_path(), "-loglevel", "error", "-i", str(source), "-frames:v", "1", "-f", "mjpeg", "-"]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def _take_for_readme(visiting: Visit, path: Path) -> None:
    """Write a picture of a post as most are, as much of it as is seen without scrolling."""
    visiting.look(page_states.PLAIN_POST)
    visiting.wait_for("poster.naturalWidth > 1")
    shown = visiting.page.screenshot()
    path.parent.mkdir(exist_ok=True)
    run = [ffmpeg_path(), "-loglevel", "error", "-y", "-f", "png_pipe", "-i", "-", "-vf", _FEW_COLOURS, "-frames:v", "1", str(path)]
    subprocess.run(run, check=True, input=shown)


def _write(visiting: Visit, name: str) -> None:
    visiting.page.wait_for_timeout(300)
    visiting.page.screenshot(path=FOLDER / f"{name}.png", full_page=True)


if __name__ == "__main__":
    sys.exit(main())
