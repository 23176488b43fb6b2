"""What the tests of the page share: Chromium, and an emulated function with a few environments."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from conftest import Serve
from peers import browsers
from peers.browsers import Media, Visit, Visits, function_options
from peers.origin import Origin, Rule
from peers.running_emulator import emulated
from playwright.sync_api import Browser

from transcoder.emulator import Options


@dataclass
class Kept:
    """Chromium and a function, from the first test of this folder to the last one in a row: each module would start both anew."""

    running: ExitStack = field(default_factory=ExitStack)
    browser: Browser | None = None
    address: str = ""

    def chromium(self) -> Browser:
        self.browser = self.browser or self.running.enter_context(browsers.chromium())
        return self.browser

    def function(self) -> str:
        self.address = self.address or self.running.enter_context(emulated(function_options())).url + "/"
        return self.address

    def end(self) -> None:
        self.running.close()
        self.browser, self.address = None, ""


_KEPT = Kept()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """End them before a test of another folder: while Chromium runs, this thread cannot run another event loop."""
    if nextitem is None or Path(__file__).parent not in nextitem.path.parents:
        _KEPT.end()


@pytest.fixture
def chromium() -> Browser:
    return _KEPT.chromium()


@pytest.fixture(scope="session")
def has_chromium() -> None:
    """Without a browser nothing is started."""
    browsers.program("chromium")


@pytest.fixture
def address(has_chromium: None) -> str:  # noqa: ARG001
    """The address of the page."""
    return _KEPT.function()


@pytest.fixture
def visit(chromium: Browser, address: str) -> Iterator[Visits]:
    """Return what opens the page in a context of its own, which is closed when the test ends."""
    with ExitStack() as open_visits:

        def begin(url: str = address, *, hash_: str = "", **options: Any) -> Visit:
            defaults = {"viewport": {"width": 390, "height": 844}, "locale": "en-US"}
            context = chromium.new_context(**{**defaults, **options})
            return open_visits.enter_context(Visit(context, url, hash_, has_scripts=options.get("java_script_enabled", True)))

        yield begin


@pytest.fixture
def function(has_chromium: None) -> Iterator[Callable[..., str]]:  # noqa: ARG001
    """Return what starts a function with other options, and returns the address of its page."""
    with ExitStack() as running:

        def begin(options: Options | None = None, **changes: Any) -> str:
            return running.enter_context(emulated(replace(options or function_options(), **changes))).url + "/"

        yield begin


@pytest.fixture
def source(media: Media, serve: Serve) -> Origin:
    return serve(media("ts-separate-audio"))


@pytest.fixture
def seems_large(media: Media, serve: Serve) -> Origin:
    """A small source whose playlist announces more than the page keeps in memory."""
    folder = media("ts-separate-audio")
    origin = serve(folder)
    origin.rules["/main.m3u8"] = Rule(body=(folder / "main.m3u8").read_bytes().replace(b"BANDWIDTH=9", b"BANDWIDTH=999"))
    return origin
