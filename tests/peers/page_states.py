"""Leads the page into each of its states, for checks of what can be seen of it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from peers.browsers import SECONDS, Visit
from peers.origin_rules import GOOD, Request, Rule
from peers.origin_state import Origin
from peers.reddit import Reddit
from peers.reddit_pages import PublicPost, feed

EVIL_TITLE = '<script>alert(1)</script> "it\'s" \N{RIGHT-TO-LEFT OVERRIDE}שלום עולם\N{POP DIRECTIONAL FORMATTING} &amp; \N{PARTY POPPER}'
"""The title of a post: markup, quotes, marks of direction, and an emoji."""
EVIL_POST = "https://www.reddit.com/r/aww/comments/pevil/"
PLAIN_POST = "https://www.reddit.com/r/aww/comments/pplain/"
PICKER_POST = "https://www.reddit.com/comments/ptext/"
_WIDE_VIDEO = "https://v.redd.it/era2024one"
_PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c636060d8f01f0003490204f4f5bd48"
    "0000000049454e44ae426082"
)


def add_evil_post(site: Reddit) -> None:
    """Add a post with that title and a poster."""
    poster = "https://preview.redd.it/poster.png?s=1"
    post = PublicPost(id="pevil", title=EVIL_TITLE, target="https://v.redd.it/era2025one", thumbnail=poster, poster=poster)
    site.origin.rules["/comments/pevil/.rss"] = Rule(body=feed(post), headers={"Content-Type": "application/atom+xml"})
    site.origin.rules["/poster.png"] = Rule(body=_PIXEL, headers={"Content-Type": "image/png"})


def add_plain_post(site: Reddit, picture: bytes) -> None:
    """Add a post as most are, whose poster is this JPEG."""
    poster = "https://preview.redd.it/plain.jpg?s=1"
    post = PublicPost(id="pplain", title="A test pattern, with a beep each second", target=_WIDE_VIDEO, thumbnail=poster, poster=poster)
    site.origin.rules["/comments/pplain/.rss"] = Rule(body=feed(post), headers={"Content-Type": "application/atom+xml"})
    site.origin.rules["/plain.jpg"] = Rule(body=picture, headers={"Content-Type": "image/jpeg"})


def show_empty(_visiting: Visit) -> None:
    """Leave the page as it opens."""


def show_error(visiting: Visit) -> None:
    visiting.page.fill("#address", "not a link")
    visiting.page.press("#address", "Enter")
    visiting.problem()


def hold_path(origin: Origin, path: str) -> threading.Event:
    """Have an origin wait when it is asked for a path, until the event is set."""
    released = threading.Event()

    def decide(request: Request, _earlier: int) -> Rule:
        if request.path == path:
            released.wait(SECONDS)
        return GOOD

    origin.decide = decide
    return released


@contextmanager
def saving(visiting: Visit, origin: Origin) -> Iterator[None]:
    """Show a download that is under way for the length of the block."""
    released = hold_path(origin, "/large-1.ts")
    visiting.page.click("#save")
    visiting.wait_for("progressText.textContent.includes('%')")
    try:
        yield
    finally:
        released.set()
        origin.decide = None


def show_saved(visiting: Visit) -> None:
    with visiting.page.expect_download():
        visiting.page.click("#save")
    visiting.page.wait_for_selector("#done:not([hidden])")


def show_playing(visiting: Visit) -> None:
    visiting.page.click("#watch")
    visiting.wait_for("video.currentTime > 0.2")


def wait_for_picture(visiting: Visit) -> None:
    """Wait until the video that plays has just shown its flash: the test video is white at each full second."""
    visiting.page.evaluate("""new Promise((done) => {
        const seen = (_, { mediaTime }) => (mediaTime % 1 > 0.1 && mediaTime % 1 < 0.4 ? done() : video.requestVideoFrameCallback(seen));
        video.requestVideoFrameCallback(seen);
    })""")


def show_picker(visiting: Visit) -> None:
    visiting.look(PICKER_POST)
    visiting.page.wait_for_selector("#picker:not([hidden])")
